"""Lists of different rhythms, and when they were measured: pure, with the time as an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from smart_meter_reader.codecs.dlms.date_time import MeterTime, encode_date_time, parse_date_time
from smart_meter_reader.meters.dlms.lists import KEPT_FOR, KeptLists
from smart_meter_reader.meters.dlms.moments import measured_at
from smart_meter_reader.quantities.measurement import Measurement

NOW = datetime(2026, 1, 15, 11, 0, 3, tzinfo=UTC)


def local(*numbers: int) -> datetime:
    """A moment without a zone, as most meters tell it."""
    return datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001


def measured(value: int) -> Measurement:
    return {"value": Decimal(value), "unit": "W"}


def test_a_list_keeps_the_values_of_the_others_with_their_time() -> None:
    lists = KeptLists()
    lists.merge({"energy": measured(1), "power": measured(2)}, NOW, NOW - timedelta(seconds=3))
    later = NOW + timedelta(minutes=59)
    merged, too_old = lists.merge({"power": measured(3)}, later, later)
    assert merged["power"] == measured(3)
    assert merged["energy"] == {**measured(1), "measured_at": NOW - timedelta(seconds=3)}
    assert too_old == ()


def test_what_has_not_come_for_long_is_left_out_once() -> None:
    lists = KeptLists()
    lists.merge({"energy": measured(1)}, NOW, NOW)
    later = NOW + KEPT_FOR + timedelta(seconds=1)
    assert lists.merge({"power": measured(3)}, later, later) == ({"power": measured(3)}, ("energy",))
    assert lists.merge({"power": measured(3)}, later, later) == ({"power": measured(3)}, ())


def test_what_is_kept_is_bounded() -> None:
    lists = KeptLists()
    merged: dict[str, Measurement] = {}
    for number in range(2000):
        merged, _ = lists.merge({f"k{number}": measured(1)}, NOW, NOW)
    assert len(merged) <= 401


@pytest.mark.parametrize(
    ("told", "zone", "moment"),
    [
        (local(2026, 1, 15, 12, 0), None, datetime(2026, 1, 15, 11, 0, tzinfo=UTC)),  # winter
        (local(2026, 1, 15, 13, 0), None, datetime(2026, 1, 15, 11, 0, tzinfo=UTC)),  # summer
        (local(2026, 1, 15, 12, 0), 1, datetime(2026, 1, 15, 11, 0, tzinfo=UTC)),
        (local(2026, 1, 15, 12, 0), 0, datetime(2026, 1, 15, 11, 0, tzinfo=UTC)),  # Aidon: no deviation
        (local(2026, 1, 15, 11, 0), None, datetime(2026, 1, 15, 11, 0, tzinfo=UTC)),
        (local(2000, 1, 1, 22, 33), None, None),  # never set
        (local(2026, 1, 15, 12, 30), None, None),  # half an hour off tells nothing
    ],
)
def test_when_a_list_was_measured(told: datetime, zone: int | None, moment: datetime | None) -> None:
    told = told if zone is None else told.replace(tzinfo=timezone(timedelta(hours=zone)))
    assert measured_at(MeterTime(told, True), NOW) == moment
    assert measured_at(MeterTime(told, False), NOW) is None
    assert measured_at(None, NOW) is None


@pytest.mark.parametrize(
    "octets",
    [
        "ffff0101ff000000ff800000",
        "07e60d01ff000000ff800000",
        "07e6011fff180000ff800000",
        "07e60101ffff0000ff800000",
        "07e60101",
        "",
    ],
)
def test_what_is_no_moment(octets: str) -> None:
    assert parse_date_time(bytes.fromhex(octets)) is None


def test_moments_both_ways() -> None:
    for moment in (local(2026, 5, 4, 19, 19, 30), datetime(2026, 5, 4, 19, 19, 30, tzinfo=UTC)):
        assert parse_date_time(encode_date_time(moment)) == MeterTime(moment, True)
    summer = timezone(timedelta(hours=2))
    assert parse_date_time(bytes.fromhex("07e7071801130000ffff8880")) == MeterTime(
        datetime(2023, 7, 24, 19, 0, tzinfo=summer), True
    )
    assert parse_date_time(bytes.fromhex("07d001010616210000800001")) == MeterTime(
        local(2000, 1, 1, 22, 33), False
    )
