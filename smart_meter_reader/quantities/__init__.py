"""The catalogue of quantities: the keys that settings, topics and sinks share.

A quantity says what is measured; the unit travels with each value, since meters choose it themselves.
Tables: ``heat`` (heat, cooling and water meters), ``electricity`` (P1, electricity and M-Bus meters),
``multical_382`` (what only that electricity meter sends).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from smart_meter_reader.quantities.electricity import ELECTRICITY
from smart_meter_reader.quantities.heat import HEAT
from smart_meter_reader.quantities.multical_382 import MULTICAL_382
from smart_meter_reader.quantities.quantity import Kind, Quantity

__all__ = ["QUANTITIES", "Kind", "Quantity"]


def _catalogue(*tables: tuple[Quantity, ...]) -> Mapping[str, Quantity]:
    catalogue: dict[str, Quantity] = {}
    for table in tables:
        for quantity in table:
            if quantity.key in catalogue:
                raise AssertionError(f"quantity {quantity.key} stands in the catalogue twice")
            catalogue[quantity.key] = quantity
    return MappingProxyType(catalogue)


QUANTITIES: Mapping[str, Quantity] = _catalogue(HEAT, ELECTRICITY, MULTICAL_382)
