"""When two answers without a checksum count: totals equal, momentary values near each other.

Parity misses every second damaged byte, and a wrong digit looks like a right one. So an answer is believed
when the next one confirms it:

- totals, numbers, codes and dates must be equal, digit by digit; the answer fails as a whole if not. A
  counter that moves on between the two makes them differ once, and the third answer confirms the second;
- temperatures may differ by 2.00 K, temperature differences by 4.00 K (two temperatures moved);
- power and flow may differ by 20 steps of the last digit or a quarter of the greater, whichever is more:
  a tap was opened. One that differs by more is left out of this reading; the others stand.

Where values differ within that, a third answer decides: the middle one of three is right, or between two
that are, whichever of them is damaged. Otherwise the later answer counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from smart_meter_reader.codecs.iec62056_21.codes import quantity_of
from smart_meter_reader.codecs.iec62056_21.data_set import DataSet, DataValue
from smart_meter_reader.codecs.iec62056_21.multical import SINGLE_LINE, Measure, ShortAnswer
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.quantities.units import convert_energy, converts_energy

_TEMPERATURE_STEPS = 200
_DIFFERENCE_STEPS = 400
_FLOW_STEPS = 20
_ENERGY_RISE = Decimal("0.8")  # kWh
_OTHER_RISE = Decimal("0.1")  # m³, h, kvarh


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two answers compare: fields that must be equal and are not, and others that differ.

    ``unsteady`` are too far apart to be believed, ``moved`` are near each other.
    """

    contradicted: tuple[str, ...] = ()
    unsteady: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()


def compare_answers(first: ShortAnswer, second: ShortAnswer) -> Comparison:
    """Compare two answers to the same request, seconds apart."""
    contradicted: list[str] = []
    unsteady: list[str] = []
    moved: list[str] = []
    for field in SINGLE_LINE[first.request]:
        one, other = first.fields[field.name], second.fields[field.name]
        if one == other or field.measure is Measure.MOMENTARY:
            continue
        allowed = _allowance(field.measure, int(one), int(other))
        if allowed is None:
            contradicted.append(field.name)
        elif abs(int(one) - int(other)) > allowed:
            unsteady.append(field.name)
        else:
            moved.append(field.name)
    return Comparison(tuple(contradicted), tuple(unsteady), tuple(moved))


def middle_answer(answers: Sequence[ShortAnswer]) -> ShortAnswer:
    """The last of three answers, with the middle value of each field that a meter may move meanwhile."""
    last = answers[-1]
    middle = {
        field.name: sorted((answer.fields[field.name] for answer in answers), key=int)[len(answers) // 2]
        for field in SINGLE_LINE[last.request]
        if _allowance(field.measure, 0, 0) is not None
    }
    return replace(last, fields={**last.fields, **middle})


def compare_data_sets(first: tuple[DataSet, ...], second: tuple[DataSet, ...]) -> Comparison:
    """Compare two readouts without a block check character, seconds apart.

    The same codes must be there in the same order, with the same units. A total of many decimals moves on
    between the two: it may rise by what 100 kW or 10 m³/h bring in half a minute, and never falls. Any
    other number may differ by a quarter; a text that differs (a clock) is unsteady.
    """
    if [data_set.code for data_set in first] != [data_set.code for data_set in second]:
        return Comparison(contradicted=("the codes",))
    contradicted: list[str] = []
    unsteady: list[str] = []
    moved: list[str] = []
    for one, other in zip(first, second, strict=True):
        if one.values == other.values:
            continue
        if _is_total(other):
            risen = _has_risen_a_little(one.values[0], other.values[0])
            (moved if risen else contradicted).append(other.code)
        else:
            near = _are_near(one.values, other.values)
            (moved if near else unsteady).append(other.code)
    return Comparison(tuple(contradicted), tuple(unsteady), tuple(moved))


def middle_data_sets(readouts: Sequence[tuple[DataSet, ...]]) -> tuple[DataSet, ...]:
    """The last of three readouts, with the middle one of three data sets that hold one number each.

    The readouts before the last may be others altogether; then the last stands.
    """
    last = readouts[-1]
    if any([one.code for one in readout] != [one.code for one in last] for readout in readouts):
        return last
    return tuple(_middle_data_set(found) for found in zip(*readouts, strict=True))


def _middle_data_set(found: tuple[DataSet, ...]) -> DataSet:
    last = found[-1]
    if not all(len(one.values) == 1 and _is_measured_like(one.values[0], last.values[0]) for one in found):
        return last
    return sorted(found, key=lambda one: one.values[0].number())[len(found) // 2]


def _is_measured_like(value: DataValue, other: DataValue) -> bool:
    return bool(value.unit) and value.unit == other.unit and value.is_number


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
        case _:
            return None
