"""What was counted between two instants, and in each piece of any partition of time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.history.questions.counters import CounterHistory, Point, index_of
from smart_meter_reader.history.questions.parts import Part, turned
from smart_meter_reader.history.rows import RowOrigin
from smart_meter_reader.quantities.units import ratio, scale

Convert: TypeAlias = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Bar:
    """What was counted from ``begin`` up to ``end``, seconds since 1970 UTC, and how well that is known.

    ``difference`` is None where nothing at all is known. The counters are what the display showed (of one
    whose digits have rolled over, without the turns); where the meter was replaced, of the first device and
    of the last.
    """

    begin: int
    end: int
    unit: str
    difference: Decimal | None = None
    counter_begin: Decimal | None = None
    counter_end: Decimal | None = None
    # From when to when nothing was read, where that makes an end of this bar an estimate.
    unread: tuple[tuple[int, int], ...] = ()
    # The least sure source of what it was made of.
    origin: RowOrigin | None = None
    # Whether readings reach from its beginning to its end; not so for today, and for the first day.
    complete: bool = False

    @property
    def estimated(self) -> bool:
        """Whether it is known what was counted, but not exactly when."""
        return bool(self.unread)


@dataclass(slots=True)
class _Pile:
    """A bar while it is made."""

    amount: int = 0
    begin: int | None = None
    end: int = 0
    unread: tuple[tuple[int, int], ...] = ()
    origin: int = 0
    covered: int = 0


def bars(counter: CounterHistory, boundaries: Sequence[int], unit: str = "") -> list[Bar]:
    """One bar for each piece between neighbours of rising ``boundaries``, in ``unit`` ("": the newest one).

    Their sum is exactly what the counter's parts have counted within the boundaries. Raises
    ValueFormatError for a unit in which that cannot be said.
    """
    if len(boundaries) < 2:
        return []
    unit = unit or (counter.parts[-1].unit if counter.parts else "")
    decimals, converts = conversions(counter.parts, unit)
    piles: list[_Pile | None] = [None] * (len(boundaries) - 1)
    for part, convert in zip(counter.parts, converts, strict=True):
        _pile_up(counter, part, convert, boundaries, piles)
    return [
        Bar(begin, end, unit) if pile is None else _bar(begin, end, unit, decimals, pile)
        for begin, end, pile in zip(boundaries, boundaries[1:], piles, strict=False)
    ]


def between(counter: CounterHistory, begin: int, end: int, unit: str = "") -> Bar:
    """What was counted between two instants."""
    return bars(counter, (begin, end), unit)[0]


def total(made: Sequence[Bar]) -> Decimal | None:
    """The sum of bars; None where nothing is known of any."""
    known = [bar.difference for bar in made if bar.difference is not None]
    return sum(known, Decimal(0)) if known else None


def _pile_up(
    counter: CounterHistory,
    part: Part,
    convert: Convert,
    boundaries: Sequence[int],
    piles: list[_Pile | None],
) -> None:
    """Add to each bar what a part has counted in it."""
    first = max(index_of(boundaries, part.first.time), 0)
    # A part that ends where a bar begins says nothing about it, unless it is but one reading.
    last = min(max(bisect_left(boundaries, part.last.time), first + 1), len(boundaries) - 1)
    if part.last.time < boundaries[0] or part.first.time >= boundaries[-1]:
        return
    instants = boundaries[first : last + 1]
    points = counter.points(part, instants)
    values = [convert(point.value) for point in points]
    for index in range(first, last):
        pile = piles[index]
        if pile is None:
            pile = piles[index] = _Pile()
        at = index - first
        _add(
            pile,
            part,
            points[at],
            points[at + 1],
            values[at + 1] - values[at],
            instants[at],
            instants[at + 1],
        )
        if pile.begin is None:
            pile.begin = convert(points[at].value - turned(part.turns, instants[at]))
        pile.end = convert(points[at + 1].value - turned(part.turns, instants[at + 1]))


def _add(pile: _Pile, part: Part, begin: Point, end: Point, amount: int, since: int, until: int) -> None:
    pile.amount += amount
    pile.origin = max(pile.origin, begin.origin, end.origin)
    pile.unread += tuple(unread for unread in dict.fromkeys((begin.unread, end.unread)) if unread is not None)
    pile.covered += max(0, min(until, part.last.time) - max(since, part.first.time))


def _bar(begin: int, end: int, unit: str, decimals: int, pile: _Pile) -> Bar:
    def shown(value: int) -> Decimal:
        return Decimal(value).scaleb(-decimals)

    return Bar(
        begin,
        end,
        unit,
        shown(pile.amount),
        shown(pile.begin or 0),
        shown(pile.end),
        pile.unread,
        RowOrigin(pile.origin),
        complete=pile.covered >= end - begin,
    )


def conversions(parts: Sequence[Part], unit: str) -> tuple[int, list[Convert]]:
    """The decimals of the result, and for each part what makes its integers integers of these decimals."""
    factors = [_factor(part, unit) for part in parts]
    steps = [
        part.decimals if factor == 1 else _decimals(scale(Decimal(1).scaleb(-part.decimals), factor))
        for part, factor in zip(parts, factors, strict=True)
    ]
    decimals = max(steps, default=0)
    return decimals, [
        _convert(factor, decimals - part.decimals) for part, factor in zip(parts, factors, strict=True)
    ]


def _factor(part: Part, unit: str) -> Fraction:
    factor = ratio(part.unit, unit)
    if factor is None:
        raise ValueFormatError(f"what is counted in {part.unit or 'no unit'} cannot be told in {unit}")
    return Fraction(factor)


def _convert(factor: Fraction, shift: int) -> Convert:
    if factor == 1:
        power = 10**shift
        return lambda value: value * power
    exact = factor * Fraction(10) ** shift
    return lambda value: round(value * exact)


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
