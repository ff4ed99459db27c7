"""What a note changes: the days whose totals are others with it. Blocking; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from smart_meter_reader.history.periods import Period
from smart_meter_reader.history.questions.bars import Bar, bars, between
from smart_meter_reader.history.questions.counters import CounterHistory
from smart_meter_reader.history.questions.record import History


@dataclass(frozen=True, slots=True)
class Change:
    """What a counter has counted in a stretch of days, before and after; None where nothing is known."""

    quantity: str
    unit: str
    day: date | None  # None: all of time
    before: Decimal | None
    after: Decimal | None


def effects(
    now: History, then: History, meter: str, quantities: Sequence[str], since: int, until: int
) -> Iterator[Change]:
    """The days around a note that change, for each of the quantities, and behind them all of time.

    Raises HistoryError, and ValueFormatError for a counter whose units have nothing in common.
    """
    for quantity in quantities:
        before, after = now.counter(meter, quantity), then.counter(meter, quantity)
        known = [*before.parts, *after.parts]
        if not known:
            continue
        unit = (before.parts or after.parts)[-1].unit
        for old, new in _days(now, before, after, unit, since, until):
            if old.difference != new.difference:
                day = now.house.day_of(old.begin)
                yield Change(quantity, unit, day, old.difference, new.difference)
        begin = min(part.first.time for part in known)
        end = max(part.last.time for part in known) + 1
        total, other = (between(each, begin, end, unit).difference for each in (before, after))
        if total != other:
            yield Change(quantity, unit, None, total, other)


def _days(
    history: History, before: CounterHistory, after: CounterHistory, unit: str, since: int, until: int
) -> Iterator[tuple[Bar, Bar]]:
    """The same days of both: as far as the readings around the note reach."""
    house = history.house
    begins = [time for counter in (before, after) for time in _around(counter, since, until)]
    first, last = house.day_of(min(begins, default=since)), house.day_of(max(begins, default=until))
    boundaries = house.boundaries(Period.DAY, first, last + timedelta(days=1))
    yield from zip(bars(before, boundaries, unit), bars(after, boundaries, unit), strict=True)


def _around(counter: CounterHistory, since: int, until: int) -> Iterator[int]:
    """The last reading before a stretch of time and the first one after it, where there are any."""
    for part in counter.parts:
        if part.first.time <= until and part.last.time >= since:
            for before, after in counter.pauses(part, since - 1, until + 1, 0):
                yield before
                yield after
