"""Ranges of ids behave as the sets that they stand for."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.meters.backfill import ranges

_RANGES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6)


def ids(parts: object) -> set[int]:
    return {each for first, last in parts for each in range(first, last + 1)}  # type: ignore[attr-defined]


@given(_RANGES, _RANGES)
def test_union_and_difference(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    joined = ranges.union(some, others)
    assert ids(joined) == ids(some) | ids(others)
    assert ids(ranges.minus(some, others)) == ids(some) - ids(others)
    assert ranges.count(joined) == len(ids(joined))
    # Sorted, and apart from each other: there is one way only to say the same.
    assert all(before[1] + 1 < after[0] for before, after in pairwise(joined))


@given(_RANGES, st.integers(0, 40), st.integers(0, 40))
def test_within(some: list[tuple[int, int]], first: int, last: int) -> None:
    assert ids(ranges.within(some, first, last)) == ids(some) & set(range(first, last + 1))
