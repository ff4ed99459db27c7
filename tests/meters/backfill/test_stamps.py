"""When an entry was made: standard time, whatever the season; on the raster; never doubled by summer time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.meters.backfill.stamps import (
    clock_error,
    rising_ids,
    stamp,
    standard_offset,
    to_utc,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "hours"),
    [
        ("Europe/Amsterdam", 1),
        ("Europe/Lisbon", 0),
        ("Europe/Dublin", 0),
        ("Asia/Kolkata", 5.5),
        ("Australia/Sydney", 10),
        ("UTC", 0),
    ],
)
def test_standard_time_is_that_of_winter(zone: str, hours: float) -> None:
    assert standard_offset(ZoneInfo(zone), 2026) == timedelta(hours=hours)


def test_without_a_zone_it_is_this_computers(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Europe/Helsinki")
    time.tzset()
    try:
        assert standard_offset(None, 2026) == timedelta(hours=2)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("raw", "logger", "utc"),
    [
        # LogView shows 12:07:30 with 60 minutes of summer time as 13:07:30.
        ("2026-07-01T12:00:04", "hour", "2026-07-01T11:00:00"),
        ("2026-01-01T12:00:04", "hour", "2026-01-01T11:00:00"),
        ("2026-01-01T11:59:58", "hour", "2026-01-01T11:00:00"),
        ("2024-12-31T00:00:04", "day", "2024-12-30T23:00:00"),
        ("2026-06-30T23:59:57", "month", "2026-06-30T23:00:00"),
        # Made while the clock was moved: told as it is.
        ("2026-01-01T12:20:00", "hour", "2026-01-01T11:20:00"),
        ("2026-01-01T07:00:00", "day", "2026-01-01T06:00:00"),
    ],
)
def test_stamps_are_put_on_the_raster(raw: str, logger: str, utc: str) -> None:
    found = stamp(local(raw), logger, AMSTERDAM)
    assert found.time == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert found.raw == local(raw)


def test_a_clock_that_drifts_keeps_its_own_hour_and_one_set_to_another_zone_is_put_right() -> None:
    now = datetime(2026, 7, 1, 11, 0, 30, tzinfo=UTC)
    drifting = clock_error(local("2026-07-01T12:10:30"), now, AMSTERDAM)
    assert drifting == timedelta(minutes=10)
    told = stamp(local("2026-07-01T12:00:00"), "hour", AMSTERDAM, drifting)
    assert told.time == datetime(2026, 7, 1, 11, tzinfo=UTC)
    summer = clock_error(local("2026-07-01T13:00:32"), now, AMSTERDAM)
    told = stamp(local("2026-07-01T13:00:03"), "hour", AMSTERDAM, summer)
    assert told.time == datetime(2026, 7, 1, 11, tzinfo=UTC)


@given(st.sampled_from(["Europe/Amsterdam", "Europe/Lisbon", "Australia/Lord_Howe"]), st.integers(0, 8783))
def test_no_hour_of_a_year_is_missing_or_doubled(zone: str, hour: int) -> None:
    """Both changes of summer time included: neighbours in the logger are an hour apart."""
    raw = local("2028-01-01T00:00:03") + timedelta(hours=hour)
    first, second = (stamp(each, "hour", ZoneInfo(zone)).time for each in (raw, raw + timedelta(hours=1)))
    assert second - first == timedelta(hours=1)
    assert abs(to_utc(raw, ZoneInfo(zone)) - first) < timedelta(minutes=1)


def test_entries_of_a_clock_that_was_set_back_are_told_apart() -> None:
    times = [3, 4, 5, 4, 5, 6]
    entries = [(10 + k, datetime(2026, 1, 1, hour, tzinfo=UTC)) for k, hour in enumerate(times)]
    assert rising_ids(entries) == [10, 11, 12, 15]
