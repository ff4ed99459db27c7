"""Durations: what people write, both ways, and what they are told when it is none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.settings.durations import UnfitValueError, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1h", 3600),
        ("90 s", 90),
        ("15min", 900),
        ("1.5h", 5400),
        ("500ms", 0.5),
        ("1h 30min", 5400),
        ("1h30min", 5400),
        ("2d", 172800),
        (" 3 s ", 3),
        ("0s", 0),
        ("0.1s", 0.1),
    ],
)
def test_reads(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("1 hr", '"1h"'),
        ("5 minutse", '"5min"'),
        ("5 minutes", '"5min"'),
        ("2m", '"2min"'),
        ("1H", '"1h"'),
        ("10 sec", '"10s"'),
        ("60", '"60s", "60min" or "60h"'),
        ("1.5", '"1.5s", "1.5min" or "1.5h"'),
        ("1hour 5mins", '"1h 5min"'),
        ("5 apples", ""),
        ("soon", ""),
        ("-1h", ""),
        ("", ""),
        ("1h and more", ""),
        ("٣h", ""),
        ("1,5h", ""),
    ],
)
def test_refuses_and_suggests(text: str, near: str) -> None:
    with pytest.raises(UnfitValueError) as caught:
        parse_duration(text)
    assert caught.value.near == near
    assert "with its unit" in str(caught.value)


def test_refuses_what_nobody_means() -> None:
    with pytest.raises(UnfitValueError, match="ten years at most"):
        parse_duration("9999999999999d")


@given(st.integers(0, 10 * 365 * 86400 * 10**6))
def test_what_is_written_is_read_back(microseconds: int) -> None:
    duration = timedelta(microseconds=microseconds)
    assert parse_duration(format_duration(duration)) == duration


@given(st.text())
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        duration = parse_duration(text)
    except UnfitValueError:
        return
    assert duration >= timedelta(0)
