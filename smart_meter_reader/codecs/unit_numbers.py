"""The units that binary meters send as a number: SML and DLMS number them alike.

Source: IEC 62056-62, 5.2.2 (register, scaler_unit, enumeration unit), now IEC 62056-6-2, table 4; SML 1.04,
section 6.2.2 refers to it. Spelled as ``quantities.units`` spells them; the others as the standard does.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

NO_UNIT: Final = 255

UNIT_BY_NUMBER: Final[Mapping[int, str]] = MappingProxyType(
    {
        4: "d",
        5: "h",
        6: "min",
        7: "s",
        8: "°",
        9: "°C",
        13: "m³",
        14: "m³",  # corrected
        15: "m³/h",
        16: "m³/h",  # corrected
        19: "L",
        20: "kg",
        23: "Pa",
        24: "bar",
        25: "J",
        27: "W",
        28: "VA",
        29: "var",
        30: "Wh",
        31: "VAh",
        32: "varh",
        33: "A",
        35: "V",
        44: "Hz",
        52: "K",
        56: "%",
        NO_UNIT: "",
    }
)
"""Those that meters send. Any other is told by its number (``unit_of``)."""


def unit_of(number: int) -> str:
    """The unit with this number; ``unit 45`` for one that is none of ours, which then fits no quantity."""
    return UNIT_BY_NUMBER.get(number, f"unit {number}")
