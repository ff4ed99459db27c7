"""Import against export, and with a meter of the production what a home used of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TypedDict

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.history.media import Medium
from smart_meter_reader.history.questions.balance import EnergyBalance, balance
from smart_meter_reader.history.questions.counters import CounterHistory
from smart_meter_reader.sinks.web.questions.asked import (
    Inquiry,
    Moment,
    no_electricity,
    not_stored,
    other_unit,
)
from smart_meter_reader.sinks.web.questions.chosen import asked_meter, chosen, counters_of, mains_of
from smart_meter_reader.sinks.web.questions.shown import MOST_BARS, ViewAnswer, stretch_shown, view_of


class ShareAnswer(TypedDict):
    """Energies in kWh from begin to end; null where a counter lacks, or says nothing of that time.

    net: import less export. own_use: production less export. used: own use and import.
    """

    begin: Moment
    end: Moment
    label: str
    imported: Decimal | None
    exported: Decimal | None
    produced: Decimal | None
    net: Decimal | None
    own_use: Decimal | None
    used: Decimal | None
    estimated: bool


BalanceAnswer = TypedDict(
    "BalanceAnswer",
    {
        "meter": str,
        "production": str | None,
        "unit": str,
        "period": str,
        "from": date,
        "to": date,
        "view": ViewAnswer | None,
        "bars": list[ShareAnswer],
        "total": ShareAnswer,
    },
)


def shares(asked: Inquiry) -> BalanceAnswer:
    """What came in and went out, of the meter of the grid; ``production`` names that of the inverter."""
    meter, production = asked_meter(asked), asked.text("production")
    imports, exports = (_counters(asked, meter, medium) for medium in (Medium.ELECTRICITY, Medium.EXPORT))
    if not (imports or exports):
        raise no_electricity("meter", meter)
    produced = _produced(asked, production) if production else []
    extent = chosen(asked, _main(asked, meter))
    seen = stretch_shown(asked, extent, MOST_BARS // 3)
    try:
        made = balance(imports, exports, produced, seen.boundaries)
        (whole,) = balance(imports, exports, produced, (seen.boundaries[0], seen.boundaries[-1]))
    except ValueFormatError as error:
        raise other_unit("meter", error) from error
    return {
        "meter": meter,
        "production": production or None,
        "unit": "kWh",
        "period": seen.step,
        "from": seen.since,
        "to": seen.until,
        "view": view_of(asked, extent, seen),
        "bars": [_told(asked, each, asked.house.label(seen.step, each.begin)) for each in made],
        "total": _told(asked, whole, ""),
    }


def _main(asked: Inquiry, meter: str) -> str:
    mains = mains_of(asked.history.kept(meter))
    return next(main.key for main in mains if main.medium in (Medium.ELECTRICITY, Medium.EXPORT))


def _counters(asked: Inquiry, meter: str, medium: Medium) -> list[CounterHistory]:
    mains = mains_of(asked.history.kept(meter))
    return [
        counter
        for main in mains
        if main.medium is medium
        for counter in counters_of(asked.history, meter, main.quantities)
    ]


def _produced(asked: Inquiry, meter: str) -> list[CounterHistory]:
    """What an inverter or its meter has counted: as export or import of it, whichever is more.

    Which of the two depends on how it is wired; the other one is what the inverter takes at night.
    """
    there = asked.history.meters()
    if meter not in there:
        raise not_stored("production", meter, there)
    both = (_counters(asked, meter, medium) for medium in (Medium.EXPORT, Medium.ELECTRICITY))
    found = max((each for each in both if each), key=_counted, default=None)
    if found is None:
        raise no_electricity("production", meter)
    return found


def _counted(counters: Sequence[CounterHistory]) -> Decimal:
    """How far these have come since they are stored, in their unit."""
    parts = [part for counter in counters for part in counter.parts]
    return sum(
        (Decimal(part.last.value - part.first.value).scaleb(-part.decimals) for part in parts), Decimal(0)
    )


def _told(asked: Inquiry, each: EnergyBalance, label: str) -> ShareAnswer:
    return {
        "begin": asked.house.local(each.begin),
        "end": asked.house.local(each.end),
        "label": label,
        "imported": each.imported,
        "exported": each.exported,
        "produced": each.produced,
        "net": each.net,
        "own_use": each.own_use,
        "used": each.used,
        "estimated": each.estimated,
    }
