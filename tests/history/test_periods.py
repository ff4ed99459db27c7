"""Days, months and years of real zones: days of 23, 24 and 25 hours, half-hour zones, any first day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.history.periods import LocalCalendar, Period

AMSTERDAM = LocalCalendar(ZoneInfo("Europe/Amsterdam"))
ZONES = (
    "Europe/Amsterdam",
    "Europe/Copenhagen",
    "Europe/Lisbon",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "UTC",
)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Amsterdam", date(2026, 3, 29), 23),
        ("Europe/Amsterdam", date(2026, 10, 25), 25),
        ("Europe/Amsterdam", date(2026, 10, 26), 24),
        ("Europe/Copenhagen", date(2026, 3, 29), 23),
        ("Europe/Copenhagen", date(2026, 10, 25), 25),
        ("Europe/Lisbon", date(2026, 3, 29), 23),
        ("Europe/Lisbon", date(2026, 10, 25), 25),
        ("Asia/Kolkata", date(2026, 10, 25), 24),
        ("Australia/Adelaide", date(2026, 10, 4), 23),
        ("Australia/Adelaide", date(2026, 4, 5), 25),
    ],
)
def test_a_day_has_the_hours_that_it_has(zone: str, day: date, hours: int) -> None:
    house = LocalCalendar(ZoneInfo(zone))
    following = date.fromordinal(day.toordinal() + 1)
    assert len(house.boundaries(Period.HOUR, day, following)) == hours + 1
    assert len(house.boundaries(Period.QUARTER, day, following)) == 4 * hours + 1
    assert house.boundaries(Period.DAY, day, following) == [house.midnight(day), house.midnight(following)]


def test_the_repeated_hour_carries_its_zone_name() -> None:
    begins = AMSTERDAM.boundaries(Period.HOUR, date(2026, 10, 25), date(2026, 10, 26))
    labels = [AMSTERDAM.label(Period.HOUR, begin) for begin in begins[:-1]]
    assert labels[:5] == ["00:00", "01:00", "02:00 CEST", "02:00 CET", "03:00"]
    assert len(set(labels)) == 25
    spring = AMSTERDAM.boundaries(Period.HOUR, date(2026, 3, 29), date(2026, 3, 30))
    assert [AMSTERDAM.label(Period.HOUR, begin) for begin in spring[:4]] == [
        "00:00",
        "01:00",
        "03:00",
        "04:00",
    ]


def test_half_hour_of_lord_howe_is_an_hour_of_its_own() -> None:
    house = LocalCalendar(ZoneInfo("Australia/Lord_Howe"))
    begins = house.boundaries(Period.HOUR, date(2026, 4, 5), date(2026, 4, 6))
    assert begins[-1] - begins[0] == 24.5 * 3600
    assert begins[-1] - begins[-2] == 1800


def test_years_begin_where_the_house_says() -> None:
    heating = LocalCalendar(ZoneInfo("Europe/Copenhagen"), (6, 1))
    begins = heating.boundaries(Period.YEAR, date(2026, 5, 31), date(2026, 6, 2))
    assert [heating.day_of(begin) for begin in begins] == [
        date(2025, 6, 1),
        date(2026, 6, 1),
        date(2027, 6, 1),
    ]
    assert [heating.label(Period.YEAR, begin) for begin in begins] == ["2025/26", "2026/27", "2027/28"]
    leap = LocalCalendar(ZoneInfo("Europe/Copenhagen"), (2, 29))
    days = [leap.day_of(each) for each in leap.boundaries(Period.YEAR, date(2024, 3, 1), date(2028, 2, 29))]
    assert days == [
        date(2024, 2, 29),
        date(2025, 2, 28),
        date(2026, 2, 28),
        date(2027, 2, 28),
        date(2028, 2, 29),
    ]


def test_the_labels_are_those_of_iso_8601() -> None:
    def label(step: Period, day: date) -> str:
        return AMSTERDAM.label(step, AMSTERDAM.midnight(day))

    assert label(Period.DAY, date(2024, 2, 29)) == "2024-02-29"
    assert label(Period.WEEK, date(2026, 12, 28)) == "2026-W53"
    assert label(Period.MONTH, date(2026, 2, 1)) == "2026-02"
    assert label(Period.YEAR, date(2026, 1, 1)) == "2026"


@given(
    zone=st.sampled_from(ZONES),
    step=st.sampled_from(list(Period)),
    since=st.dates(date(1990, 1, 1), date(2030, 1, 1)),
    days=st.integers(1, 40),
    begins=st.sampled_from([(1, 1), (6, 1), (7, 1), (2, 29), (12, 31)]),
)
def test_periods_cover_every_instant_once(
    zone: str, step: Period, since: date, days: int, begins: tuple[int, int]
) -> None:
    house = LocalCalendar(ZoneInfo(zone), begins)
    until = date.fromordinal(since.toordinal() + days)
    found = house.boundaries(step, since, until)
    assert all(before < after for before, after in pairwise(found))
    assert found[0] <= house.midnight(since) < house.midnight(until) <= found[-1]
    if step not in (Period.QUARTER, Period.HOUR):
        for before, after in pairwise(found):
            day = house.day_of(before)
            assert house.midnight(day) == before
            assert house.first_day(step, day) == day
            assert house.next_day(step, day) == house.day_of(after)
            assert house.earlier_day(step, house.day_of(after)) == day


def test_nothing_between_a_day_and_itself() -> None:
    assert AMSTERDAM.boundaries(Period.DAY, date(2026, 1, 1), date(2026, 1, 1)) == []
    assert AMSTERDAM.day_of(int(datetime(2026, 1, 1, 22, 59, tzinfo=UTC).timestamp())) == date(2026, 1, 1)
