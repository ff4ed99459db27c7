"""What the guard remembers of a meter: its form as JSON, its bounds, and of which meter it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from smart_meter_reader.guard.memory import Candidate, MeterMemory, decode, encode, origin_of
from smart_meter_reader.guard.rules import Total
from smart_meter_reader.guard.serials import Serials

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TOTAL = Total(Decimal("1.50"), "m³", NOON)


def test_the_file_is_for_people_too() -> None:
    memory = {
        "Wärme": MeterMemory("p1 port", {"info": "1"}, {"volume": TOTAL}, {"volume": Candidate(NOON, TOTAL)})
    }
    assert encode(memory) == (
        '{\n "version": 1,\n "meters": {\n  "Wärme": {\n   "origin": "p1 port",'
        '\n   "serials": {\n    "info": "1"\n   },'
        '\n   "totals": {\n    "volume": {\n     "value": "1.50",\n     "unit": "m³",'
        '\n     "time": "2026-01-01T12:00:00+00:00"\n    }\n   },'
        '\n   "candidates": {\n    "volume": {\n     "since": "2026-01-01T12:00:00+00:00",\n     "count": 1,'
        '\n     "value": "1.50",\n     "unit": "m³",\n     "time": "2026-01-01T12:00:00+00:00"\n    }\n   },'
        '\n   "client": {}\n  }\n }\n}\n'
    )
    assert decode(encode(memory).encode()) == memory


def test_a_meter_without_totals_is_written_for_its_client_alone() -> None:
    named, clients = MeterMemory("port", {"info": "1"}), MeterMemory("port", client={"begun": 3})
    assert list(decode(encode({"named": named, "clients": clients}).encode())) == ["clients"]


def written(**changed: str) -> bytes:
    total = {"value": "1", "unit": "m³", "time": NOON.isoformat()} | changed
    meter = {"origin": "", "serials": {}, "totals": {"volume": total}}
    return json.dumps({"version": 1, "meters": {"water": meter}}).encode()


@pytest.mark.parametrize(
    ("key", "last", "first_refused"),
    [
        ("value", "1." + 39 * "1", "1." + 40 * "1"),
        ("value", "9999999999999999", "10000000000000000"),
        ("time", "2999-12-31T00:00:00+00:00", "3000-01-01T00:00:00+00:00"),
        ("time", "1970-01-01T00:00:00+00:00", "1969-12-31T00:00:00+00:00"),
    ],
)
def test_where_the_bounds_of_a_total_lie(key: str, last: str, first_refused: str) -> None:
    assert decode(written(**{key: last}))["water"].totals
    with pytest.raises(ValueError, match="cannot be"):
        decode(written(**{key: first_refused}))


@pytest.mark.parametrize(
    ("origin", "moved", "same"),
    [
        ("p1 /dev/a", False, True),
        ("p1 /dev/b", False, False),
        ("p1 /dev/b", True, True),
        ("sml /dev/a", True, False),
    ],
)
def test_of_which_meter_it_is(origin: str, moved: bool, same: bool) -> None:
    assert origin_of("p1", "/dev/a") == "p1 /dev/a"
    assert MeterMemory(origin_of("p1", "/dev/a")).is_of(origin, moved=moved) is same


# --- serial numbers that no checksum vouches for ---


def test_another_number_counts_only_when_it_is_told_in_a_row() -> None:
    serials = Serials()
    serials.remember({"measurement": "1"})
    told = ["2", "2", "1", "2", "2", "3", "2", "2", "2"]
    believed = [serials.is_another("measurement", each, 3) for each in told]
    assert believed == [False] * 8 + [True]


def test_an_info_is_not_counted_itself() -> None:
    serials = Serials()
    assert serials.is_another("info", "1", 3), "the first one is believed at once"
    serials.known["info"] = "1"
    assert [serials.is_another("info", "2", 3) for _ in range(4)] == [False, False, False, True]
    assert serials.told_by_info == ""
