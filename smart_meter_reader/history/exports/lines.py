"""What an export tells, line by line: what a counter counted from here to there."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from smart_meter_reader.history.periods import LocalCalendar, Period
from smart_meter_reader.history.questions.bars import Bar, bars
from smart_meter_reader.history.questions.counters import CounterHistory
from smart_meter_reader.history.questions.parts import Part, turned
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.rows import RowOrigin

# Hours and quarters are asked for so many days at a time.
_DAYS_AT_ONCE = 28
_SHORT = frozenset({Period.QUARTER, Period.HOUR})


@dataclass(frozen=True, slots=True)
class Selection:
    """What is exported: "" and None mean all. Days are the house's; ``until`` is not included.

    ``step`` None: not periods, but the readings that are stored.
    """

    step: Period | None = Period.DAY
    meters: tuple[str, ...] = ()
    quantities: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class ExportLine:
    """What a counter counted between two instants, seconds since 1970 UTC.

    ``difference`` None: nothing is known of that time. Of the first reading of a device both instants are
    the same: nothing is known of the time before.
    """

    begin: int
    end: int
    meter: str
    quantity: str
    counter_begin: Decimal | None
    counter_end: Decimal | None
    difference: Decimal | None
    unit: str
    estimated: bool
    origin: RowOrigin | None


def counters(history: History) -> list[tuple[str, str]]:
    """The meters and quantities that can be exported. Raises HistoryError."""
    return [
        (meter, kept.quantity)
        for meter in history.meters()
        for kept in history.kept(meter)
        if kept.kind == "counter"
    ]


def lines(history: History, selection: Selection) -> Generator[ExportLine, None, None]:
    """Counter by counter, each in the order of time, as it all was when the first was asked for.

    Whoever does not take all closes the iterator. Raises HistoryError.
    """
    house = history.house
    with history.snapshot():
        yield from _lines(history, house, selection)


def _lines(history: History, house: LocalCalendar, selection: Selection) -> Iterator[ExportLine]:
    for meter, quantity in counters(history):
        if selection.meters and meter not in selection.meters:
            continue
        if selection.quantities and quantity not in selection.quantities:
            continue
        counter = history.counter(meter, quantity)
        if not counter.parts:
            continue
        if selection.step is None:
            yield from _readings(house, counter, meter, quantity, selection)
        else:
            for boundaries in _pieces(house, counter, selection.step, selection):
                yield from (_line(meter, quantity, bar) for bar in bars(counter, boundaries))


def _line(meter: str, quantity: str, bar: Bar) -> ExportLine:
    return ExportLine(
        bar.begin,
        bar.end,
        meter,
        quantity,
        bar.counter_begin,
        bar.counter_end,
        bar.difference,
        bar.unit,
        bar.estimated,
        bar.origin,
    )


def _pieces(
    house: LocalCalendar, counter: CounterHistory, step: Period, selection: Selection
) -> Iterator[Sequence[int]]:
    """The boundaries of the periods from the first reading to the last, in pieces that join."""
    first, last = counter.parts[0].first.time, max(part.last.time for part in counter.parts)
    since = max(selection.since or date.min, house.day_of(first))
    # At the end of a period is not yet in the next one.
    until = min(selection.until or date.max, house.day_of(max(first, last - 1)) + timedelta(days=1))
    if step not in _SHORT:
        yield house.boundaries(step, since, until)
        return
    while since < until:
        piece_until = min(since + timedelta(days=_DAYS_AT_ONCE), until)
        found = house.boundaries(step, since, piece_until)
        # Of the first day and of the last one, what was not read is no line.
        inside = [each for each in pairwise(found) if each[1] > first and each[0] < last]
        if inside:
            yield [inside[0][0], *(end for _, end in inside)]
        since = piece_until


def _readings(
    house: LocalCalendar, counter: CounterHistory, meter: str, quantity: str, selection: Selection
) -> Iterator[ExportLine]:
    since = house.midnight(selection.since) if selection.since else -(2**62)
    until = house.midnight(selection.until) - 1 if selection.until else 2**62
    for part in counter.parts:
        before: tuple[int, Decimal, Decimal] | None = None
        for time, value, origin in counter.samples(part, since, until):
            # The differences go on where the digits have rolled over; the counter shows what the meter did.
            sum_, shown = _decimal(part, value), _decimal(part, value - turned(part.turns, time))
            begin, sum_before, shown_before = before or (time, sum_, shown)
            yield ExportLine(
                begin,
                time,
                meter,
                quantity,
                shown_before,
                shown,
                sum_ - sum_before,
                part.unit,
                False,
                RowOrigin(origin),
            )
            before = time, sum_, shown


def _decimal(part: Part, value: int) -> Decimal:
    return Decimal(value).scaleb(-part.decimals)
