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

from smart_meter_reader.codecs.iec62056_21.codes import quantity_of
from smart_meter_reader.codecs.iec62056_21.data_set import DataSet
from smart_meter_reader.codecs.iec62056_21.multical import SINGLE_LINE, Measure, ShortAnswer

_TEMPERATURE_STEPS = 200
_DIFFERENCE_STEPS = 400
_FLOW_STEPS = 20


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


def compare_data_sets(
    first: tuple[DataSet, ...], second: tuple[DataSet, ...], cumulative: frozenset[str]
) -> Agreement:
    """Compare two readouts without a block check character.

    The same codes must be there in the same order, and the quantities in ``cumulative`` equal; any other
    value that differs is unsteady.
    """
    if [data_set.code for data_set in first] != [data_set.code for data_set in second]:
        return Agreement(contradicted=("the codes",))
    contradicted: list[str] = []
    unsteady: list[str] = []
    for one, other in zip(first, second, strict=True):
        if one.values == other.values:
            continue
        quantity = quantity_of(other.code, other.values[0])
        (contradicted if quantity in cumulative else unsteady).append(other.code)
    return Agreement(tuple(contradicted), tuple(unsteady))


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
