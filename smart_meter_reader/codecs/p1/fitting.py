"""Which units can be: of a value at all, and of a quantity of electricity.

A flipped bit makes another unit of one (V and W differ by one), and a lost bracket makes a unit of half a
line. What does not fit stays out of the measurements; where there is what cannot be a unit, the line makes
no sense.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from smart_meter_reader.quantities import QUANTITIES, Kind
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.quantities.units import measures

# Looked up first: a log has a dozen of them.
_USUAL: Final = frozenset({"", "kWh", "kW", "V", "A", "m3", "s", "kvarh", "kvar", "kVA", "Wh", "W"})
_SANE: Final = re.compile(r"[A-Za-z0-9\xb3\xb0\xb7/%*]{1,8}")  # with superscript three, degree, middle dot

_ELECTRICITY: Final = frozenset(
    {
        *(Kind.ENERGY, Kind.REACTIVE_ENERGY, Kind.APPARENT_ENERGY),
        *(Kind.POWER, Kind.REACTIVE_POWER, Kind.APPARENT_POWER),
        Kind.DURATION,
        *(Kind.VOLTAGE, Kind.CURRENT, Kind.FREQUENCY, Kind.POWER_FACTOR, Kind.ANGLE),
    }
)


def fits(quantity: str, unit: str) -> bool:
    """Whether ``unit``, as we spell it, measures ``quantity`` of electricity."""
    known = QUANTITIES.get(quantity)
    return known is not None and known.kind in _ELECTRICITY and measures(unit, known.kind)


def are_sane(items: Sequence[Measurement]) -> bool:
    """Whether the units of all ``items`` have the form of one; none at all is one, too."""
    for item in items:
        unit = item["unit"]
        if unit not in _USUAL and not _SANE.fullmatch(unit):
            return False
    return True
