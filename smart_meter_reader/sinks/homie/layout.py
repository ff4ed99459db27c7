"""Where a quantity stands in a Homie device: node, property id, datatype."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, TypeAlias

from smart_meter_reader.quantities import QUANTITIES, Kind, Quantity
from smart_meter_reader.quantities.heat import HEAT
from smart_meter_reader.quantities.measurement import Value

Datatype: TypeAlias = Literal["integer", "float", "enum", "string", "boolean"]

# node id -> (name, type). "meter" holds what is about the meter and the line, not about what flows.
NODES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "heat": ("Heat", "heat"),
        "electricity": ("Electricity", "electricity"),
        "gas": ("Gas", "gas"),
        "water": ("Water", "water"),
        "meter": ("Meter", "diagnostics"),
    }
)

_HEAT_KEYS = frozenset(quantity.key for quantity in HEAT)

# Always float, also when the first value happens to be 7: the next one may be 7.25.
_MEASURED = frozenset(Kind) - {
    Kind.COUNT,
    Kind.DATE,
    Kind.TIME_OF_DAY,
    Kind.TIMESTAMP,
    Kind.CODE,
    Kind.TEXT,
}

# The convention's integers are 64 bits wide (section "Payload").
_INTEGER_LIMIT = 2**63

_WIDER: Mapping[tuple[Datatype, Datatype], Datatype] = MappingProxyType(
    {("integer", "float"): "float", ("float", "integer"): "float"}
)


@dataclass(frozen=True, slots=True)
class Slot:
    """One property: where it stands and what it is. Any change in it is a change of structure."""

    node: str
    property_id: str
    name: str
    datatype: Datatype
    unit: str = ""
    format: str = ""
    settable: bool = False


def property_id(key: str) -> str:
    """A key as a Homie id, which may hold a-z, 0-9 and hyphens, not at its ends (section "Topic IDs")."""
    return key.lower().replace("_", "-").strip("-")


def node_of(key: str, quantity: Quantity | None) -> str:
    """The node of a quantity; what the catalogue does not know is taken for a diagnostic."""
    if quantity is None or quantity.diagnostic:
        return "meter"
    if quantity.kind in (Kind.GAS, Kind.WATER):
        return str(quantity.kind)
    return "heat" if key in _HEAT_KEYS else "electricity"


def datatype_of(quantity: Quantity | None, value: Value) -> Datatype | None:
    """The datatype for a value, by the quantity's kind; None when the value does not fit the kind."""
    kind = quantity.kind if quantity else Kind.CODE
    if isinstance(value, Decimal) and not value.is_finite():
        return None
    if kind in _MEASURED:
        return None if isinstance(value, str) else "float"
    if kind in (Kind.COUNT, Kind.CODE):
        return "string" if isinstance(value, str) else _number(value)
    return "string"


def wider(known: Datatype, new: Datatype) -> Datatype:
    """The datatype that takes both: a code that was a number and now is a text stays text from then on."""
    if known == new:
        return known
    return _WIDER.get((known, new), "string")


def slot_of(key: str, value: Value, unit: str, known: Slot | None) -> Slot | None:
    """The property for a measurement, wide enough for what it held before (``known``).

    None for what fits no datatype of the quantity: a text where a number belongs, or a NaN.
    """
    quantity = QUANTITIES.get(key)
    datatype = datatype_of(quantity, value)
    if datatype is None:
        return None
    if known is not None:
        datatype = wider(known.datatype, datatype)
    name = quantity.name if quantity else key.replace("_", " ").capitalize()
    return Slot(node_of(key, quantity), property_id(key), name, datatype, unit)


def _number(value: Decimal | int) -> Datatype:
    integer = int(value)
    return "integer" if integer == value and abs(integer) < _INTEGER_LIMIT else "float"
