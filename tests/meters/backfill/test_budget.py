"""A day's line time is spent once, whatever the clock does around midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.meters.backfill.budget import Budget

AFTER_MIDNIGHT = datetime(2026, 10, 30, 0, 5, tzinfo=UTC)


def test_what_is_reserved_is_spent_until_it_is_given_back() -> None:
    budget = Budget().reserve(AFTER_MIDNIGHT, 50)
    assert budget.left(AFTER_MIDNIGHT, 60) == 10
    assert budget.give_back(AFTER_MIDNIGHT.date(), 20).left(AFTER_MIDNIGHT, 60) == 30
    assert budget.left(AFTER_MIDNIGHT + timedelta(days=1), 60) == 60


def test_a_clock_put_back_over_midnight_brings_no_second_budget() -> None:
    budget = Budget().reserve(AFTER_MIDNIGHT, 50)
    before_midnight = AFTER_MIDNIGHT - timedelta(minutes=10)
    assert budget.left(before_midnight, 60) == 10
    assert budget.reserve(before_midnight, 10).left(AFTER_MIDNIGHT, 60) == 0


@pytest.mark.parametrize("days", [1, 2, 700])
def test_a_clock_put_back_by_days_brings_no_second_budget_and_stops_nothing(days: int) -> None:
    now = AFTER_MIDNIGHT - timedelta(days=days)
    budget = Budget().reserve(AFTER_MIDNIGHT, 60).on(now)
    assert budget.left(now, 60) == 0
    assert budget.give_back(now.date(), 20).left(now, 60) == 20
    tomorrow = now + timedelta(days=1)
    assert budget.on(tomorrow).left(tomorrow, 60) == (0 if days == 1 else 60)
    # A computer without a battery for its clock begins in the past, and comes to the right day in minutes.
    assert budget.on(AFTER_MIDNIGHT).left(AFTER_MIDNIGHT, 60) == 0


def test_a_clock_put_forward_is_another_day() -> None:
    later = AFTER_MIDNIGHT + timedelta(days=700)
    assert Budget().reserve(AFTER_MIDNIGHT, 60).on(later).left(later, 60) == 60


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 3))
def test_a_clock_that_only_goes_on_never_waits_longer_than_a_day(days: list[int], back: int) -> None:
    """Put back once, by whatever; from the second day on every day has its budget, and no day two."""
    now = AFTER_MIDNIGHT - timedelta(days=back)
    budget, spent = Budget().reserve(AFTER_MIDNIGHT, 60).on(now), dict[date, float]()
    first = now.date()
    for step in days:
        now += timedelta(days=step)
        budget = budget.on(now)
        seconds = budget.left(now, 60)
        budget = budget.reserve(now, seconds)
        spent[now.date()] = spent.get(now.date(), 0.0) + seconds
    never = {first, AFTER_MIDNIGHT.date()}
    assert all(each == (60 if day not in never else each) and each <= 60 for day, each in spent.items())
