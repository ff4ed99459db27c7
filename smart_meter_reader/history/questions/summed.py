"""Counters that add up, such as tariffs, as if they were one."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from smart_meter_reader.history.questions.bars import Bar, bars
from smart_meter_reader.history.questions.counters import CounterHistory


def summed_bars(counters: Sequence[CounterHistory], boundaries: Sequence[int], unit: str = "") -> list[Bar]:
    """As ``bars``, of counters that add up; "": in the unit of the first. A sum has no counter at its ends.

    Raises ValueFormatError where one counts in what the first one's unit cannot tell.
    """
    there = [counter for counter in counters if counter.parts]
    if len(there) < 2:
        return bars(there[0] if there else counters[0], boundaries, unit)
    unit = unit or there[0].parts[-1].unit
    made = [bars(counter, boundaries, unit) for counter in there]
    return [_sum(of_all) for of_all in zip(*made, strict=True)]


def _sum(of_all: Sequence[Bar]) -> Bar:
    known = [bar.difference for bar in of_all if bar.difference is not None]
    first = of_all[0]
    return Bar(
        first.begin,
        first.end,
        first.unit,
        sum(known, Decimal(0)) if known else None,
        unread=tuple(dict.fromkeys(pause for bar in of_all for pause in bar.unread)),
        origin=max((bar.origin for bar in of_all if bar.origin is not None), default=None),
        # A tariff that was told for the first time later had counted nothing before.
        complete=any(bar.complete for bar in of_all),
    )
