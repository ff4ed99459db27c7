"""Two meters of one name at one site: told; a meter that was exchanged, moved or renamed is none of that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.exceptions import NeedsAPersonError
from smart_meter_reader.fleet.envelope import headers, letters
from smart_meter_reader.writer.arrivals import Arrival, arrival
from smart_meter_reader.writer.database import Database
from smart_meter_reader.writer.devices import MIX_LASTS, Devices, device_name
from tests.fleet.fed_edge import reading
from tests.fleet.fleet import Fleet
from tests.peers.postgresql import PostgresServer
from tests.writer.test_database import database, name
from tests.writer.test_service import until_it_says

__all__ = ["database", "name"]

T = datetime(2026, 11, 29, 12, tzinfo=UTC)
A, B = "6543210 (edge-a)", "1234567 (edge-b)"


def heard(*told: str, devices: Devices | None = None) -> Devices:
    """After readings of these devices, a minute between two."""
    found = devices or Devices()
    for number, device in enumerate(told):
        found = found.heard(device, T + timedelta(minutes=number))
    return found


@pytest.mark.parametrize(
    "told",
    [
        [A, A, A],
        [A, A, B, B],  # exchanged
        [A, A, "6543210 (edge-b)", A],  # moved by a lease
        ["edge pi", "edge pi", A.replace("edge-a", "pi"), "edge pi"],  # a start, before it knows the number
        ["edge old", "edge new", "edge new"],  # a new machine, or a new name of it
        ["", A, "", A],  # a lease, and a meter without a number
        [A, B, "999 (edge-a)", "999 (edge-b)"],  # exchanged twice
    ],
)
def test_what_is_no_mix(told: list[str]) -> None:
    assert heard(*told).mixed is None


@pytest.mark.parametrize(
    "told",
    [
        [A, B, A],
        [A, A, B, A, B],
        ["edge one", "edge two", "edge one"],
        ["edge one", A, "edge one"],  # one of the two has no number
        [A, B, "999 (edge-c)", A, B, "999 (edge-c)"],
        ["1 (pi)", "2 (pi)", "1 (pi)"],  # two memory cards alike
    ],
)
def test_what_is_one(told: list[str]) -> None:
    found = heard(*told)
    assert found.mixed is not None
    assert found.is_mixed(found.mixed + timedelta(hours=1))
    assert not found.is_mixed(found.mixed + MIX_LASTS)


def test_what_comes_late_says_nothing() -> None:
    found = heard(A, B, B)
    assert found.heard(A, T) == found
    assert found.heard(A, T + timedelta(seconds=59)) == found


@given(
    st.lists(st.sampled_from([A, B, "", "edge edge-a", "edge edge-b", "edge c", "7", "8 (c)"]), max_size=40)
)
def test_it_stays_small_and_ends(told: list[str]) -> None:
    found = heard(*told)
    assert len(found.before) <= 4
    assert found.now not in found.before
    last = found.heard("7", T + timedelta(days=9))
    assert last.heard("7", T + timedelta(days=10)) == last
    assert not last.is_mixed(T + timedelta(days=10))


@pytest.mark.parametrize(
    ("serial", "edge", "leased", "device"),
    [
        ("6543210", "pi", False, "6543210 (pi)"),
        ("6543210", None, True, "6543210"),
        ("heat", "pi", False, "edge pi"),
        ("heat", "pi", True, ""),
        ("heat", None, False, ""),
        ("a b/c", "pi", False, "edge pi"),
        ("x" * 65, "p/i", False, ""),
    ],
)
def test_what_a_device_is_known_by(serial: str, edge: str | None, leased: bool, device: str) -> None:
    assert device_name(serial, "heat", edge, leased=leased) == device


def told(number: int, serial: str, edge: str, fence: int | None = None) -> Arrival:
    (letter,) = letters(reading("heat", number, T + timedelta(seconds=number)), "t/s", serial)
    return arrival("smr.v1.t.s.reading.heat", headers(letter.id, edge, number, fence), letter.body)


async def test_a_mix_is_told_and_its_rows_are_marked(
    database: Database, postgres: PostgresServer, name: str
) -> None:
    assert (await database.write([told(1, "1", "a"), told(2, "1", "a"), told(3, "2", "b")])).mixes == ()
    [mix] = (await database.write([told(4, "1", "a")])).mixes
    assert mix == (("t", "s", "heat"), "1 (a)", "2 (b)")
    [mix] = (await database.write([told(5, "2", "b"), told(6, "1", "a"), told(7, "2", "b")])).mixes
    assert {mix.one, mix.other} == {"1 (a)", "2 (b)"}
    rows = await postgres.asked(
        "SELECT device FROM fleet_reading WHERE quantity = 'power' ORDER BY time", database=name
    )
    assert [row["device"] for row in rows] == [None, None, None, "1 (a)", "2 (b)", "1 (a)", "2 (b)"]
    assert (await database.page(10))[0]["mixed"] is True or datetime.now(UTC) - MIX_LASTS > T
    assert (await database.write([told(5, "2", "b"), told(4, "1", "a")])).mixes == (), "delivered again"


async def test_a_lease_moves_a_meter_without_a_word(
    database: Database, postgres: PostgresServer, name: str
) -> None:
    for number, (serial, edge, fence) in enumerate(
        [("1", "a", 3), ("1", "b", 9), ("1", "a", 12), ("", "b", 20), ("", "a", 21), ("", "b", 22)]
    ):
        assert (await database.write([told(number, serial, edge, fence)])).mixes == ()
    rows = await postgres.asked("SELECT DISTINCT device FROM fleet_reading", database=name)
    assert [row["device"] for row in rows] == [None]


async def test_tables_of_an_older_version_get_what_is_new(
    database: Database, postgres: PostgresServer, name: str
) -> None:
    await postgres.asked("ALTER TABLE fleet_reading DROP COLUMN device", database=name)
    await postgres.asked(
        "ALTER TABLE fleet_meter DROP COLUMN device, DROP COLUMN device_since, DROP COLUMN device_before, "
        "DROP COLUMN device_mixed",
        database=name,
    )
    with pytest.raises(NeedsAPersonError, match="--prepare` adds what a newer version"):
        await database.check()
    await database.prepare()
    await database.check()
    assert (await database.write([told(1, "1", "a")])).new == 2


async def test_two_edges_with_a_meter_of_the_same_name_alarm_the_writer(fleet: Fleet) -> None:
    writer = fleet.writer("w1")
    for edge in ("e1", "e2"):
        fleet.edge(edge, meters=1, count=400, pace=0.2)
    await until_it_says(writer.place / "log", "two devices tell readings of m0 at tenant-a/site-1 by turns")
    log = writer.log()
    assert "edge e1" in log
    assert "edge e2" in log
    assert "ERROR" in log
