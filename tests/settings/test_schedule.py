"""Schedules: reading them, and the next time due, also where summer time begins and ends."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.settings.durations import UnfitValueError
from smart_meter_reader.settings.schedule import Schedule

BERLIN = ZoneInfo("Europe/Berlin")
# Half-hour offsets, a half-hour summer time, a change at midnight, none at all.
ZONES = [
    BERLIN,
    *map(ZoneInfo, ["Asia/Kolkata", "Australia/Lord_Howe", "America/Havana", "Africa/Nairobi", "UTC"]),
]

minutes = st.sets(st.integers(0, 59), min_size=1).map(lambda found: Schedule(minutes=tuple(sorted(found))))
times_of_day = st.builds(time, st.integers(0, 23), st.integers(0, 59))
times = st.sets(times_of_day, min_size=1, max_size=5).map(lambda found: Schedule(times=tuple(sorted(found))))
intervals = st.integers(1, 10**9).map(lambda number: Schedule(interval=timedelta(milliseconds=number)))
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from(ZONES)


@pytest.mark.parametrize(
    ("text", "schedule", "period"),
    [
        ("1h", Schedule(interval=timedelta(hours=1)), timedelta(hours=1)),
        ("at :59", Schedule(minutes=(59,)), timedelta(hours=1)),
        ("at :45,:00, :15,:15", Schedule(minutes=(0, 15, 45)), timedelta(minutes=30)),
        ("at :55,:05", Schedule(minutes=(5, 55)), timedelta(minutes=50)),
        ("daily 06:00", Schedule(times=(time(6),)), timedelta(days=1)),
        ("Daily 18:00, 6:00", Schedule(times=(time(6), time(18))), timedelta(hours=12)),
        ("daily 23:30,00:30", Schedule(times=(time(0, 30), time(23, 30))), timedelta(hours=23)),
    ],
)
def test_reads(text: str, schedule: Schedule, period: timedelta) -> None:
    assert Schedule.parse(text) == schedule
    assert schedule.period == period


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("at :5", '"at :05"'),
        ("at :60", ""),
        ("at :59,", '"at :59"'),
        (":59", '"at :59"'),
        ("at 06:00", '"daily 06:00"'),
        ("6:00", '"daily 06:00"'),
        ("daily 25:00", ""),
        ("daily", '"daily 06:00"'),
        ("hourly", '"1h"'),
        ("60", '"60s", "60min" or "60h"'),
        ("1 hr", '"1h"'),
        ("at noon", ""),
    ],
)
def test_refuses_and_suggests(text: str, near: str) -> None:
    with pytest.raises(UnfitValueError) as caught:
        Schedule.parse(text)
    assert caught.value.near == near
    assert "times of day" in caught.value.allowed


@pytest.mark.parametrize("text", ["0s", "9999999999d"])
def test_refuses_intervals_that_are_none(text: str) -> None:
    with pytest.raises(UnfitValueError):
        Schedule.parse(text)


def test_is_exactly_one_thing() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Schedule(interval=timedelta(hours=1), minutes=(1,))
    with pytest.raises(ValueError, match="exactly one"):
        Schedule()
    with pytest.raises(ValueError, match="longer than zero"):
        Schedule(interval=timedelta(0))
    with pytest.raises(ValueError, match="0 to 59"):
        Schedule(minutes=(60,))


def test_wants_an_aware_time() -> None:
    with pytest.raises(ValueError, match="aware"):
        Schedule.parse("1h").next_after(datetime(2026, 1, 1))  # noqa: DTZ001


def local(year: int, month: int, day: int, hour: int, minute: int, fold: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=BERLIN, fold=fold)


@pytest.mark.parametrize(
    ("text", "now", "due"),
    [
        # An ordinary day; a time that is now is not later than now.
        ("daily 06:00", local(2026, 1, 5, 5, 59), local(2026, 1, 5, 6, 0)),
        ("daily 06:00", local(2026, 1, 5, 6, 0), local(2026, 1, 6, 6, 0)),
        ("daily 06:00,18:00", local(2026, 1, 5, 6, 0), local(2026, 1, 5, 18, 0)),
        ("at :59", local(2026, 1, 5, 6, 59), local(2026, 1, 5, 7, 59)),
        ("at :00,:30", local(2026, 1, 5, 23, 31), local(2026, 1, 6, 0, 0)),
        # Summer time begins on 2026-03-29 at 02:00: 06:00 comes after 23 hours, 02:30 does not exist.
        ("daily 06:00", local(2026, 3, 28, 6, 0), local(2026, 3, 29, 6, 0)),
        ("daily 02:30", local(2026, 3, 28, 2, 30), local(2026, 3, 29, 3, 30)),
        ("daily 02:30", local(2026, 3, 29, 3, 30), local(2026, 3, 30, 2, 30)),
        ("at :59", local(2026, 3, 29, 1, 59), local(2026, 3, 29, 3, 59)),
        # It ends on 2026-10-25 at 03:00: 02:30 comes twice and counts once; :59 counts in both hours.
        ("daily 02:30", local(2026, 10, 25, 2, 0), local(2026, 10, 25, 2, 30)),
        ("daily 02:30", local(2026, 10, 25, 2, 30), local(2026, 10, 26, 2, 30)),
        ("at :59", local(2026, 10, 25, 2, 59), local(2026, 10, 25, 2, 59, fold=1)),
    ],
)
def test_next_time_due(text: str, now: datetime, due: datetime) -> None:
    found = Schedule.parse(text).next_after(now.astimezone(UTC), BERLIN)
    assert found == due.astimezone(UTC)
    assert found.tzinfo is UTC


def test_the_machines_own_zone_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    import time as clock

    monkeypatch.setenv("TZ", "Europe/Berlin")
    clock.tzset()
    try:
        for text in ("daily 06:00", "daily 02:30", "at :59"):
            for now in (local(2026, 3, 29, 1, 0), local(2026, 10, 25, 1, 0)):
                schedule = Schedule.parse(text)
                utc = now.astimezone(UTC)
                assert schedule.next_after(utc) == schedule.next_after(utc, BERLIN)
    finally:
        monkeypatch.undo()
        clock.tzset()


@given(intervals | minutes | times)
def test_what_is_written_is_read_back(schedule: Schedule) -> None:
    assert Schedule.parse(str(schedule)) == schedule


@given(st.text() | st.from_regex(r"(at|daily) [0-9:, ]*", fullmatch=True))
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    try:
        schedule = Schedule.parse(text)
    except UnfitValueError:
        return
    assert schedule.period > timedelta(0)


@given(intervals | minutes | times, moments, zones)
def test_due_comes_later_and_within_the_period(schedule: Schedule, now: datetime, zone: ZoneInfo) -> None:
    wait = schedule.next_after(now, zone) - now
    assert timedelta(0) < wait <= schedule.period + timedelta(hours=1)


@given(minutes, moments, zones)
def test_no_minute_of_the_hour_is_left_out(schedule: Schedule, now: datetime, zone: ZoneInfo) -> None:
    due = schedule.next_after(now, zone)
    assert due.astimezone(zone).minute in schedule.minutes
    between = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while between < due:
        assert between.astimezone(zone).minute not in schedule.minutes
        between += timedelta(minutes=1)


@given(times_of_day, moments, zones)
def test_a_time_of_day_is_due_once_a_day(at: time, now: datetime, zone: ZoneInfo) -> None:
    schedule = Schedule(times=(at,))
    days = []
    for _ in range(5):
        now = schedule.next_after(now, zone)
        # In the hour that does not exist the clock shows later than asked for, never another day's time.
        days.append(now.astimezone(zone).date())
    assert days == [days[0] + timedelta(days=n) for n in range(5)]
