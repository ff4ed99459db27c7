"""KMP unit codes: the unit's symbol, and how the mantissa that it stands for is to be read.

Sources: Kamstrup 5512-447, section 5.1 (the units of heat meters); the unit tables of the public projects in
docs/references.md (the others up to 40h), the conpot kamstrup_382 template (to 4Ah) and jktjkt/PyKMP (4Fh,
55h to 5Ah). Where they disagree, 15h is W and 19h var, by conpot, jktjkt/PyKMP and Kamstrup 58101758, and
26h is K, by 5512-447.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final


class Layout(Enum):
    """How the mantissa of a register is to be read."""

    NUMBER = auto()  # mantissa and exponent
    TIME = auto()  # hhmmss as a decimal number
    DATE = auto()  # yymmdd as a decimal number, years from 2000
    LONG_DATE = auto()  # yyyymmdd as a decimal number
    DAY_OF_YEAR = auto()  # mmdd as a decimal number
    RTC = auto()  # 8 bytes: flags, weekday, second, minute, hour, day, month, year from 2000
    LOCAL_TIME = auto()  # 7 bytes: daylight saving, year from 2000, month, day, hour, minute, second
    TEXT = auto()  # ASCII
    BITS = auto()  # unsigned, without exponent
    IPV4 = auto()
    IPV6 = auto()
    RAW = auto()  # no source tells the layout: the bytes as hexadecimal text


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit code's meaning. ``symbol`` is "" where the value has no unit.

    ``scale`` is the power of ten between the unit sent and ``symbol``: 1 for "GJ x 10".
    """

    symbol: str
    layout: Layout = Layout.NUMBER
    scale: int = 0


UNITS: Final[Mapping[int, Unit]] = MappingProxyType(
    {
        0x00: Unit(""),
        0x01: Unit("Wh"),
        0x02: Unit("kWh"),
        0x03: Unit("MWh"),
        0x04: Unit("GWh"),
        0x05: Unit("J"),
        0x06: Unit("kJ"),
        0x07: Unit("MJ"),
        0x08: Unit("GJ"),
        0x09: Unit("cal"),
        0x0A: Unit("kcal"),
        0x0B: Unit("Mcal"),
        0x0C: Unit("Gcal"),
        0x0D: Unit("varh"),
        0x0E: Unit("kvarh"),
        0x0F: Unit("Mvarh"),
        0x10: Unit("Gvarh"),
        0x11: Unit("VAh"),
        0x12: Unit("kVAh"),
        0x13: Unit("MVAh"),
        0x14: Unit("GVAh"),
        0x15: Unit("W"),
        0x16: Unit("kW"),
        0x17: Unit("MW"),
        0x18: Unit("GW"),
        0x19: Unit("var"),
        0x1A: Unit("kvar"),
        0x1B: Unit("Mvar"),
        0x1C: Unit("Gvar"),
        0x1D: Unit("VA"),
        0x1E: Unit("kVA"),
        0x1F: Unit("MVA"),
        0x20: Unit("GVA"),
        0x21: Unit("V"),
        0x22: Unit("A"),
        0x23: Unit("kV"),
        0x24: Unit("kA"),
        0x25: Unit("°C"),
        0x26: Unit("K"),
        0x27: Unit("l"),
        0x28: Unit("m³"),
        0x29: Unit("l/h"),
        0x2A: Unit("m³/h"),
        # E8 and E9 add up volume times temperature; written with the product sign of ISO 80000-1.
        0x2B: Unit("m³·°C"),
        0x2C: Unit("t"),
        0x2D: Unit("t/h"),
        0x2E: Unit("h"),
        0x2F: Unit("", Layout.TIME),
        0x30: Unit("", Layout.DATE),
        0x31: Unit("", Layout.LONG_DATE),
        0x32: Unit("", Layout.DAY_OF_YEAR),
        0x33: Unit(""),
        0x34: Unit("bar"),
        0x35: Unit("", Layout.RTC),
        0x36: Unit("", Layout.TEXT),
        0x37: Unit("m³", scale=1),
        0x38: Unit("t", scale=1),
        0x39: Unit("GJ", scale=1),
        0x3A: Unit("min"),
        0x3B: Unit("", Layout.BITS),
        0x3C: Unit("s"),
        0x3D: Unit("ms"),
        0x3E: Unit("d"),
        0x3F: Unit("", Layout.RAW),  # "RTC-Q"
        0x40: Unit("", Layout.RAW),  # "Datetime"
        0x41: Unit("imp/l"),
        0x42: Unit("l/imp"),
        0x43: Unit("Hz"),
        0x44: Unit("°"),
        0x45: Unit("%"),
        0x46: Unit("US gal"),
        0x47: Unit("US gal/min"),
        0x48: Unit("", Layout.RAW),  # "KamDateTime"
        0x49: Unit("", Layout.IPV4),
        0x4A: Unit("", Layout.IPV6),
        0x4F: Unit("", Layout.LOCAL_TIME),
        0x55: Unit("%RH"),
        0x56: Unit("%O₂"),
        0x57: Unit("m/s"),
        0x58: Unit("kJ/kg"),
        0x59: Unit("pH"),
        0x5A: Unit("g/kg"),
    }
)


# Every code there can be; an unknown one is a number whose unit reads ``unit_0x7a``.
UNIT_BY_CODE: Final = tuple(UNITS.get(code, Unit(f"unit_0x{code:02x}")) for code in range(256))
