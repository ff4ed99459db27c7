"""Which units can be: of a value at all, and of a quantity of electricity.

A flipped bit makes another unit of one (V and W differ by one), and a lost bracket makes a unit of half a
line. What does not fit stays out of the measurements; where there is what cannot be a unit, the line makes
no sense.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.p1.values import Item
from smart_meter_reader.quantities import QUANTITIES, Kind
from smart_meter_reader.quantities.units import JOULES

# Looked up first: a log has a dozen of them.
_USUAL: Final = frozenset({"", "kWh", "kW", "V", "A", "m3", "s", "kvarh", "kvar", "kVA", "Wh", "W"})
_SANE: Final = re.compile(r"[A-Za-z0-9\xb3\xb0\xb7/%*]{1,8}")  # with superscript three, degree, middle dot

_UNITS: Final[Mapping[Kind, frozenset[str]]] = MappingProxyType(
    {
        Kind.ENERGY: frozenset(JOULES),
        Kind.REACTIVE_ENERGY: frozenset({"varh", "kvarh", "Mvarh"}),
        Kind.APPARENT_ENERGY: frozenset({"VAh", "kVAh", "MVAh"}),
        Kind.POWER: frozenset({"W", "kW", "MW", "GW"}),
        Kind.REACTIVE_POWER: frozenset({"var", "kvar", "Mvar"}),
        Kind.APPARENT_POWER: frozenset({"VA", "kVA", "MVA"}),
        Kind.VOLTAGE: frozenset({"mV", "V", "kV"}),
        Kind.CURRENT: frozenset({"mA", "A", "kA"}),
        Kind.FREQUENCY: frozenset({"Hz", "kHz"}),
        Kind.POWER_FACTOR: frozenset({"", "%"}),
    }
)


def fits(quantity: str, unit: str) -> bool:
    """Whether ``unit``, as we spell it, measures ``quantity``."""
    known = QUANTITIES.get(quantity)
    return known is not None and unit in _UNITS.get(known.kind, ())


def are_sane(items: Sequence[Item]) -> bool:
    """Whether the units of all ``items`` have the form of one; none at all is one, too."""
    for item in items:
        unit = item["unit"]
        if unit not in _USUAL and not _SANE.fullmatch(unit):
            return False
    return True
