"""A stretch of time as people ask for it: today, this week, the year; and what it is compared with. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from smart_meter_reader.history.periods import LocalCalendar, Period
from smart_meter_reader.history.questions.bars import Bar
from smart_meter_reader.history.questions.counters import CounterHistory
from smart_meter_reader.history.questions.summed import summed_bars


class PeriodShown(StrEnum):
    """How long the stretch is; each is the one in which a given day lies."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    ALL = "all"

    @property
    def period(self) -> Period | None:
        """The period that it is; None for all."""
        return None if self is PeriodShown.ALL else Period(self)


# Into which steps a span is cut unless told.
USUAL_STEP = {
    PeriodShown.DAY: Period.HOUR,
    PeriodShown.WEEK: Period.DAY,
    PeriodShown.MONTH: Period.DAY,
    PeriodShown.YEAR: Period.MONTH,
    PeriodShown.ALL: Period.YEAR,
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whole local days from ``since`` up to ``until``, which is not included."""

    span: PeriodShown
    since: date
    until: date


@dataclass(frozen=True, slots=True)
class EarlierStretch:
    """What an earlier stretch of the same length has counted."""

    what: str
    since: date
    until: date
    to_now: bool  # only as far of it as the present one has come
    bar: Bar


def stretch(house: LocalCalendar, span: PeriodShown, day: date, first: date, last: date) -> Stretch:
    """The span in which a day lies; all: from the year of the ``first`` day with readings to the ``last``."""
    period = span.period
    if period is None:
        return Stretch(span, house.first_day(Period.YEAR, first), last + timedelta(days=1))
    since = house.first_day(period, day)
    return Stretch(span, since, house.next_day(period, since))


def comparisons(
    counters: Sequence[CounterHistory], house: LocalCalendar, shown: Stretch, now: int
) -> list[EarlierStretch]:
    """The period before and the same one a year earlier, of which something is known.

    Of a period that is not over only as much of the others is counted as has passed of it, by the clock on
    the wall. Raises ValueFormatError.
    """
    found = []
    for what, since, until in _earlier(house, shown):
        end, to_now = house.midnight(until), now < house.midnight(shown.until)
        if to_now:
            end = min(end, house.moved(now, since - shown.since))
        (bar,) = summed_bars(counters, (house.midnight(since), end))
        if bar.difference is not None:
            found.append(EarlierStretch(what, since, until, to_now, bar))
    return found


def _earlier(house: LocalCalendar, shown: Stretch) -> Iterator[tuple[str, date, date]]:
    period = shown.span.period
    if period is None:
        return
    yield f"{period} before", house.earlier_day(period, shown.since), shown.since
    if period is not Period.YEAR:
        since = house.year_before(period, shown.since)
        yield "year before", since, house.next_day(period, since)
