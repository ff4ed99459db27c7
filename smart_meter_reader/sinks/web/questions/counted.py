"""What was counted, bar by bar, and beside the period before and the one a year before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TypedDict

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.history.periods import LocalCalendar, Period
from smart_meter_reader.history.questions.bars import Bar, total
from smart_meter_reader.history.questions.overview import PeriodShown
from smart_meter_reader.sinks.web.questions.asked import Inquiry, Moment, other_unit
from smart_meter_reader.sinks.web.questions.chosen import ChosenCounter, chosen, counters_of, name_of
from smart_meter_reader.sinks.web.questions.shown import (
    MOST_BARS,
    Shown,
    ViewAnswer,
    cut,
    stretch_shown,
    view_of,
)


class BarAnswer(TypedDict):
    """What was counted from begin to end; null: nothing is known of it. The counters are the display's."""

    begin: Moment
    end: Moment
    label: str
    difference: Decimal | None
    counter_begin: Decimal | None
    counter_end: Decimal | None
    estimated: bool
    unread: list[tuple[Moment, Moment]]
    origin: str | None
    complete: bool


class TariffAnswer(TypedDict):
    """What one register of a tariff has counted of each bar."""

    quantity: str
    name: str
    differences: list[Decimal | None]
    total: Decimal | None


BarsAnswer = TypedDict(
    "BarsAnswer",
    {
        "meter": str,
        "quantity": str,
        "name": str,
        "unit": str,
        "period": str,
        "from": date,
        "to": date,
        "view": ViewAnswer | None,
        "bars": list[BarAnswer],
        "total": Decimal | None,
        "mean": Decimal | None,
        "highest": BarAnswer | None,
        "tariffs": list[TariffAnswer],
        # Of a period that another one is compared with while that runs: as far as that has come.
        "total_to_now": Decimal | None,
    },
)


class CompareAnswer(TypedDict):
    """A period, the one before it, and the same one a year before; null where nothing is known of one.

    Of a period that is running ``to_now`` says how far it has come, and ``total_to_now`` of the others what
    had been counted at the same point.
    """

    this: BarsAnswer
    before: BarsAnswer | None
    year_before: BarsAnswer | None
    to_now: Moment | None


def bars(asked: Inquiry) -> BarsAnswer:
    """What a counter has counted in each piece of a stretch of time."""
    counter = chosen(asked)
    return _answer(
        asked, counter, stretch_shown(asked, counter, MOST_BARS // (3 if asked.flag("tariffs") else 1))
    )


def compare(asked: Inquiry) -> CompareAnswer:
    """The same of a view, beside the period before and the same period a year before."""
    counter = chosen(asked)
    most = MOST_BARS // (9 if asked.flag("tariffs") else 3)
    seen = stretch_shown(asked, counter, most)
    this = _answer(asked, counter, seen)
    begin, end = seen.boundaries[0], seen.boundaries[-1]
    # What was used since the last reading is known of neither.
    reached = min(asked.now, counter.last)
    to_now = reached if begin <= asked.now < end and begin < reached else None
    before, year_before = None, None
    if seen.span is not PeriodShown.ALL:
        before = _earlier(asked, counter, seen, *_before(asked, seen), to_now, most)
        year_before = _earlier(asked, counter, seen, *_year_before(asked, seen), to_now, most)
    return {
        "this": this,
        "before": before,
        "year_before": year_before,
        "to_now": None if to_now is None else asked.house.local(to_now),
    }


def _before(asked: Inquiry, seen: Shown) -> tuple[date, date]:
    if seen.span is None:
        return seen.since - (seen.until - seen.since), seen.since
    return asked.house.earlier_day(Period(seen.span), seen.since), seen.since


def _year_before(asked: Inquiry, seen: Shown) -> tuple[date, date]:
    house = asked.house
    if seen.span is None:
        since, until = (house.year_before(Period.DAY, day) for day in (seen.since, seen.until))
        # Before 29 February all of the 28th belongs to it.
        last = house.year_before(Period.DAY, seen.until - timedelta(days=1))
        return since, max(until, last + timedelta(days=1))
    since = house.year_before(Period(seen.span), seen.since)
    return since, house.next_day(Period(seen.span), since)


def _earlier(
    asked: Inquiry,
    counter: ChosenCounter,
    seen: Shown,
    since: date,
    until: date,
    to_now: int | None,
    most: int,
) -> BarsAnswer | None:
    house = asked.house
    if house.midnight(until) <= counter.first:
        return None
    step, boundaries = cut(house, seen.step, since, until, most)
    answer = _answer(asked, counter, Shown(seen.span, step, since, until, tuple(boundaries)))
    if answer["total"] is None:
        return None
    if to_now is not None:
        end = min(house.moved(to_now, since - seen.since), house.midnight(until))
        if end > boundaries[0]:
            answer["total_to_now"] = _bars(counter, (boundaries[0], end))[0].difference
    return answer


def _answer(asked: Inquiry, counter: ChosenCounter, seen: Shown) -> BarsAnswer:
    made = _bars(counter, seen.boundaries)
    told = told_bars(asked.house, seen.step, made)
    sure = [index for index, bar in enumerate(made) if bar.complete and not bar.estimated]
    highest = max(sure, key=lambda index: made[index].difference or Decimal(0), default=None)
    return {
        "meter": counter.meter,
        "quantity": counter.quantity,
        "name": counter.name,
        "unit": counter.unit,
        "period": seen.step,
        "from": seen.since,
        "to": seen.until,
        "view": view_of(asked, counter, seen),
        "bars": told,
        "total": total(made),
        "mean": _mean(made),
        "highest": None if highest is None else told[highest],
        "tariffs": _tariffs(asked, counter, seen) if asked.flag("tariffs") else [],
        "total_to_now": None,
    }


def _bars(counter: ChosenCounter, boundaries: Sequence[int]) -> list[Bar]:
    try:
        return counter.bars(boundaries)
    except ValueFormatError as error:
        raise other_unit("unit", error) from error


def told_bars(house: LocalCalendar, step: Period, made: Sequence[Bar]) -> list[BarAnswer]:
    """Bars that join, in the house's time."""
    if not made:
        return []
    local = house.local
    begin = local(made[0].begin)
    told: list[BarAnswer] = []
    for bar in made:
        end = local(bar.end)
        told.append(
            {
                "begin": begin,
                "end": end,
                "label": house.label(step, bar.begin),
                "difference": bar.difference,
                "counter_begin": bar.counter_begin,
                "counter_end": bar.counter_end,
                "estimated": bar.estimated,
                "unread": [(local(since), local(until)) for since, until in bar.unread],
                "origin": None if bar.origin is None else bar.origin.word,
                "complete": bar.complete,
            }
        )
        begin = end
    return told


def _mean(made: Sequence[Bar]) -> Decimal | None:
    """Of the bars that are known from beginning to end, with as many decimals as the meter has."""
    known = [bar.difference for bar in made if bar.complete and bar.difference is not None]
    if not known:
        return None
    exponent = known[0].as_tuple().exponent
    decimals = max(0, -exponent) if isinstance(exponent, int) else 0
    return (sum(known, Decimal(0)) / len(known)).quantize(Decimal(1).scaleb(-decimals))


def _tariffs(asked: Inquiry, counter: ChosenCounter, seen: Shown) -> list[TariffAnswer]:
    """The registers of the tariffs of a quantity, where the meter has any."""
    kept = [each.quantity for each in asked.history.kept(counter.meter) if each.kind == "counter"]
    found: list[TariffAnswer] = []
    for quantity in sorted(name for name in kept if name.startswith(f"{counter.quantity}_tariff_")):
        registers = tuple(counters_of(asked.history, counter.meter, [quantity]))
        if not registers:
            continue
        made = _bars(
            ChosenCounter(counter.meter, quantity, (quantity,), registers, counter.unit), seen.boundaries
        )
        found.append(
            {
                "quantity": quantity,
                "name": name_of(quantity),
                "differences": [bar.difference for bar in made],
                "total": total(made),
            }
        )
    return found
