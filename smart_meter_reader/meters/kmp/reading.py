"""From the registers that a KMP meter answered to the measurements of a reading. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from smart_meter_reader.codecs.kmp import RegisterValue
from smart_meter_reader.codecs.kmp.number import bounded
from smart_meter_reader.codecs.kmp.registers import register_of
from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.quantities.measurement import Measurement


def read_measurements(
    wanted: Sequence[int], answered: Mapping[int, RegisterValue]
) -> tuple[dict[str, Measurement], list[str]]:
    """The values by quantity, in the order of ``wanted``, and a sentence for each that makes no sense.

    A date that is not set is absent.
    """
    measurements: dict[str, Measurement] = {}
    left_out: list[str] = []
    for register in wanted:
        if register not in answered:
            continue
        quantity = register_of(register).quantity
        try:
            value = bounded(answered[register].value)
        except ValueFormatError as error:
            left_out.append(f"{quantity} (register {register}) is left out: {error}")
            continue
        if value is not None:
            measurements[quantity] = {"value": value, "unit": answered[register].unit}
    return measurements, left_out
