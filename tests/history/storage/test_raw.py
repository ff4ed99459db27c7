"""Raw readings come back from their block as they were; damaged blocks are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.history.storage.raw import BlockWriter, DamagedBlockError, readings_in
from smart_meter_reader.quantities.measurement import Measurement

T0 = datetime(2026, 11, 29, 12, 0, 3, 250000, UTC)

_NUMBERS = st.one_of(
    st.integers(-(10**17), 10**17).map(Decimal),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=3),
)
# A line that stays as it is gives the very same measurement; its decimals may change, and it may be large.
_LINES: list[Measurement] = [
    {"value": Decimal(value), "unit": "kW"}
    for value in ("0", "0.000", "1.5", "1.500", "-1", str(10**17), str(9 * 10**17), str(-9 * 10**17))
]


@st.composite
def measured(draw: st.DrawFn) -> dict[str, Measurement]:
    values: dict[str, Measurement] = {}
    for key in draw(st.sets(st.sampled_from(["power", "voltage_l1", "gas_volume", "energy"]))):
        if draw(st.booleans()):
            values[key] = draw(st.sampled_from(_LINES))
            continue
        values[key] = {"value": draw(_NUMBERS), "unit": draw(st.sampled_from(["kW", "V", ""]))}
    if draw(st.booleans()):
        values["message"] = {"value": draw(st.text(max_size=20)), "unit": ""}
    return values


@given(st.lists(measured(), min_size=1, max_size=30))
def test_readings_come_back(told: list[dict[str, Measurement]]) -> None:
    writer = BlockWriter()
    for number, values in enumerate(told):
        writer.add(T0 + number * timedelta(milliseconds=999), values)
    block = writer.finish("power")
    assert (block.since, len(writer)) == (int(T0.timestamp()), 0)
    newest: dict[str, Measurement] = {}
    for number, (time, values) in enumerate(readings_in(block.coded)):
        assert time == T0 + number * timedelta(milliseconds=999)
        # A text stands until another one comes.
        newest |= {key: each for key, each in told[number].items() if key == "message"}
        assert values == told[number] | newest
        # With all their decimals.
        assert {key: str(each["value"]) for key, each in values.items()} == {
            key: str(each["value"]) for key, each in (told[number] | newest).items()
        }


def test_a_quarter_of_an_hour_at_a_telegram_a_second_is_small() -> None:
    writer = BlockWriter()
    for second in range(900):
        values: dict[str, Measurement] = {
            f"value_{n}": {"value": Decimal(10**6 + second * (n % 3)).scaleb(-3), "unit": "kWh"}
            for n in range(25)
        }
        writer.add(T0 + timedelta(seconds=second), values)
    assert len(writer.finish("power").coded) < 4000


def test_what_no_column_takes_is_counted() -> None:
    writer = BlockWriter()
    huge: Measurement = {"value": Decimal(10**18), "unit": ""}
    small: Measurement = {"value": Decimal("1E-19"), "unit": ""}
    writer.add(T0, {"huge": huge, "small": small, "power": {"value": Decimal(1), "unit": "kW"}})
    assert writer.left_out == 2
    assert [values for _, values in readings_in(writer.finish("power").coded)] == [
        {"power": {"value": Decimal(1), "unit": "kW"}}
    ]
    for number in range(1000):
        writer.add(T0, {f"new_{number}": {"value": Decimal(1), "unit": ""}})
    assert writer.left_out == 2 + 700


@given(cut=st.integers(0, 200), flip=st.integers(0, 200))
def test_damaged_blocks_are_refused_and_nothing_else_is_raised(cut: int, flip: int) -> None:
    writer = BlockWriter()
    writer.add(T0, {"power": {"value": Decimal(5), "unit": "kW"}, "text": {"value": "a", "unit": ""}})
    coded = bytearray(writer.finish("power").coded)
    damaged = bytes(coded[: cut % len(coded)])
    with pytest.raises(DamagedBlockError):
        list(readings_in(damaged))
    coded[flip % len(coded)] ^= 0x55
    try:
        list(readings_in(bytes(coded)))
    except DamagedBlockError:
        pass
