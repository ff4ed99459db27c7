"""A year at a price for each quarter of an hour: the exact sum, and what had no price."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.history.costs.priced import priced
from smart_meter_reader.history.questions.bars import bars
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.messages import Message
from tests.history.homes import energy, keep
from tests.history.questions.test_bars import T0, lives

_CENTS = st.one_of(st.none(), st.decimals(min_value=-1, max_value=3, places=5))


@given(messages=lives(), prices=st.lists(_CENTS, min_size=1, max_size=60), length=st.integers(60, 90_000))
@settings(deadline=None, max_examples=60)
def test_it_is_the_sum_over_the_bars(
    tmp_path_factory: pytest.TempPathFactory,
    messages: list[Message],
    prices: list[Decimal | None],
    length: int,
) -> None:
    path = tmp_path_factory.mktemp("priced") / "h"
    keep(path, messages)
    boundaries = [T0 - 600 + number * length for number in range(len(prices) + 1)]
    with History(path) as history:
        counter = history.counter("heat", "heat_energy")
        cost, unpriced = priced(counter, boundaries, prices, "kWh")
        amounts = [bar.difference or Decimal(0) for bar in bars(counter, boundaries)]
    pairs = list(zip(amounts, prices, strict=True))
    assert cost == sum((amount * price for amount, price in pairs if price is not None), Decimal(0))
    assert unpriced == sum((amount for amount, price in pairs if price is None), Decimal(0))


def test_a_price_is_for_a_unit_and_for_every_piece(tmp_path: Path) -> None:
    keep(tmp_path / "h", [energy(T0, "1"), energy(T0 + 900, "2")])
    with History(tmp_path / "h") as history:
        counter = history.counter("heat", "heat_energy")
        with pytest.raises(ValueFormatError, match="prices are per GJ, and the meter counts kWh"):
            priced(counter, [T0, T0 + 900], [Decimal(1)], "GJ")
        with pytest.raises(ValueError, match="2 prices for 1 pieces"):
            priced(counter, [T0, T0 + 900], [Decimal(1), Decimal(2)], "kWh")
        with pytest.raises(ValueFormatError, match="is no number"):
            priced(counter, [T0, T0 + 900], [Decimal("NaN")], "kWh")
