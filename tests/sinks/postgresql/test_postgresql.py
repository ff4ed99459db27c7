"""The sink `postgresql` and a real PostgreSQL: exact rows, whatever happens; rights; a table of others."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from smart_meter_reader.console.checks import Level
from smart_meter_reader.messages import Message
from smart_meter_reader.messages.receipts import Receipts
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.settings.schema import Secret
from smart_meter_reader.sinks.postgresql.examination import examine
from smart_meter_reader.sinks.postgresql.settings import PostgreSqlSettings
from smart_meter_reader.sinks.postgresql.sink import PostgreSqlSink
from smart_meter_reader.sinks.spooled import sink as sink_module
from tests.history.homes import reading, status
from tests.peers.mosquitto import make_certificates
from tests.sinks.postgresql.cluster import DATABASE, LOGIN, PASSWORD, Cluster, cluster
from tests.sinks.spooled.driving import T0, past, readings, rows_of, running, until

# One server for all: what each of them takes to begin is longer than most tests.
pytestmark = pytest.mark.xdist_group("one PostgreSQL")


@pytest.fixture(scope="module")
def running_cluster() -> Iterator[Cluster]:
    with cluster() as found:
        yield found


@pytest_asyncio.fixture
async def server(running_cluster: Cluster) -> Cluster:
    await running_cluster.set_up()
    return running_cluster


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody wants to wait five minutes for the second login."""
    monkeypatch.setattr(sink_module, "_BACKOFF", dict.fromkeys(sink_module._BACKOFF, Backoff(0.2, 0.5)))


def settings(server: Cluster, folder: Path, **more: Any) -> PostgreSqlSettings:
    keys: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": server.port,
        "database": DATABASE,
        "username": LOGIN,
        "password": Secret(PASSWORD),
        "every": timedelta(0),
        "write_every": timedelta(0),
        "timeout": timedelta(seconds=20),
        "spool_directory": str(folder / "state"),
        "spool_after": timedelta(0),
    }
    return PostgreSqlSettings(**{**keys, **more})


async def values(server: Cluster) -> list[tuple[str, str, str, int, Decimal]]:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return sorted(
        (
            row["meter"],
            row["quantity"],
            row["unit"],
            (row["time"] - epoch) // timedelta(microseconds=1) * 1000,
            row["value"],
        )
        for row in await server.rows()
        if row["value"] is not None
    )


async def test_every_value_is_a_row_with_all_its_digits(server: Cluster, tmp_path: Path) -> None:
    exact = reading(T0 - 1, {"heat_energy": ("12345678901234.567890", "MWh"), "volume": ("-0.10", "m³")})
    told: list[Message] = [exact, *readings(0, 50), *readings(0, 30, "other 'meter\"")]
    sink = PostgreSqlSink("pg", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(*told)
    assert sink.delivered
    assert await values(server) == rows_of(told)
    digits = {str(row["value"]) for row in await server.rows()}
    assert {"12345678901234.567890", "-0.10"} <= digits


async def test_texts_and_states(server: Cluster, tmp_path: Path) -> None:
    odd = reading(T0, {"heat_energy": ("1", "MWh")})
    odd["measurements"]["info_code_text"] = {"value": "a 'text'\x00\n", "unit": ""}
    sink = PostgreSqlSink("pg", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(odd, status(T0, ""), status(T0 + 1, "port_absent", state="offline"))
    found = {row["quantity"]: row for row in await server.rows()}
    assert found["info_code_text"]["value"] is None
    assert found["info_code_text"]["text"] == "a 'text'\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
    states = await server.rows(table="smart_meter_state ORDER BY time")
    assert [(row["state"], row["reason"]) for row in states] == [("online", ""), ("offline", "port_absent")]


async def test_the_same_time_is_one_row_and_a_corrected_value_takes_its_place(
    server: Cluster, tmp_path: Path
) -> None:
    for _ in range(2):
        sink = PostgreSqlSink("pg", settings(server, tmp_path))
        async with running(sink) as queue:
            queue.put(*readings(0, 20), *readings(0, 20))
    assert await values(server) == rows_of(readings(0, 20))
    [before] = await server.asked(
        "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'smart_meter'", database=DATABASE
    )
    sink = PostgreSqlSink("pg", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(reading(T0, {"heat_energy": ("0.5", "MWh")}))
    assert (await values(server))[0] == ("heat", "flow_temperature", "°C", T0 * 10**9, Decimal("0.5"))
    assert Decimal("0.5") in {row[4] for row in await values(server) if row[1] == "heat_energy"}
    assert before["n_tup_upd"] == 0, "what is there already is not written again"


async def test_away_at_the_start_and_in_between(
    server: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    server.stop()
    sink = PostgreSqlSink("pg", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(*readings(0, 100))
        await until(lambda: "nothing listens on" in caplog.text)
        server.start()
        await queue.stored()
        server.stop()
        queue.put(*readings(100, 200))
        await until(lambda: caplog.text.count("nothing listens on") == 2)
        server.start()
        await queue.stored()
    assert await values(server) == rows_of(readings(0, 200))


async def test_started_anew_while_nothing_is_sent_is_no_trouble(
    server: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sink = PostgreSqlSink("pg", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(*readings(0, 10))
        await queue.stored()
        server.stop()
        server.start()
        queue.put(*readings(10, 20))
        await queue.stored()
    assert await values(server) == rows_of(readings(0, 20))
    assert "WARNING" not in caplog.text


async def test_killed_while_writing_nothing_is_missing_and_nothing_is_double(
    server: Cluster, tmp_path: Path
) -> None:
    told = readings(0, 6000)
    sink = PostgreSqlSink("pg", settings(server, tmp_path, spool_after=timedelta(minutes=1)))
    async with running(sink) as queue:
        for begin in range(0, 6000, 2000):
            queue.put(*told[begin : begin + 2000])
            await asyncio.sleep(0.3)
            server.kill()
            await asyncio.sleep(0.1)
            server.start()
        await queue.stored()
    assert sink.refused == 0
    assert await values(server) == rows_of(told)


async def test_a_server_that_hangs(server: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sink = PostgreSqlSink("pg", settings(server, tmp_path, timeout=timedelta(seconds=1)))
    async with running(sink) as queue:
        queue.put(*readings(0, 10))
        await queue.stored()
        server.freeze()
        queue.put(*readings(10, 20))
        await until(lambda: "does not answer within 1 s" in caplog.text)
        queue.put(*readings(20, 30))
        await until(lambda: sink.backlog[0] == 20)
        server.thaw()
        await queue.stored()
    assert await values(server) == rows_of(readings(0, 30))


async def test_at_the_stop_a_server_that_hangs_costs_nothing(server: Cluster, tmp_path: Path) -> None:
    sink = PostgreSqlSink("pg", settings(server, tmp_path, spool_after=timedelta(minutes=1)))
    async with running(sink) as queue:
        queue.put(*readings(0, 10))
        await queue.stored()
        server.freeze()
        queue.put(*readings(10, 30))
    assert not sink.delivered
    server.thaw()
    again = PostgreSqlSink("pg", settings(server, tmp_path))
    async with running(again):
        pass
    assert again.delivered
    assert await values(server) == rows_of(readings(0, 30))


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"password": Secret("wrong")}, "does not let meters in"),
        ({"username": "nobody_here"}, "does not let nobody_here in"),
        ({"database": "elsewhere"}, "has no database elsewhere"),
        ({"schema": "elsewhere"}, "has no schema elsewhere"),
        ({"host": "nowhere.invalid"}, "cannot be reached"),
        ({"host": "/nowhere"}, "no server listens in /nowhere"),
        ({"tls": True}, "speaks no TLS"),
    ],
)
async def test_what_is_wrong_is_told_and_mended_later(
    server: Cluster, tmp_path: Path, change: dict[str, Any], seen: str, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = settings(server, tmp_path, **change)
    checks = [check async for check in examine("sink pg", wrong)]
    assert checks[-1].level is Level.UNAVAILABLE
    assert seen in checks[-1].text
    sink = PostgreSqlSink("pg", wrong)
    async with running(sink) as queue:
        queue.put(*readings(0, 3))
        await until(lambda: seen in caplog.text)
    assert not sink.delivered
    assert "wrong" not in caplog.text
    right = PostgreSqlSink("pg", settings(server, tmp_path))
    async with running(right) as queue:
        queue.put(*readings(3, 5))
    assert await values(server) == rows_of(readings(0, 5))


async def test_rights_that_are_missing_are_named_with_what_grants_them(
    server: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await server.do("CREATE USER guest PASSWORD 'open sesame'")
    guest = settings(server, tmp_path, username="guest")
    checks = [check async for check in examine("sink pg", guest)]
    assert "GRANT CREATE ON SCHEMA public TO guest" in checks[-1].text
    sink = PostgreSqlSink("pg", guest)
    async with running(sink) as queue:
        queue.put(*readings(0, 3))
        await until(lambda: "guest may not create tables in public of home" in caplog.text)
        await server.do("GRANT CREATE ON SCHEMA public TO guest")
        await queue.stored()
        # What the sentence said is all that is needed: the table that it shows fits as well.
        await server.do(
            "REVOKE CREATE ON SCHEMA public FROM guest",
            "ALTER TABLE smart_meter OWNER TO meters",
            "REVOKE ALL ON smart_meter FROM guest",
        )
        queue.put(*readings(3, 5))
        await until(lambda: "GRANT SELECT, INSERT, UPDATE ON public.smart_meter TO guest" in caplog.text)
        await server.do("GRANT SELECT, INSERT, UPDATE ON public.smart_meter TO guest")
        await queue.stored()
    assert await values(server) == rows_of(readings(0, 5))
    checks = [check async for check in examine("sink pg", guest)]
    assert [check.level for check in checks] == [Level.OK] * 3


async def test_doctor_creates_nothing(server: Cluster, tmp_path: Path) -> None:
    checks = [check async for check in examine("sink pg", settings(server, tmp_path))]
    assert [check.level for check in checks] == [Level.OK] * 3
    assert checks[0].text.startswith(f"127.0.0.1:{server.port} is PostgreSQL 1")
    assert checks[1].text == "public.smart_meter is not there yet; meters may create it"
    assert await server.asked("SELECT 1 FROM pg_tables WHERE schemaname = 'public'", database=DATABASE) == []


@pytest.mark.parametrize(
    ("made", "seen"),
    [
        ("CREATE TABLE smart_meter (id int)", "its column meter is missing"),
        (
            "CREATE TABLE smart_meter (meter text, quantity text, time timestamptz, value float8, text text, "
            "unit text)",
            "its column value is double precision, and should be numeric",
        ),
        (
            "CREATE TABLE smart_meter (meter text, quantity text, time timestamptz, value numeric, "
            "text text, unit text)",
            "ADD PRIMARY KEY (meter, quantity, time)",
        ),
    ],
)
async def test_a_table_of_somebody_else_is_left_alone(
    server: Cluster, tmp_path: Path, made: str, seen: str, caplog: pytest.LogCaptureFixture
) -> None:
    await server.do(made, f"ALTER TABLE smart_meter OWNER TO {LOGIN}")
    sink = PostgreSqlSink("pg", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(*readings(0, 3))
        await until(lambda: seen in caplog.text)
        assert await server.rows() == []
        await server.do("DROP TABLE smart_meter")
        await queue.stored()
    assert await values(server) == rows_of(readings(0, 3))


async def test_a_table_with_more_columns_and_another_index_is_fine(server: Cluster, tmp_path: Path) -> None:
    await server.do(
        "CREATE TABLE smart_meter (id serial PRIMARY KEY, meter text, time timestamptz, quantity text, "
        "value numeric, text text, unit text, house text DEFAULT 'ours')",
        "CREATE UNIQUE INDEX ON smart_meter (time, meter, quantity)",
        f"ALTER TABLE smart_meter OWNER TO {LOGIN}",
    )
    sink = PostgreSqlSink("pg", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(*readings(0, 3))
    assert await values(server) == rows_of(readings(0, 3))


async def test_a_table_that_is_dropped_under_way_is_made_again(server: Cluster, tmp_path: Path) -> None:
    sink = PostgreSqlSink("pg", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(*readings(0, 3))
        await queue.stored()
        await server.do("DROP TABLE smart_meter")
        queue.put(*readings(3, 6))
        await queue.stored()
    assert await values(server) == rows_of(readings(3, 6))


async def test_rows_that_are_refused_cost_nothing_but_their_reading(
    server: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = PostgreSqlSink("pg", settings(server, tmp_path))
    async with running(first):
        await until(lambda: first.backlog == (0, 0))
        await asyncio.sleep(0.5)
    await server.do(
        "ALTER TABLE smart_meter ADD CHECK (value < 500)",
        "CREATE FUNCTION no_tens() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF trunc(NEW.value) = 10 THEN RAISE EXCEPTION 'no tens here'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER no_tens BEFORE INSERT ON smart_meter FOR EACH ROW EXECUTE FUNCTION no_tens()",
    )
    told = readings(0, 600)
    sink = PostgreSqlSink("pg", settings(server, tmp_path, spool_after=timedelta(minutes=1)))
    async with running(sink) as queue:
        queue.put(*told)
        await queue.stored()
    assert await values(server) == rows_of([*told[:10], *told[11:500]])
    assert sink.refused == 101
    assert sum("left out for good" in each.getMessage() for each in caplog.records) == 1


async def test_a_past_is_confirmed_when_the_database_has_it(server: Cluster, tmp_path: Path) -> None:
    sink = PostgreSqlSink("pg", settings(server, tmp_path))
    receipts = Receipts(["pg"])
    sink.take_receipts(receipts.of("pg"))
    server.stop()
    async with running(sink) as queue:
        receipt = receipts.issue()
        queue.put(past(0, 300, receipt.key))
        await until(lambda: sink.backlog[0] == 15)
        assert not receipt.is_safe
        server.start()
        assert await receipt.settled()
        assert len(await values(server)) == 300
    assert await values(server) == rows_of([past(0, 300)])


async def test_a_statement_timeout_makes_batches_smaller_and_loses_nothing(
    server: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sink = PostgreSqlSink("pg", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(*readings(0, 1))
        await queue.stored()
        await server.do(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN PERFORM pg_sleep(0.03); RETURN NEW; END$$",
            "CREATE TRIGGER slow BEFORE INSERT ON smart_meter FOR EACH ROW EXECUTE FUNCTION slow()",
            f"ALTER ROLE {LOGIN} SET statement_timeout = '500ms'",
        )
        await server.asked("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", LOGIN)
        queue.put(*readings(1, 120))
        await queue.stored()
    assert sink.refused == 0
    assert "its `statement_timeout` or `lock_timeout`" in caplog.text
    assert await values(server) == rows_of(readings(0, 120))


async def test_a_table_that_takes_no_row_costs_none(
    server: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What somebody has changed in the table is no reason to leave readings out for good."""
    sink = PostgreSqlSink("pg", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(*readings(0, 1))
        await queue.stored()
        await server.do(
            "ALTER TABLE smart_meter ADD COLUMN household text NOT NULL DEFAULT 'x'",
            "ALTER TABLE smart_meter ALTER COLUMN household DROP DEFAULT",
        )
        queue.put(*readings(1, 20))
        await until(lambda: "has a column household that is none of ours" in caplog.text)
        await server.do("ALTER TABLE smart_meter ALTER COLUMN household DROP NOT NULL")
        await queue.stored()
    assert sink.refused == 0
    assert await values(server) == rows_of(readings(0, 20))


async def test_a_partition_that_is_missing_costs_no_row(
    server: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await server.do(
        "CREATE TABLE smart_meter (meter text NOT NULL, quantity text NOT NULL, time timestamptz NOT NULL, "
        "value numeric, text text, unit text NOT NULL, PRIMARY KEY (meter, quantity, time)) "
        "PARTITION BY RANGE (time)",
        f"ALTER TABLE smart_meter OWNER TO {LOGIN}",
    )
    sink = PostgreSqlSink("pg", settings(server, tmp_path))
    async with running(sink) as queue:
        queue.put(*readings(0, 20))
        await until(lambda: "a partition is missing" in caplog.text)
        await server.do("CREATE TABLE all_times PARTITION OF smart_meter DEFAULT")
        await queue.stored()
    assert sink.refused == 0
    assert await values(server) == rows_of(readings(0, 20))


async def test_over_tls_the_server_is_verified(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    with cluster(certificates.server) as server:
        await server.set_up()
        for ca, seen in ((certificates.other_ca, "is not signed by"), (None, "is not signed by")):
            away = settings(server, tmp_path, host="localhost", tls=True, ca=ca)
            [check] = [check async for check in examine("x", away)]
            assert check.level is Level.UNAVAILABLE
            assert seen in check.text
        right = settings(server, tmp_path, host="localhost", tls=True, ca=certificates.ca)
        sink = PostgreSqlSink("pg", right)
        async with running(sink) as queue:
            queue.put(*readings(0, 5))
            await queue.stored()
            [row] = await server.asked(
                "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
                "WHERE application_name = 'smart_meter_reader'"
            )
            assert row["ssl"]
        assert await values(server) == rows_of(readings(0, 5))
    with cluster(certificates.misnamed_server) as server:
        misnamed = settings(server, tmp_path, host="localhost", tls=True, ca=certificates.ca)
        [check] = [check async for check in examine("x", misnamed)]
        assert "set `host` to a name in it" in check.text


def test_without_the_package_a_sentence_says_what_to_install(tmp_path: Path) -> None:
    code = """
import asyncio, sys
sys.modules["asyncpg"] = None
from smart_meter_reader.exceptions import NeedsAPersonError
from smart_meter_reader.sinks.postgresql.examination import examine
from smart_meter_reader.sinks.postgresql.settings import PostgreSqlSettings
from smart_meter_reader.sinks.postgresql.sink import PostgreSqlSink

async def main():
    print([check.text async for check in examine("x", PostgreSqlSettings())][0])
    try:
        async with PostgreSqlSink("x", PostgreSqlSettings()).connected():
            pass
    except NeedsAPersonError as error:
        print(error.detail)

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first == second
    assert "install this program with its extra `postgresql`" in first


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ca": Path("/x")}, "set `tls = true`"),
        ({"client_key": Path("/x"), "tls": True}, "set `client_cert` too"),
        ({"host": "/run/postgresql", "tls": True}, "there is no TLS"),
    ],
)
def test_settings_that_do_not_go_together(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PostgreSqlSettings(**change)


def test_what_goes_openly_is_told() -> None:
    away = PostgreSqlSettings(host="db.lan", password=Secret("x"))
    assert "set `tls = true`" in away.sent_openly
    assert "password" in away.sent_openly
    assert "all readings go to db.lan unencrypted" in PostgreSqlSettings(host="db.lan").sent_openly
    unverified = PostgreSqlSettings(host="db.lan", tls=True, insecure=True)
    assert "leave `insecure` out" in unverified.sent_openly
    for kept in ({"host": "localhost"}, {"host": "/run/postgresql"}, {"host": "db.lan", "tls": True}):
        assert PostgreSqlSettings(password=Secret("x"), **kept).sent_openly == ""


# What TimescaleDB, which is in no Debian, has of that name: enough to see what it is asked.
TIMESCALE = (
    "INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion) "
    "VALUES (99999, 'timescaledb', 10, 2200, false, '2.17.2')",
    "CREATE TABLE made (hypertable_schema name, hypertable_name name, dimension name)",
    "CREATE FUNCTION create_hypertable(relation regclass, time_column_name name, "
    "if_not_exists boolean DEFAULT false) RETURNS text LANGUAGE sql SECURITY DEFINER AS "
    "$$ INSERT INTO made SELECT nspname, relname, $2 FROM pg_class JOIN pg_namespace n "
    "ON n.oid = relnamespace WHERE pg_class.oid = $1 RETURNING 'made' $$",
    "CREATE SCHEMA timescaledb_information",
    "CREATE VIEW timescaledb_information.hypertables AS SELECT * FROM made",
    "GRANT USAGE ON SCHEMA timescaledb_information TO PUBLIC",
    "GRANT SELECT ON timescaledb_information.hypertables TO PUBLIC",
)


async def test_where_timescaledb_is_the_values_are_a_hypertable(server: Cluster, tmp_path: Path) -> None:
    await server.do(*TIMESCALE)
    wanted = settings(server, tmp_path)
    checks = [check.text async for check in examine("sink pg", wanted)]
    assert checks[-1] == "TimescaleDB 2.17.2 is there: smart_meter will be a hypertable"
    for _ in range(2):
        sink = PostgreSqlSink("pg", wanted)
        async with running(sink) as queue:
            queue.put(*readings(0, 5))
    made = await server.asked("SELECT * FROM made", database=DATABASE)
    assert [tuple(row) for row in made] == [("public", "smart_meter", "time")]
    checks = [check.text async for check in examine("sink pg", wanted)]
    assert checks[-1] == "smart_meter is a hypertable of TimescaleDB 2.17.2"
    await server.do("DELETE FROM made")
    [*_, last] = [check async for check in examine("sink pg", wanted)]
    assert last.level is Level.WARNING
    assert "SELECT create_hypertable('smart_meter', 'time', migrate_data => true)" in last.text
