"""How low and how high a gauge was: power, temperatures and flow, piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypedDict

from smart_meter_reader.history.periods import Period
from smart_meter_reader.history.questions.record import Spread
from smart_meter_reader.sinks.web.questions.asked import Inquiry, Moment, QuestionError
from smart_meter_reader.sinks.web.questions.chosen import asked_meter, name_of
from smart_meter_reader.sinks.web.questions.shown import MOST_BARS, ViewAnswer, stretch_shown, view_of

# What people look at first.
_USUAL = ("power", "active_power_import", "active_power_net", "volume_flow", "flow_temperature")


class SpreadAnswer(TypedDict):
    """Lowest, highest and mean of a gauge from begin to end; null: it was not read. n: how often it was."""

    begin: Moment
    end: Moment
    label: str
    n: int
    low: Decimal | None
    high: Decimal | None
    mean: Decimal | None


SpreadsAnswer = TypedDict(
    "SpreadsAnswer",
    {
        "meter": str,
        "quantity": str,
        "name": str,
        "unit": str,
        "period": str,
        "from": date,
        "to": date,
        "view": ViewAnswer | None,
        "spreads": list[SpreadAnswer],
    },
)


@dataclass(frozen=True, slots=True)
class _Hours:
    first: int
    last: int
    interval: int = 3600


def spreads(asked: Inquiry) -> SpreadsAnswer:
    """A gauge in each piece of a stretch of time; the shortest piece is an hour."""
    meter, quantity = _gauge(asked)
    stored = _Hours(*(asked.history.gauge_extent(meter, quantity) or (asked.now, asked.now)))
    if asked.choice("period", Period) is Period.QUARTER:
        raise QuestionError(
            "gauge_by_hours", "period: found 'quarter'; of a gauge an hour is the shortest that is kept"
        )
    seen = stretch_shown(asked, stored, MOST_BARS)
    made = asked.history.spreads(meter, quantity, seen.boundaries)
    return {
        "meter": meter,
        "quantity": quantity,
        "name": name_of(quantity),
        "unit": made[0].unit,
        "period": seen.step,
        "from": seen.since,
        "to": seen.until,
        "view": view_of(asked, stored, seen),
        "spreads": [_told(asked, seen.step, each) for each in made],
    }


def _gauge(asked: Inquiry) -> tuple[str, str]:
    """The meter and the quantity that are asked for. Raises QuestionError and NoHistoryError."""
    meter = asked_meter(asked)
    kept = [each.quantity for each in asked.history.kept(meter) if each.kind == "gauge"]
    wanted = asked.text("quantity")
    if not kept:
        raise QuestionError("no_gauge", "of the meter {meter} no gauge is stored, such as power", meter=meter)
    if wanted and wanted not in kept:
        raise QuestionError(
            "no_such_gauge",
            "quantity: of {wanted!r} of the meter {meter} no gauge is stored; stored is: {there}",
            wanted=wanted,
            meter=meter,
            there=", ".join(kept),
        )
    return meter, wanted or next((each for each in _USUAL if each in kept), kept[0])


def _told(asked: Inquiry, step: Period, each: Spread) -> SpreadAnswer:
    return {
        "begin": asked.house.local(each.begin),
        "end": asked.house.local(each.end),
        "label": asked.house.label(step, each.begin),
        "n": each.n,
        "low": each.low,
        "high": each.high,
        "mean": each.mean,
    }
