"""Sets of entry ids as ranges, both ends included: sorted, apart from each other. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

TimeRange: TypeAlias = tuple[int, int]
TimeRanges: TypeAlias = tuple[TimeRange, ...]


def union(*parts: Iterable[TimeRange]) -> TimeRanges:
    """All ids of all parts, which may overlap, in any order; an empty range (2, 1) counts for nothing."""
    joined: list[TimeRange] = []
    for first, last in sorted(each for part in parts for each in part if each[0] <= each[1]):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return tuple(joined)


def minus(ranges: Iterable[TimeRange], removed: Iterable[TimeRange]) -> TimeRanges:
    """The ids that are not among the removed ones."""
    left = list(ranges)
    for first, last in removed:
        left = [
            part
            for begin, end in left
            for part in ((begin, min(end, first - 1)), (max(begin, last + 1), end))
            if part[0] <= part[1]
        ]
    return union(left)


def within(ranges: Iterable[TimeRange], first: int, last: int) -> TimeRanges:
    """The ids from ``first`` to ``last`` among them."""
    return union((max(begin, first), min(end, last)) for begin, end in ranges)


def count(ranges: Iterable[TimeRange]) -> int:
    """How many ids."""
    return sum(last - first + 1 for first, last in ranges)
