"""Which stretch of time a question is about, and into which pieces it is cut: as people look at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Protocol, TypedDict

from smart_meter_reader.history.periods import LocalCalendar, Period
from smart_meter_reader.history.questions.counters import QUARTER
from smart_meter_reader.history.questions.overview import USUAL_STEP, PeriodShown, stretch
from smart_meter_reader.sinks.web.questions.asked import Inquiry, QuestionError, days_reversed

MOST_BARS = 3700
"""Of all that one answer tells: ten years of days; with all that is said of each under a megabyte."""
# Seconds between readings of which hours still tell something.
_TOLD_BY_HOUR = 4 * 3600 + 900
# At most so many pieces are in a day.
PER_DAY: Mapping[Period, float] = MappingProxyType(
    {
        Period.QUARTER: 100,
        Period.HOUR: 25,
        Period.DAY: 1,
        Period.WEEK: 1 / 7,
        Period.MONTH: 1 / 28,
        Period.YEAR: 1 / 365,
    }
)


class ViewAnswer(TypedDict):
    """The view that is shown, and where it goes back and forth; a date is in the view that it opens."""

    view: str
    date: date
    previous: date | None
    next: date | None
    earlier: bool
    later: bool
    running: bool


class Extent(Protocol):
    """From when to when something is stored, and how often, in seconds."""

    @property
    def first(self) -> int:
        """The time of the oldest."""

    @property
    def last(self) -> int:
        """The time of the newest."""

    @property
    def interval(self) -> int:
        """How many seconds usually lie between two."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Whole local days from ``since`` up to ``until`` (not included), cut at ``boundaries``."""

    span: PeriodShown | None  # None: any days
    step: Period
    since: date
    until: date
    boundaries: tuple[int, ...]


def stretch_shown(asked: Inquiry, stored: Extent, most: int = MOST_BARS) -> Shown:
    """The stretch that is asked for, in steps so fine that there are at most so many. QuestionError."""
    span = asked.choice("view", PeriodShown)
    step = asked.choice("period", Period)
    since, until = asked.day("from"), asked.day("to")
    if span is not None and (since or until):
        raise QuestionError(
            "view_or_days", "view: ask for a view and its date, or for the days from and to, not for both"
        )
    if span is None and (since or until):
        since, until = since or asked.house.day_of(stored.first), until or asked.today + timedelta(days=1)
        if until <= since:
            raise days_reversed(since, until)
        step = step or _for_days((until - since).days, stored)
    else:
        span = span or PeriodShown.DAY
        day = asked.day("date") or asked.today
        first, last = map(asked.house.day_of, (stored.first, max(stored.first, stored.last - 1)))
        found = stretch(asked.house, span, day, first, last)
        since, until = found.since, found.until
        step = step or (_fine(stored) if span is PeriodShown.DAY else USUAL_STEP[span])
    step, boundaries = cut(asked.house, step, since, until, most)
    # Of a long step whole ones.
    since, until = asked.house.day_of(boundaries[0]), asked.house.day_of(boundaries[-1])
    return Shown(span, step, since, until, tuple(boundaries))


def cut(house: LocalCalendar, step: Period, since: date, until: date, most: int) -> tuple[Period, list[int]]:
    """The boundaries between two days in this step, or the next coarser one that is not too many."""
    step = _fitting(step, (until - since).days, most)
    return step, house.boundaries(step, since, until)


def view_of(asked: Inquiry, stored: Extent, seen: Shown) -> ViewAnswer | None:
    """Where a view goes back and forth; None for any days."""
    if seen.span is None:
        return None
    begin, end = seen.boundaries[0], seen.boundaries[-1]
    period = seen.span.period
    return {
        "view": seen.span,
        "date": seen.since,
        "previous": asked.house.earlier_day(period, seen.since) if period else None,
        "next": seen.until if period else None,
        "earlier": stored.first < begin,
        "later": stored.last > end,
        "running": begin <= asked.now < end,
    }


def _fine(stored: Extent) -> Period:
    """Quarters or hours as the meter is read; days where hours would be nothing but a day cut evenly."""
    if stored.interval <= QUARTER + QUARTER // 3:
        return Period.QUARTER
    return Period.HOUR if stored.interval <= _TOLD_BY_HOUR else Period.DAY


def _for_days(days: int, stored: Extent) -> Period:
    if days <= 2:
        return _fine(stored)
    if days <= 62:
        return Period.DAY
    return Period.MONTH if days <= 3 * 366 else Period.YEAR


def _fitting(step: Period, days: int, most: int) -> Period:
    steps = list(Period)
    return next(
        (each for each in steps[steps.index(step) :] if days * PER_DAY[each] + 2 <= most), Period.YEAR
    )
