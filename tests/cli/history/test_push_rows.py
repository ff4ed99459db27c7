"""`history push --to` as its users type it: into a database, all of it, once, and only what is not there."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.cli.history.push_rows import _Batches
from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE, EXIT_USAGE
from smart_meter_reader.sinks.postgresql.sink import PostgreSqlSink
from smart_meter_reader.sinks.spooled.destination import Destination, SlowError
from smart_meter_reader.sinks.spooled.rows import MessageRows, ValueRow
from tests.cli.history.conftest import T0, House
from tests.cli.program import run
from tests.history.homes import energy
from tests.peers.influxdb_stand_in import BUCKET, TOKEN, InfluxStandIn
from tests.sinks.postgresql.cluster import DATABASE, LOGIN, PASSWORD, cluster
from tests.sinks.postgresql.test_postgresql import settings as of_cluster
from tests.sinks.spooled.driving import running


@pytest.fixture
def influx(house: House) -> Iterator[InfluxStandIn]:
    with InfluxStandIn(3) as server:
        with (house.directory / "settings.toml").open("a") as file:
            file.write(f'\n[home.sinks.influxdb]\napi = "v3"\nurl = "{server.url}"\ndatabase = "{BUCKET}"\n')
        secrets = house.directory / ".secrets.toml"
        secrets.write_text(f'[home.sinks.influxdb]\ntoken = "{TOKEN}"\n')
        secrets.chmod(0o600)
        yield server


def pushed(house: House, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run("history", "push", *arguments, cwd=house.directory)


WHOLE = [
    ("heat", "heat_energy", "kWh", (T0 + hour * 3600) * 10**9, 1000 + hour / 4) for hour in range(14 * 24)
]


def test_all_of_it_arrives_and_again_it_is_the_same(house: House, influx: InfluxStandIn) -> None:
    for _ in range(2):
        done = pushed(house, "--to", "influxdb")
        assert (done.returncode, done.stderr) == (EXIT_OK, "")
        assert done.stdout.splitlines() == [
            "heat heat_energy: 336 values from 2025-06-01 00:00 (1000.00 kWh) to 2025-06-14 23:00 "
            "(1083.75 kWh)",
            "influxdb has all 336 values.",
        ]
        assert influx.values == WHOLE


def test_days_and_a_dry_run(house: House, influx: InfluxStandIn) -> None:
    done = pushed(house, "--to", "influxdb", "--since", "2025-06-03", "--until", "2025-06-03", "--dry-run")
    assert "24 values from 2025-06-03 00:00" in done.stdout
    assert done.stdout.splitlines()[-1] == "Nothing is sent: without --dry-run it is."
    assert not influx.requests


def test_what_the_sink_has_stored_itself_is_left_out(
    house: House, influx: InfluxStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "memory"))
    (tmp_path / "memory").mkdir()
    since = datetime.fromtimestamp(T0 + 100 * 3600 + 1, UTC)
    memory = {"version": 1, "sinks": {"influxdb": {"since": {"heat": since.isoformat()}}}}
    (tmp_path / "memory" / "home.sinks.json").write_text(json.dumps(memory))
    assert pushed(house, "--to", "influxdb").returncode == EXIT_OK
    assert influx.values == WHOLE[:101]
    assert pushed(house, "--to", "influxdb", "--until", "2025-06-30").returncode == EXIT_OK
    assert influx.values == WHOLE


def test_what_is_wrong_is_said(house: House, influx: InfluxStandIn) -> None:
    for arguments, said in (
        (("--to", "history"), "there is: influxdb"),
        (("--to", "influxdb", "--url", "http://x"), "--url is for Home Assistant"),
        (("--to", "influxdb", "--meter", "gas"), "there is no meter gas in the history; stored is: heat"),
    ):
        done = pushed(house, *arguments)
        assert done.returncode == EXIT_USAGE
        assert said in " ".join(done.stderr.split())
    influx.token = "another"
    done = pushed(house, "--to", "influxdb")
    assert done.returncode == EXIT_UNAVAILABLE
    assert "does not let us in" in done.stderr
    assert TOKEN not in done.stderr
    influx.stop()
    done = pushed(house, "--to", "influxdb")
    assert done.returncode == EXIT_UNAVAILABLE
    assert "cannot be reached" in done.stderr
    influx.start()


def test_what_is_refused_is_counted(house: House, influx: InfluxStandIn) -> None:
    influx.types["smart_meter", "value"] = int
    done = pushed(house, "--to", "influxdb")
    assert done.returncode == EXIT_UNAVAILABLE
    assert "something was refused" in done.stderr


def test_too_large_batches_are_halved(house: House, influx: InfluxStandIn) -> None:
    influx.largest = 1000
    done = pushed(house, "--to", "influxdb")
    assert done.returncode == EXIT_OK
    assert influx.values == WHOLE
    assert "influxdb takes no batch of 168 values: 84 were sent at once" in done.stderr


class _Slow(Destination):
    """Stores so many rows in time, and no more."""

    def __init__(self, fastest: int) -> None:
        self.fastest = fastest
        self.stored: list[int] = []

    async def store(self, batch: Sequence[MessageRows]) -> Mapping[int, str]:
        count = sum(map(len, batch))
        if count > self.fastest:
            raise SlowError("batch_timeout", "it does not answer within 10 s")
        self.stored.append(count)
        return {}


async def test_a_database_that_is_slow_is_sent_less_until_it_evidently_hangs() -> None:
    row = ValueRow("heat", "heat_energy", "kWh", datetime(2026, 11, 30, tzinfo=UTC), Decimal(1))
    batches, slow = _Batches(), _Slow(300)
    assert await batches.store(slow, [row] * 700) == []
    assert slow.stored == [175] * 4
    assert (batches.too_many, batches.most) == (350, 175)
    hanging = _Slow(0)
    with pytest.raises(SlowError):
        await batches.store(hanging, [row] * 700)
    assert hanging.stored == []


def test_a_server_that_takes_not_even_one_value_is_told(house: House, influx: InfluxStandIn) -> None:
    influx.largest = 20
    done = pushed(house, "--to", "influxdb")
    assert done.returncode == EXIT_UNAVAILABLE
    assert "takes no batch that is so large" in done.stderr
    assert "not even one value" in done.stderr
    assert influx.values == []


async def test_into_postgresql_beside_a_sink_at_work(house: House, tmp_path: Path) -> None:
    with cluster() as server:
        await server.set_up()
        with (house.directory / "settings.toml").open("a") as file:
            file.write(
                f'\n[home.sinks.pg]\ntype = "postgresql"\nhost = "127.0.0.1"\nport = {server.port}\n'
                f'database = "{DATABASE}"\nusername = "{LOGIN}"\npassword = "{PASSWORD}"\n'
            )
        sink = PostgreSqlSink("pg", of_cluster(server, tmp_path))
        async with running(sink) as queue:
            queue.put(energy(T0 + 365 * 86400, "2000"))  # no reading of before 2026 is believed
            await queue.stored()
            done = await asyncio.to_thread(pushed, house, "--to", "pg")
        assert done.returncode == EXIT_OK, done.stderr
        rows = await server.rows("value, time", "smart_meter ORDER BY time")
        stored = [Decimal(1000) + Decimal(hour) / 4 for hour in range(336)]
        assert [row["value"] for row in rows] == [*stored, 2000]
        assert sink.memory == {"since": {"heat": "2026-05-31T22:00:00+00:00"}}
        again = PostgreSqlSink("pg", of_cluster(server, tmp_path))
        again.recall(sink.memory, ["heat"])
        assert again.memory == sink.memory
        for damaged in ({"since": 5}, {"since": {"heat": "soon"}}, {"since": {"heat": "2025-06-13"}}):
            with pytest.raises(ValueError):
                again.recall(damaged, ["heat"])
