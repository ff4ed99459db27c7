"""Dates and times of day as a MULTICAL 66-CDE writes them: six digits behind a zero (5511-634, 4)."""

from __future__ import annotations

from datetime import date, time

import pytest

from smart_meter_reader.codecs.iec62056_21.log.lines import parse_clock, parse_date
from smart_meter_reader.exceptions import FrameError


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("0171028", date(2017, 10, 28)),
        ("0000101", date(2000, 1, 1)),
        ("0891231", date(2089, 12, 31)),
        ("0900101", date(1990, 1, 1)),
        ("0991231", date(1999, 12, 31)),
    ],
)
def test_a_year_from_90_on_is_of_the_last_century(text: str, day: date) -> None:
    assert parse_date(text) == day


@pytest.mark.parametrize("text", ["1000101", "1171028", "0170229", "0171301", "0170001", "0170100"])
def test_what_is_no_date_is_told_as_it_stood(text: str) -> None:
    with pytest.raises(FrameError, match=text) as error:
        parse_date(text)
    assert (error.value.reason, error.value.frame) == ("date", text.encode())


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("0000000", time(0)),
        ("0012345", time(1, 23, 45)),
        ("0120010", time(12, 0, 10)),
        ("0235959", time(23, 59, 59)),
    ],
)
def test_a_time_of_day(text: str, clock: time) -> None:
    assert parse_clock(text) == clock


@pytest.mark.parametrize("text", ["0240000", "0126000", "0120060", "1000000"])
def test_what_is_no_time_of_day_is_told_as_it_stood(text: str) -> None:
    with pytest.raises(FrameError, match=text) as error:
        parse_clock(text)
    assert (error.value.reason, error.value.frame) == ("clock", text.encode())
