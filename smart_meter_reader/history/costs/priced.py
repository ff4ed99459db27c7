"""What the energy of a stretch of time cost, at a price for each of its pieces."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from itertools import pairwise

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.history.questions.counters import CounterHistory

# A counter has 18, a price fewer: nothing is rounded on the way.
_DIGITS = 60


def priced(
    counter: CounterHistory, boundaries: Sequence[int], prices: Sequence[Decimal | None], unit: str
) -> tuple[Decimal, Decimal]:
    """The exact cost, and the amount that had no price. ``prices`` are for each piece, per one ``unit``.

    Raises ValueFormatError where a part of the counter counts in another unit, and ValueError when there is
    not one price for each piece.
    """
    if len(prices) != len(boundaries) - 1:
        raise ValueError(f"{len(prices)} prices for {len(boundaries) - 1} pieces")
    cost, unpriced = Decimal(0), Decimal(0)
    for part in counter.parts:
        if part.unit != unit:
            raise ValueFormatError(
                f"prices are per {unit}, and the meter counts {part.unit or 'without unit'}"
            )
        values = counter.values(part, boundaries)
        of_part, without = Decimal(0), 0
        with localcontext() as exactly:
            exactly.prec = _DIGITS
            for (before, after), price in zip(pairwise(values), prices, strict=True):
                if price is None:
                    without += after - before
                elif before != after:
                    of_part += (after - before) * price
            cost += of_part.scaleb(-part.decimals)
            unpriced += Decimal(without).scaleb(-part.decimals)
    if not cost.is_finite():
        raise ValueFormatError("one of the prices is no number")
    return cost, unpriced
