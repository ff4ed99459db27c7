"""The writer's database: fences, rights, what comes twice, and two writers at the same rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.fleet.envelope import LetterOrigin, headers, letters
from smart_meter_reader.sinks.spooled.destination import SlowError
from smart_meter_reader.writer import sql
from smart_meter_reader.writer.arrivals import Arrival, arrival
from smart_meter_reader.writer.database import Database, RefusedRowsError
from smart_meter_reader.writer.settings import WriterSettings
from tests.fleet.fed_edge import reading
from tests.peers.postgresql import PostgresServer

T = datetime(2026, 11, 29, 12, tzinfo=UTC)
EDGE = ("t", "s", "pi")
_numbers = count(1)


def told(number: int, *, meter: str = "heat", fence: int | None = None, edge: str = "pi") -> Arrival:
    (letter,) = letters(reading(meter, number, T + timedelta(seconds=number)), "t/s", "")
    found = headers(letter.id, edge, number, fence)
    return arrival(f"smr.v1.t.s.reading.{meter}", found, letter.body)


@pytest.fixture
async def name(postgres: PostgresServer) -> str:
    url = await postgres.create(f"writer{next(_numbers)}")
    return url.rpartition("/")[2]


@pytest.fixture
async def database(postgres: PostgresServer, name: str) -> AsyncIterator[Database]:
    found = Database(WriterSettings(database=postgres.url(name)))
    await found.open()
    await found.prepare()
    yield found
    await found.close()


async def test_a_table_of_somebody_else_s_is_not_written_to(
    database: Database, postgres: PostgresServer, name: str
) -> None:
    await postgres.asked("ALTER TABLE fleet_reading DROP COLUMN fence, DROP COLUMN outdated", database=name)
    for step in (database.check, database.prepare):
        with pytest.raises(NeedsAPersonError, match=r"lacks fence, outdated|has other tables.*outdated"):
            await step()


async def test_a_standby_is_told(postgres: PostgresServer, database: Database, name: str) -> None:
    await postgres.asked(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    other = Database(WriterSettings(database=postgres.url(name)))
    await other.open()
    try:
        await other.check()
        with pytest.raises(NeedsAPersonError, match="takes no writes: it is a standby"):
            await other.write([told(1)])
    finally:
        await other.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://u@127.0.0.1:1/d", "nothing listens on .*check `database`"),
        ("postgresql://u@127.0.0.1:99999/d", "cannot be used"),
        ("postgresql://u@127.0.0.1:1/d?sslmode=nonsense", "cannot be used"),
    ],
)
async def test_an_address_that_leads_nowhere_is_told_at_once(address: str, said: str) -> None:
    database = Database(WriterSettings(database=address))
    try:
        with pytest.raises(SinkError, match=said):
            await database.open()
    finally:
        await database.close()


async def test_the_same_twice_is_one(database: Database, postgres: PostgresServer, name: str) -> None:
    batch = [told(number) for number in range(50)]
    first, second = await database.write(batch), await database.write(batch)
    assert (first.rows, first.new) == (100, 100)
    assert (second.rows, second.new) == (100, 0)
    assert first.sequences == {EDGE: tuple(range(50))}
    assert await database.known(EDGE, [(10, 1000)]) == ([(10, 49)], [])
    assert await database.known(("t", "s", "other"), [(0, 1000)]) == ([], [])


async def test_what_a_replaced_reader_sends_is_marked(
    database: Database, postgres: PostgresServer, name: str
) -> None:
    await database.write([told(1, fence=7)])
    late = await database.write([told(2, fence=6), told(3, fence=7), told(4, fence=8), told(5, meter="m2")])
    assert late.outdated == 2  # both values of the reading that came behind a higher one
    assert (await database.write([told(6, fence=7)])).outdated == 2
    rows = await postgres.asked(
        "SELECT extract(epoch FROM time - $1)::int AS n, fence, outdated FROM fleet_reading "
        "WHERE quantity = 'power' ORDER BY time",
        T,
        database=name,
    )
    assert [tuple(row) for row in rows] == [
        (1, 7, False), (2, 6, True), (3, 7, False), (4, 8, False), (5, None, False), (6, 7, True),
    ]  # fmt: skip


async def test_a_row_that_a_trigger_refuses_is_refused_as_that_row(
    database: Database, postgres: PostgresServer, name: str
) -> None:
    raises = "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no'; END$$"
    trigger = "CREATE TRIGGER no BEFORE INSERT ON fleet_reading FOR EACH ROW EXECUTE FUNCTION no()"
    for statement in (raises, trigger):
        await postgres.asked(statement, database=name)
    with pytest.raises(RefusedRowsError, match="the database refuses it: no"):
        await database.write([told(1)])


async def test_what_is_refused_leaves_nothing_behind(
    database: Database, postgres: PostgresServer, name: str
) -> None:
    await postgres.asked("ALTER TABLE fleet_reading ADD CHECK (meter <> 'bad')", database=name)
    with pytest.raises(RefusedRowsError):
        await database.write([told(1), told(2, meter="bad")])
    for table in ("fleet_reading", "fleet_meter", "fleet_edge"):
        rows = await postgres.asked(f"TABLE {table}", database=name)
        assert not rows
    await database.refuse({EDGE: (2,)})
    assert await database.known(EDGE, [(1, 5)]) == ([], [(2, 2)])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("ALTER TABLE fleet_reading ADD COLUMN household text NOT NULL",),
            "household that is none of ours",
        ),
        (
            (
                "DROP TABLE fleet_reading",
                sql.CREATE[0] + " PARTITION BY RANGE (time)",
                "ALTER TABLE fleet_reading ADD COLUMN device text",
            ),
            "a partition is missing",
        ),
    ],
)
async def test_tables_that_take_no_row_bury_none(
    database: Database, postgres: PostgresServer, name: str, change: tuple[str, ...], said: str
) -> None:
    for statement in change:
        await postgres.asked(statement, database=name)
    with pytest.raises(NeedsAPersonError, match=said):
        await database.write([told(1)])


async def test_a_clock_that_is_ahead_makes_no_meter_fresh_for_years(
    database: Database, postgres: PostgresServer, name: str
) -> None:
    await database.write([told(10**8), told(10**8 + 1, meter="other")])
    await postgres.asked("UPDATE fleet_meter SET newest = '2199-01-01' WHERE meter = 'other'", database=name)
    await database.write([told(5), told(6, meter="other")])
    rows = await postgres.asked("SELECT max(newest) <= now() AS well FROM fleet_meter", database=name)
    assert rows[0]["well"]


async def test_what_a_stranger_publishes_is_refused_for_its_own_sake(database: Database) -> None:
    body = b'{"time":"2026-11-29T12:00:00Z","detail":%s}'
    for text in (b'"\\ud800"', b"1e400000", b"[" * 20 + b"]" * 20):
        status = arrival("smr.v1.t.s.status.heat", {}, body % text)
        try:
            await database.write([status])
        except RefusedRowsError:
            pass
    with pytest.raises(RefusedRowsError):
        await database.write([replace(told(1), origin=LetterOrigin("pi", 10**19 - 1, None))])
    with pytest.raises(RefusedRowsError):
        await database.write([replace(told(1), origin=LetterOrigin("pi", 1, 10**19 - 1))])
    with pytest.raises(RefusedRowsError):
        await database.write([replace(told(1), origin=LetterOrigin("\ud800", 1, None))])
    assert (await database.write([told(1)])).new == 2


async def test_a_transaction_that_is_broken_off_is_told_apart(
    database: Database, postgres: PostgresServer, name: str
) -> None:
    await postgres.asked(f"ALTER DATABASE {name} SET statement_timeout = '300ms'")
    slow = Database(WriterSettings(database=postgres.url(name)))
    await slow.open()
    try:
        await slow.write([told(1)])
        await postgres.asked(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END$$",
            database=name,
        )
        await postgres.asked(
            "CREATE TRIGGER slow BEFORE INSERT ON fleet_reading FOR EACH ROW EXECUTE FUNCTION slow()",
            database=name,
        )
        with pytest.raises(SlowError, match="smaller batches are tried"):
            await slow.write([told(number) for number in range(2, 100)])
        assert (await slow.write([told(2)])).new == 2
    finally:
        await slow.close()


async def test_two_writers_at_the_same_rows_end_both(database: Database) -> None:
    batches = [
        [told(number, meter=f"m{(number * step) % 7}", edge=f"e{number % 3}") for number in range(80)]
        for step in (1, 2, 3, 4, 5, 6)
    ]
    async with asyncio.TaskGroup() as group:
        for batch in batches:
            group.create_task(database.write(batch))


async def test_the_rights_that_the_page_names_are_enough(
    database: Database, postgres: PostgresServer, name: str
) -> None:
    role = f"{name}_role"
    await postgres.asked(f"CREATE ROLE {role} LOGIN", database=name)
    narrow = Database(WriterSettings(database=postgres.url(name).replace("//smr@", f"//{role}@")))
    await narrow.open()
    try:
        with pytest.raises(NeedsAPersonError, match="SELECT, INSERT and"):
            await narrow.write([told(1)])
        with pytest.raises(NeedsAPersonError, match=f"UPDATE ON fleet_edge, .*fleet_reading TO {role}"):
            await narrow.check()
        await postgres.asked(
            f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}", database=name
        )
        assert (await narrow.write([told(1)])).new == 2
        await narrow.check()
        await narrow.refuse({EDGE: (9,)})
        await narrow.counts()
        with pytest.raises(NeedsAPersonError):
            await narrow.prepare()
    finally:
        await narrow.close()


async def test_a_database_that_is_away_is_told_as_such(postgres: PostgresServer) -> None:
    with pytest.raises(NeedsAPersonError, match="has no database of that name"):
        await Database(WriterSettings(database=postgres.url("nowhere"))).open()
    away = Database(WriterSettings(database="postgresql://smr@127.0.0.1:1/x"))
    with pytest.raises(SinkError, match=r"127\.0\.0\.1:1/x"):
        await away.open()
