"""The highest power by quarters of an hour, as capacity tariffs bill it.

Belgium (VREG, capacity tariff): the mean power of each fixed quarter of an hour, all phases together; of
each month the highest; billed is the mean of the last twelve months, of which none counts as less than 2.5
kW.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from smart_meter_reader.history.questions.bars import Bar, bars, conversions
from smart_meter_reader.history.questions.counters import QUARTER, CounterHistory

LEAST_BILLED = Decimal("2.5")
"""kW: what a month counts as in Belgium, however little was used."""
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Peak:
    """The quarter of an hour with the highest mean power of a stretch of time."""

    begin: int
    power: Decimal  # in kW
    quarters: int  # how many were measured in that stretch; by them one sees how sure it is the highest


def quarters(counters: Sequence[CounterHistory], boundaries: Sequence[int]) -> list[Bar]:
    """The quarters that were measured as such between ``boundaries``, in kWh; ``counters`` are added up.

    Left out are those for which the meter was not read often enough to tell one quarter from the next.
    """
    if len(boundaries) == 2 and not _told_apart(counters, boundaries[0]):
        return []
    made = [bars(counter, boundaries, "kWh") for counter in counters if counter.parts]
    found: list[Bar] = []
    for of_all in zip(*made, strict=True):
        if all(bar.complete and not bar.estimated for bar in of_all) and _told_apart(
            counters, of_all[0].begin
        ):
            energy = sum((bar.difference or Decimal(0) for bar in of_all), Decimal(0))
            found.append(Bar(of_all[0].begin, of_all[0].end, "kWh", energy, complete=True))
    return found


def highest(counters: Sequence[CounterHistory], boundaries: Sequence[int]) -> Peak | None:
    """The highest of the quarters between ``boundaries``, those of quarters; None when none was measured.

    ``counters`` are those of the import: the total, or all tariffs. Raises ValueFormatError when they count
    no energy.
    """
    there = [counter for counter in counters if counter.parts]
    energies = _energies(there, boundaries)
    # The highest that was measured as such; of equal ones the earliest.
    for index in sorted(range(len(energies)), key=energies.__getitem__, reverse=True):
        for bar in quarters(there, boundaries[index : index + 2]):
            power = (bar.difference or Decimal(0)) * (3600 // QUARTER)
            return Peak(bar.begin, power, _measured(there, boundaries))
    return None


def _energies(counters: Sequence[CounterHistory], boundaries: Sequence[int]) -> list[int]:
    """What was counted in each piece, as integers of one size; where nobody looked, evenly."""
    parts = [(counter, part) for counter in counters for part in counter.parts]
    _, converts = conversions([part for _, part in parts], "kWh")
    sums: list[int] = []
    for (counter, part), convert in zip(parts, converts, strict=True):
        if part.last.time <= boundaries[0] or part.first.time >= boundaries[-1]:
            continue
        values = counter.values(part, boundaries)
        found = [convert(after - before) for before, after in pairwise(values)]
        sums = [one + other for one, other in zip(sums, found, strict=True)] if sums else found
    return sums


def _measured(counters: Sequence[CounterHistory], boundaries: Sequence[int]) -> int:
    """In how many quarters all counters were read."""
    counts = (
        sum(counter.count(part, boundaries[0], boundaries[-1]) for part in counter.parts)
        for counter in counters
    )
    return min(len(boundaries) - 1, *counts)


def billed_mean(months: Sequence[Peak | None]) -> Decimal | None:
    """The mean of the last twelve months' peaks in kW, of those that are known; None when none is."""
    known = [max(peak.power, LEAST_BILLED) for peak in months[-_MONTHS:] if peak is not None]
    return sum(known, Decimal(0)) / len(known) if known else None


def _told_apart(counters: Sequence[CounterHistory], begin: int) -> bool:
    """Whether every counter was read about once in a quarter there, or more often."""
    for counter in counters:
        part = next((each for each in counter.parts if each.first.time <= begin <= each.last.time), None)
        if part is not None and counter.usual_interval(part, begin) > QUARTER + QUARTER // 3:
            return False
    return True
