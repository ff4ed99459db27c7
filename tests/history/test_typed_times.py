"""Times that people type: by the clock of the house, with the hour that comes twice and the one left out."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.history.periods import LocalCalendar
from smart_meter_reader.history.typed_times import typed_time

AMSTERDAM = LocalCalendar(ZoneInfo("Europe/Amsterdam"))


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-07-01", "2026-06-30T22:00:00"),
        ("2026-07-01T14:30", "2026-07-01T12:30:00"),
        ("2026-07-01 14:30:15", "2026-07-01T12:30:15"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30:00"),
        ("2026-10-25T01:59:59", "2026-10-24T23:59:59"),
        ("2026-10-25T03:00", "2026-10-25T02:00:00"),
        ("2026-07-01T14:30Z", "2026-07-01T14:30:00"),
    ],
)
def test_a_time_of_the_house(text: str, utc: str) -> None:
    assert datetime.fromtimestamp(typed_time(text, AMSTERDAM), UTC).replace(tzinfo=None) == (
        datetime.fromisoformat(utc)
    )


@pytest.mark.parametrize("day", ["2026-10-25", "20261025"])
def test_a_day_alone_ends_before_the_next_begins(day: str) -> None:
    assert typed_time(day, AMSTERDAM, end=True) - typed_time(day, AMSTERDAM) == 25 * 3600 - 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "2026-10-25T02:30",
            r"comes twice in Europe/Amsterdam: write 2026-10-25T02:30\+02:00 for the first, or "
            r"2026-10-25T02:30\+01:00 for the second",
        ),
        ("2026-03-29T02:30", "does not exist in Europe/Amsterdam: the clocks went forward over it"),
        ("25.10.2026", "is no time: write it as 2026-10-25"),
        ("2026-02-30", "is no time"),
        ("2026-W43", "2026-W43 is no time: write it as 2026-10-25"),
        ("2026-W43-7", "is no time"),
        ("0001-01-01", "no meter was read in 1"),
        ("0001-01-01T00:00", "no meter was read in 1"),
        ("1969-12-31T23:59Z", "no meter was read in 1969"),
        ("9999-12-31", "no meter was read in 9999"),
        ("9999-12-31T23:59-12:00", "no meter was read in 9999"),
        ("", "is no time"),
    ],
)
def test_what_is_no_time_or_two(text: str, told: str) -> None:
    with pytest.raises(ValueFormatError, match=told):
        typed_time(text, AMSTERDAM)
