"""When two answers without a checksum count: totals equal, momentary values near each other.

Parity misses every second damaged byte, and a wrong digit looks like a right one. So an answer is believed
when the next one confirms it:

- totals, numbers, codes and dates must be equal, digit by digit; the answer fails as a whole if not. A
  counter that moves on between the two makes them differ once, and the third answer confirms the second;
- temperatures may differ by 2.00 K, temperature differences by 4.00 K (two temperatures moved);
- power and flow may differ by 20 steps of the last digit or a quarter of the greater, whichever is more:
  a tap was opened. One that differs by more is left out of this reading; the others stand.

The later answer is the one that counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from smart_meter_reader.codecs.iec62056_21.codes import quantity_of
from smart_meter_reader.codecs.iec62056_21.data_set import DataSet, DataValue
from smart_meter_reader.codecs.iec62056_21.multical import SINGLE_LINE, Measure, ShortAnswer
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.units import convert_energy, converts_energy

_TEMPERATURE_STEPS = 200
_DIFFERENCE_STEPS = 400
_FLOW_STEPS = 20
_ENERGY_RISE = Decimal("0.8")  # kWh
_OTHER_RISE = Decimal("0.1")  # m³, h, kvarh


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two answers compare: fields that must be equal and are not, and momentary ones too far apart."""

    contradicted: tuple[str, ...] = ()
    unsteady: tuple[str, ...] = ()


def compare_answers(first: ShortAnswer, second: ShortAnswer) -> Agreement:
    """Compare two answers to the same request, seconds apart."""
    contradicted: list[str] = []
    unsteady: list[str] = []
    for field in SINGLE_LINE[first.request]:
        one, other = first.fields[field.name], second.fields[field.name]
        allowed = _allowance(field.measure, int(one), int(other))
        if allowed is None:
            if one != other:
                contradicted.append(field.name)
        elif abs(int(one) - int(other)) > allowed:
            unsteady.append(field.name)
    return Agreement(tuple(contradicted), tuple(unsteady))


def compare_data_sets(first: tuple[DataSet, ...], second: tuple[DataSet, ...]) -> Agreement:
    """Compare two readouts without a block check character, seconds apart.

    The same codes must be there in the same order, with the same units. A total of many decimals moves on
    between the two: it may rise by what 100 kW or 10 m³/h bring in half a minute, and never falls. Any
    other number may differ by a quarter; a text that differs (a clock) is unsteady.
    """
    if [data_set.code for data_set in first] != [data_set.code for data_set in second]:
        return Agreement(contradicted=("the codes",))
    contradicted: list[str] = []
    unsteady: list[str] = []
    for one, other in zip(first, second, strict=True):
        if one.values == other.values:
            continue
        if _is_total(other):
            if not _has_risen_a_little(one.values[0], other.values[0]):
                contradicted.append(other.code)
        elif not _are_near(one.values, other.values):
            unsteady.append(other.code)
    return Agreement(tuple(contradicted), tuple(unsteady))


def _is_total(data_set: DataSet) -> bool:
    quantity = QUANTITIES.get(quantity_of(data_set.code, data_set.values[0]) or "")
    return quantity is not None and quantity.cumulative


def _has_risen_a_little(one: DataValue, other: DataValue) -> bool:
    if one.unit != other.unit or not one.is_number:
        return False
    rise, unit = other.number() - one.number(), other.spelled_unit
    limit = convert_energy(_ENERGY_RISE, "kWh", unit) if converts_energy(unit, "kWh") else _OTHER_RISE
    return 0 <= rise <= limit


def _are_near(one: tuple[DataValue, ...], other: tuple[DataValue, ...]) -> bool:
    if [value.unit for value in one] != [value.unit for value in other]:
        return False
    for before, after in zip(one, other, strict=True):
        if before.text != after.text:
            if not (before.unit and before.is_number and after.is_number):
                return False
            greater = max(abs(before.number()), abs(after.number()))
            if abs(before.number() - after.number()) > greater / 4:
                return False
    return True


def _allowance(measure: Measure, one: int, other: int) -> int | None:
    """How far two values may be apart, in steps of the last digit; None: not at all."""
    match measure:
        case Measure.TEMPERATURE:
            return _TEMPERATURE_STEPS
        case Measure.DIFFERENCE:
            return _DIFFERENCE_STEPS
        case Measure.POWER | Measure.FLOW:
            return max(_FLOW_STEPS, max(abs(one), abs(other)) // 4)
        case Measure.MOMENTARY:
            return 10**8  # no scale, no quantity: nothing of it is published
        case _:
            return None
