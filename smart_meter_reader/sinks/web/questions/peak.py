"""The highest quarters of an hour by month, as capacity tariffs bill them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TypedDict

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.history.media import Medium
from smart_meter_reader.history.periods import Period
from smart_meter_reader.history.questions.counters import CounterHistory
from smart_meter_reader.history.questions.peaks import LEAST_BILLED, Peak, billed_mean, highest
from smart_meter_reader.sinks.web.questions.asked import Inquiry, Moment, no_electricity, other_unit
from smart_meter_reader.sinks.web.questions.chosen import asked_meter, counters_of, mains_of

_MONTHS = 12
_WATT = Decimal("0.001")


class PeakAnswer(TypedDict):
    """A month's highest quarter of an hour: when, its mean power in kW, and of how many that were measured.

    null: none was measured, since the meter was read less often, or not at all.
    """

    begin: Moment
    end: Moment
    label: str
    peak: Moment | None
    power: Decimal | None
    quarters: int
    running: bool


class PeaksAnswer(TypedDict):
    """Twelve months, the last one the month asked for; billed: their mean, none as less than ``least``."""

    meter: str
    unit: str
    months: list[PeakAnswer]
    billed: Decimal | None
    least: Decimal


def peaks(asked: Inquiry) -> PeaksAnswer:
    """The peaks of electricity from the grid."""
    meter = asked_meter(asked)
    main = next(
        (main for main in mains_of(asked.history.kept(meter)) if main.medium is Medium.ELECTRICITY), None
    )
    if main is None:
        raise no_electricity("meter", meter)
    counters = counters_of(asked.history, meter, main.quantities)
    month = asked.house.first_day(Period.MONTH, asked.day("date") or asked.today)
    firsts = [month]
    for _ in range(_MONTHS - 1):
        firsts.append(asked.house.earlier_day(Period.MONTH, firsts[-1]))
    try:
        found = [_of_month(asked, counters, first) for first in reversed(firsts)]
    except ValueFormatError as error:
        raise other_unit("meter", error) from error
    return {
        "meter": meter,
        "unit": "kW",
        "months": [told for told, _ in found],
        "billed": _rounded(billed_mean([peak for _, peak in found])),
        "least": LEAST_BILLED,
    }


def _of_month(
    asked: Inquiry, counters: Sequence[CounterHistory], first: date
) -> tuple[PeakAnswer, Peak | None]:
    house = asked.house
    boundaries = house.boundaries(Period.QUARTER, first, house.next_day(Period.MONTH, first))
    peak = highest(counters, boundaries)
    told: PeakAnswer = {
        "begin": house.local(boundaries[0]),
        "end": house.local(boundaries[-1]),
        "label": house.label(Period.MONTH, boundaries[0]),
        "peak": None if peak is None else house.local(peak.begin),
        "power": None if peak is None else peak.power,
        "quarters": 0 if peak is None else peak.quarters,
        "running": boundaries[0] <= asked.now < boundaries[-1],
    }
    return told, peak


def _rounded(mean: Decimal | None) -> Decimal | None:
    return None if mean is None else mean.quantize(_WATT)
