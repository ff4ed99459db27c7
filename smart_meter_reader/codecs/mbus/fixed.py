"""The fixed data structure (CI 73h): two counters, as old meters send them.

Source: The M-Bus: A Documentation, 6.5 (layout, status) and 8.4.2 (table of units, media). The standard gave
the structure up; some water and heat meters still have it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.mbus.header import Header
from smart_meter_reader.codecs.mbus.records import Record
from smart_meter_reader.codecs.mbus.values import bcd, integer, scaled
from smart_meter_reader.exceptions import ValueFormatError

FIXED_LENGTH: Final = 16

_BINARY, _STORED = 0x01, 0x02
_LIKE_FIRST: Final = 0x3E  # the unit of the other counter, at the stored date

# By the highest two bits of both unit octets; from 10 on as 3, 4, 6, 7 and 8, for the other order of octets.
_MEDIA: Final = (0x0F, 1, 2, 3, 4, 5, 6, 7, 8, 0x0F, 3, 4, 6, 7, 8, 0x0F)


def _units() -> Iterator[tuple[int, tuple[str, str, int]]]:
    """Quantity, unit and power of ten by code: each unit three times, ones, tens and hundreds."""
    for first, quantity, units in (
        (0x02, "energy", ("Wh", "kWh", "MWh")),
        (0x0B, "energy", ("kJ", "MJ", "GJ")),
        (0x14, "power", ("W", "kW", "MW")),
        (0x1D, "power", ("kJ/h", "MJ/h", "GJ/h")),
        (0x26, "volume", ("ml", "l", "m3")),
        (0x2F, "volume flow", ("ml/h", "l/h", "m3/h")),
    ):
        for place, unit in enumerate(units):
            for exponent in range(3):
                yield first + 3 * place + exponent, (quantity, unit, exponent)
    yield 0x38, ("temperature", "degC", -3)
    yield 0x39, ("heat cost allocation", "", 0)
    yield 0x3F, ("dimensionless", "", 0)


UNITS: Final[Mapping[int, tuple[str, str, int]]] = MappingProxyType(dict(_units()))


def parse_fixed(octets: bytes) -> tuple[Header, tuple[Record, ...]]:
    """Header and both counters. The second one is, as a rule, the first one's value at a set day."""
    status = octets[5]
    codes = octets[6] & 0x3F, octets[7] & 0x3F
    medium = _MEDIA[(octets[7] & 0xC0) >> 4 | octets[6] >> 6]
    # The status has the bits of the variable structure, but for the lowest two.
    header = Header(id=octets[3::-1].hex().upper(), medium=medium, access=octets[4], status=status & 0xFC)
    first = _counter(octets[8:12], codes[0], status, storage=1 if status & _STORED else 0)
    stored = codes[1] == _LIKE_FIRST
    second = _counter(
        octets[12:16],
        codes[0] if stored else codes[1],
        status,
        storage=1 if stored or status & _STORED else 0,
    )
    return header, (first, second)


def _counter(octets: bytes, code: int, status: int, *, storage: int) -> Record:
    quantity, unit, exponent = UNITS.get(code, (f"unknown unit {code:02X}", "", 0))
    value: Decimal | None = None
    missing = ""
    try:
        value = scaled(integer(octets) if status & _BINARY else bcd(octets), exponent)
    except ValueFormatError as error:
        missing = str(error)
    return Record(
        dif=b"",
        vif=bytes((code,)),
        quantity=quantity,
        unit=unit,
        value=value,
        storage=storage,
        missing=missing,
        exponent=exponent,
    )
