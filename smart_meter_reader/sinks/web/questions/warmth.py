"""What a heat meter tells of the water: temperatures weighted by volume, beside what the works expects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TypedDict

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.history.media import Medium
from smart_meter_reader.history.questions.bars import Bar, between
from smart_meter_reader.history.questions.counters import CounterHistory
from smart_meter_reader.history.questions.heat import WeightedTemperatures, step_factor, weighted_temperatures
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.sinks.web.questions.asked import Inquiry, Moment, QuestionError, other_unit
from smart_meter_reader.sinks.web.questions.chosen import ChosenCounter, asked_meter, counters_of, mains_of
from smart_meter_reader.sinks.web.questions.hints import HintAnswer, NightAnswer, hints, lowest_night
from smart_meter_reader.sinks.web.questions.shown import MOST_BARS, ViewAnswer, stretch_shown, view_of

_VOLUME = "volume"
_E8, _E9 = "volume_times_flow_temperature", "volume_times_return_temperature"
_MEDIA = (Medium.HEAT, Medium.COOLING)
_MONTH = 31 * 86400
# A difference of so many is right within some 2 °C: less has flowed than E8 and E9, in whole m³ × °C, tell.
_LEAST_STEPS = 30
_HUNDREDTH = Decimal("0.01")

WarmthAnswer = TypedDict(
    "WarmthAnswer",
    {
        "begin": Moment,
        "end": Moment,
        "label": str,
        "volume": Decimal | None,
        "flow": Decimal | None,
        "return": Decimal | None,
        "cooling": Decimal | None,
        "expected_return": Decimal | None,
        "energy": Decimal | None,
        "estimated": bool,
    },
)

HeatAnswer = TypedDict(
    "HeatAnswer",
    {
        "meter": str,
        "unit": str,
        "period": str,
        "from": date,
        "to": date,
        "view": ViewAnswer | None,
        # Volumes in m³, temperatures in °C, cooling in K, energies in ``unit``.
        "periods": list[WarmthAnswer],
        "total": WarmthAnswer,
        "night": NightAnswer | None,
        "hints": list[HintAnswer],
    },
)


@dataclass(frozen=True, slots=True)
class HeatCounters:
    """What a heat meter counts of its water; E8 and E9 are empty where it does not tell them."""

    volume: CounterHistory
    e8: CounterHistory
    e9: CounterHistory
    factor: Decimal

    def temperatures(self, boundaries: Sequence[int]) -> list[WeightedTemperatures]:
        """Weighted by volume; none where E8 and E9 count too coarsely for it. Raises ValueFormatError."""
        return [
            each if self._enough(each) else replace(each, flow=None, return_=None)
            for each in weighted_temperatures(self.volume, self.e8, self.e9, boundaries, self.factor)
        ]

    def _enough(self, each: WeightedTemperatures) -> bool:
        if not each.volume or each.flow is None or not self.e8.parts:
            return False
        steps = (each.flow * each.volume / self.factor).scaleb(self.e8.parts[-1].decimals)
        return steps >= _LEAST_STEPS


def heat(asked: Inquiry) -> HeatAnswer:
    """Volume, temperatures and energy in each piece of a stretch of time."""
    energy = _energy(asked)
    counters = _counters(asked.history, energy.meter)
    seen = stretch_shown(asked, energy, MOST_BARS // 5)
    whole = (seen.boundaries[0], seen.boundaries[-1])
    try:
        warm, used = counters.temperatures(seen.boundaries), energy.bars(seen.boundaries)
        (warm_whole,), (used_whole,) = counters.temperatures(whole), energy.bars(whole)
        night = lowest_night(asked, counters.volume)
        told = hints(asked, energy.meter, counters.volume, counters.temperatures)
    except ValueFormatError as error:
        raise other_unit("unit", error) from error
    labels = [asked.house.label(seen.step, each.begin) for each in warm]
    return {
        "meter": energy.meter,
        "unit": energy.unit,
        "period": seen.step,
        "from": seen.since,
        "to": seen.until,
        "view": view_of(asked, energy, seen),
        "periods": [_told(asked, *each) for each in zip(warm, used, labels, strict=True)],
        "total": _told(asked, warm_whole, used_whole, ""),
        "night": night,
        "hints": told,
    }


def expected_return(pairs: Sequence[tuple[Decimal, Decimal]], flow: Decimal | None) -> Decimal | None:
    """What the works expects to come back at this flow temperature: on the line between its pairs.

    Below the first pair and above the last it is theirs.
    """
    if not pairs or flow is None:
        return None
    for (below, one), (above, other) in pairwise(pairs):
        if below <= flow <= above:
            return (one + (other - one) * (flow - below) / (above - below)).quantize(_HUNDREDTH)
    return pairs[0][1] if flow < pairs[0][0] else pairs[-1][1]


def _energy(asked: Inquiry) -> ChosenCounter:
    """The main counter of the meter that is asked for, or of the first of heat. Raises QuestionError."""
    history = asked.history
    meters = [asked_meter(asked)] if asked.text("meter") else history.meters()
    for meter in meters:
        for main in mains_of(history.kept(meter)):
            counters = tuple(counters_of(history, meter, main.quantities))
            if main.medium in _MEDIA and counters:
                unit = asked.text("unit") or counters[0].parts[-1].unit
                return ChosenCounter(meter, main.key, main.quantities, counters, unit)
    if asked.text("meter"):
        raise QuestionError("no_heat", "meter: {meter} counts no heat", meter=meters[0])
    raise QuestionError("no_heat_stored", "nothing is stored of a meter that counts heat")


def _counters(history: History, meter: str) -> HeatCounters:
    volume, e8, e9 = (history.counter(meter, key) for key in (_VOLUME, _E8, _E9))
    factor = Decimal(1)
    if volume.parts and e8.parts:
        until = volume.parts[-1].last.time
        factor = _factor(history, meter, volume, e8, max(volume.parts[-1].first.time, until - _MONTH), until)
    return HeatCounters(volume, e8, e9, factor)


def _factor(
    history: History, meter: str, volume: CounterHistory, e8: CounterHistory, since: int, until: int
) -> Decimal:
    """In which step E8 and E9 are counted, by what the meter told of the flow temperature meanwhile."""
    cubic, warmth = between(volume, since, until, "m³").difference, between(e8, since, until).difference
    (seen,) = history.spreads(meter, "flow_temperature", (since, until))
    if not cubic or warmth is None or seen.mean is None:
        return Decimal(1)
    return step_factor(warmth / cubic, seen.mean)


def _told(asked: Inquiry, warm: WeightedTemperatures, used: Bar, label: str) -> WarmthAnswer:
    return {
        "begin": asked.house.local(warm.begin),
        "end": asked.house.local(warm.end),
        "label": label,
        "volume": warm.volume,
        "flow": warm.flow,
        "return": warm.return_,
        "cooling": warm.cooling,
        "expected_return": expected_return(asked.entered.expected_return, warm.flow),
        "energy": used.difference,
        "estimated": warm.estimated or used.estimated,
    }
