"""The national dialects of P1: how one is recognised, and the few things that depend on it.

Nobody has to name the dialect, since one table of OBIS codes serves all. It is told as information, and
decides Luxembourg's units where the meter leaves them out, and its constant authentication key.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from smart_meter_reader.text import REPLACEMENT

DIALECTS: Final = (
    "dsmr-2.2",  # and 3, which looks the same
    "dsmr-4",
    "dsmr-5",
    "belgium",
    "luxembourg",
    "austria",
    "sweden",
    "lithuania",
    "hungary",
    "switzerland",
    "germany",
)
UNKNOWN: Final = ""
LIMIT_CURRENTS: Final = frozenset({"belgium", "hungary"})
"""Where 31.4.0, 51.4.0 and 71.4.0 are limits of current: "Áramkorlátozás határérték" in E.ON's table."""

# Sagemcom's T210-D serves four countries under these names; the others are makers with one market.
_BY_HEADER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "LUX": "luxembourg",
        "FLU": "belgium",
        "EST": "austria",
        "ADN": "sweden",
        "ELL": "sweden",
        "LGF": "sweden",
        "ESO": "lithuania",
        "SAG": "hungary",
        "HLY": "hungary",
        "WSE": "hungary",
        "ESY": "germany",
        "HAG": "germany",
        "EBZ": "germany",
        "LOG": "germany",
    }
)
# Whoever makes meters for these makes them for the Netherlands too, under the same letters (LGF5E360, SAG5).
_MAKERS_MARKETS: Final = frozenset({"hungary", "sweden"})
_MANUFACTURERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ADN": "Aidon",
        "AUX": "Sanxing",
        "EBZ": "eBZ",
        "EGM": "Elgama",
        "ESY": "EasyMeter",
        "HAG": "Hager",
        "HLY": "Holley",
        "ISK": "Iskraemeco",
        "KAM": "Kamstrup",
        "KFM": "Kaifa",
        "KMP": "Kamstrup",
        "LGB": "Landis+Gyr",
        "LGF": "Landis+Gyr",
        "LOG": "Logarex",
        "SAG": "Sagemcom",
        "WSE": "Wasion",
        "XMX": "Landis+Gyr",
    }
)
# Iskraemeco's IE.5 and IE.7, made for Wallonia: "ISk5\\2MIE5T-200".
_IE = re.compile(r"ISK[0-9](?:\\[0-9])?MIE[0-9]", re.IGNORECASE)
# IEC 62056-21, 6.3.2: three letters, the baud rate character, an optional "\\" with a mode character.
_HEADER = re.compile(r"([0-9A-Za-z]{3})(.?)(?:\\+[0-9@])?\\*(.*)", re.DOTALL)


_T210 = re.compile(r"T21[0-9]")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a telegram; "" for what it does not tell."""

    manufacturer: str = ""
    model: str = ""
    serial_number: str = ""
    version: str = ""  # of P1, as the meter writes it: "50", "50217"
    dialect: str = ""


def dialect_of(header: str, version: str, codes: Container[str]) -> str:
    """The dialect of a telegram; "" when nothing tells it.

    ``version`` is the value of 1-3:0.2.8 or 0-0:96.1.4 ("" when absent), ``codes`` the OBIS codes sent.
    """
    if version.startswith("502"):
        return "belgium"
    known = _BY_HEADER.get(header[:3].upper())
    if known and not (known in _MAKERS_MARKETS and _is_dutch(version, codes)):
        return known
    if _IE.match(header):
        return "belgium"
    if _is_hungarian(codes):
        return "hungary"
    if "1-1:1.8.0" in codes or "1-1:1.8.1" in codes:
        return "switzerland"
    if version[:1] in ("4", "5"):
        return f"dsmr-{version[0]}"
    if header[:4].upper() == "KAM5" and "1-0:23.7.0" in codes:
        return "sweden"
    if "0-0:1.0.0" not in codes and "0-0:96.14.0" in codes:
        # Before version 4 there was neither a version nor a time in the telegram.
        return "dsmr-2.2"
    return UNKNOWN


def _is_hungarian(codes: Container[str]) -> bool:
    """By what E.ON's profile has and no other: Sanxing, Kaifa and more make meters for it."""
    return "0-0:96.50.68" in codes or ("0-0:42.0.0" in codes and "1-0:15.8.0" in codes)


def _is_dutch(version: str, codes: Container[str]) -> bool:
    """Whether a maker of another market made it for the Dutch one: DSMR has totals by tariff only."""
    return version[:1] in ("4", "5") and "1-0:1.8.0" not in codes


def maker_and_model(header: str, identifier: str) -> tuple[str, str]:
    """Manufacturer and model, "" where the header does not tell; ``identifier`` is the serial number."""
    match = _HEADER.fullmatch(header)
    if match is None:
        return "", ""
    flag, model = match[1].upper(), match[3].strip(f"{REPLACEMENT} ")
    manufacturer = _MANUFACTURERS.get(flag, "")
    if not manufacturer and ("SAG" in identifier[:4] or _T210.match(model)):
        manufacturer = "Sagemcom"
    # Sanxing has nothing but its number there.
    return manufacturer, model if model != identifier else ""
