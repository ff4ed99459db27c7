"""What an M-Bus meter tells as a rule, by what it measures: for who wants to see before one is connected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.mbus.address import Address, Secondary
from smart_meter_reader.codecs.mbus.header import KAMSTRUP, Header, encode_maker
from smart_meter_reader.meters.mbus.identity import kind_of

_TEMPERATURES: Final = ("flow_temperature", "return_temperature")
_WATER: Final = ("water_volume", "volume_flow")
# Kamstrup's water meters have their volume in the register of a heat meter's.
_KAMSTRUPS_WATER: Final = ("volume", "volume_flow")
_TYPICAL: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "heat": (),  # as the family's driver says
        "cooling": ("cooling_energy", "volume", "power", "volume_flow", *_TEMPERATURES),
        "water": _WATER,
        "electricity": ("active_energy_import", "active_power_import", "voltage_l1", "current_l1"),
        "gas": ("gas_volume",),
    }
)
_ANY_MEDIUM: Final = 0xFF
_NAME = re.compile(rf"({'|'.join(_TYPICAL)})(?![a-z])")


def typical_of(meter: str, address: Address) -> tuple[str, ...] | None:
    """By the medium in a secondary address, else by a name as `scan` gives it (water, heat-2); else None."""
    kind, kamstrup = "", False
    if isinstance(address, Secondary):
        maker, (_, medium) = bytes.fromhex(address.rest)[:2], bytes.fromhex(address.rest)[2:]
        kamstrup = maker == encode_maker(KAMSTRUP)
        kind = "" if medium == _ANY_MEDIUM else kind_of(Header(medium=medium))
    if kind not in _TYPICAL:
        named = _NAME.match(meter)
        kind = named.group(1) if named else ""
    return _KAMSTRUPS_WATER if kamstrup and kind == "water" else _TYPICAL.get(kind)
