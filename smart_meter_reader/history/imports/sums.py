"""What counters showed, worked out from what was used, to both sides of where they are known. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from smart_meter_reader.history.imports.found import FoundSum, UnfitRowError
from smart_meter_reader.history.imports.staging import StagedRow, shown_time

# A position this near to an end of a sum is that of it.
NEAR = 120
_SLOT = 900


def boundary(time: int) -> int | None:
    """The quarter of an hour that an instant is near to; None where it is not."""
    found = (time + _SLOT // 2) // _SLOT * _SLOT
    return found if abs(found - time) <= NEAR else None


def readings_from_sums(sums: Sequence[FoundSum], positions: Mapping[int, Decimal]) -> Iterator[StagedRow]:
    """The counter at the ends of ``sums``, which are in the order of time and do not overlap.

    ``positions``: what it showed, by the ends and beginnings of sums; at each of them it is that again, so
    that what the sums leave out stays within the time between two of them. Where there is no sum, nothing is
    taken to have been used. Raises UnfitRowError where no position is known, or the counter would be below
    zero.
    """
    marks = _marks(sums)
    known = [index for index, (time, _, _) in enumerate(marks) if time in positions]
    if not known:
        raise UnfitRowError(
            f"what the counter showed is not known at any time from {shown_time(marks[0][0])} to "
            f"{shown_time(marks[-1][0])}: import readings first, or say it by --known QUANTITY=VALUE@TIME"
        )
    values: dict[int, Decimal] = {}
    for number, index in enumerate(known):
        lowest = known[number - 1] if number else -1
        least = positions[marks[lowest][0]] if number else Decimal(0)
        value = values[index] = positions[marks[index][0]]
        for at in range(index, lowest + 1, -1):
            value -= marks[at][1]
            if value < 0 and not number:
                raise UnfitRowError(
                    f"before {shown_time(marks[at][0])} the counter would have been below zero: "
                    "the sums do not belong to it, or --known is wrong"
                )
            values[at - 1] = max(value, least)
    value = positions[marks[known[-1]][0]]
    for at in range(known[-1] + 1, len(marks)):
        value += marks[at][1]
        values[at] = value
    yield from (StagedRow(time, values[at], line) for at, (time, _, line) in enumerate(marks))


def _marks(sums: Sequence[FoundSum]) -> list[tuple[int, Decimal, int]]:
    """The instants at which the counter is worked out, and what was used since the one before."""
    marks: list[tuple[int, Decimal, int]] = []
    for each in sums:
        if not marks or each.begin != marks[-1][0]:
            marks.append((each.begin, Decimal(0), each.line))
        marks.append((each.end, each.amount, each.line))
    return marks
