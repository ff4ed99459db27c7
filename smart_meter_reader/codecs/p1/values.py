"""The values of a telegram: what stands between brackets, with the unit as written and as we spell it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from smart_meter_reader.codecs.p1.timestamps import (
    looks_like_timestamp,
    parse_moment,
    parse_timestamp,
    set_clock,
)
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.quantities.units import canonical
from smart_meter_reader.text import LONGEST_NUMBER

Object = Measurement | list[Measurement]

_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_UNITS: Final = (
    *("Wh", "kWh", "MWh", "GWh", "W", "kW", "MW", "J", "kJ", "MJ", "GJ"),
    *("varh", "kvarh", "Mvarh", "var", "kvar", "Mvar", "VAh", "kVAh", "VA", "kVA", "MVA"),
    *("V", "kV", "A", "Hz", "s", "min", "h", "m3", "m³", "dm3", "l", "m3/h", "l/h", "C", "degC", "K"),
)
_BY_LOWER_CASE = {unit.lower(): canonical(unit) for unit in _UNITS}
# eMUCS meters of 2019 to 2021 wrote (001247.747kWh), without the '*' between number and unit.
_STARLESS = re.compile(
    r"([-+]?[0-9]+(?:\.[0-9]+)?) ?("
    + "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
    + ") *",
    re.ASCII | re.IGNORECASE,
)
# What fills a message that is not there: Holley writes FF, as digits or as the octets themselves.
_FILLER = re.compile(r"(?:FF|ff|00| )*[Ff]?|\xff*")
# An identifier of decimal digits only is octets when they spell one: 3153414733323030303031323334 is
# 1SAG3200001234, 4730303339 is G0039. A number does so by chance less than once in 10,000 times.
_SPELLED = re.compile(r"[A-Z][0-9A-Z]{0,3}[0-9]{4,}|[0-9]{6,}|[0-9A-Z]{8,}", re.ASCII)
_OCTETS = re.compile(r"(?:[0-9A-Fa-f]{2})+", re.ASCII)
# The thirteen peaks of a Belgian year and the ten entries of a log have some forty timestamps.
_MAX_REMEMBERED = 64
_LONGEST_REMEMBERED = 16  # a time has 13 characters, the code of a log some more


class Units(dict[str, str]):
    """Canonical spellings of the units met so far; "kwh", "kWh " and "kWh" are one unit."""

    def __missing__(self, unit: str) -> str:
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        stripped = unit.strip()
        spelling = self[unit] = _BY_LOWER_CASE.get(stripped.lower()) or canonical(stripped)
        return spelling


class Times(dict[str, datetime | None]):
    """Moments in UTC of the times met so far, as text of an item; None for a clock that was never set."""

    def __missing__(self, text: str) -> datetime | None:
        return self.remember(text, parse_moment(text))

    def remember(self, text: str, moment: datetime | None) -> datetime | None:
        """Keep the moment of an item's text, which is not met yet; as a clock tells it."""
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        clock = self[text] = set_clock(moment)
        return clock


class Items(dict[str, Measurement]):
    """What stood between brackets beside a number, decoded: times, codes and counts of logs and devices."""

    def __missing__(self, text: str) -> Measurement:
        item = parse_item(text)
        if len(text) <= _LONGEST_REMEMBERED:
            if len(self) >= _MAX_REMEMBERED:
                self.clear()
            self[text] = item
        return item


class Octets(dict[str, str]):
    """Identifiers met so far, decoded."""

    def __missing__(self, text: str) -> str:
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        decoded = self[text] = decode_identifier(text)
        return decoded


@dataclass(frozen=True, slots=True)
class LineMemory:
    """What was learnt from values that come again in every telegram; each part is bounded."""

    units: Units = field(default_factory=Units)
    times: Times = field(default_factory=Times)
    items: Items = field(default_factory=Items)
    octets: Octets = field(default_factory=Octets)


def parse_several(texts: list[str], known: Items, *, numeric: bool) -> list[Measurement]:
    """The items of a line with several; what will come again is remembered in ``known``.

    ``numeric``: the last one is known to be a number.
    """
    items: list[Measurement] = []
    for text in texts:
        number, star, unit = text.partition("*")
        if star and len(number) <= LONGEST_NUMBER and number.replace(".", "", 1).isdecimal():
            items.append({"value": Decimal(number), "unit": unit.strip()})
        else:
            items.append(known[text])
    if numeric and isinstance(items[-1]["value"], str):
        items[-1] = parse_item(texts[-1], numeric=True)
    return items


def parse_item(text: str, *, numeric: bool = False) -> Measurement:
    """One bracket's content: number with unit, number, timestamp (as ISO 8601), or text as it stands.

    Digits without unit or decimal point stay text: whether 0002 is a number is for its meaning to say.
    ``numeric``: the code is known to carry a number, so that 999A is 999 ampere.
    """
    number, star, unit = text.partition("*")
    if star:
        number = number.lstrip(" ")  # Landis+Gyr has a blank where a minus could stand
    if (star or "." in number) and is_number(number):
        return {"value": Decimal(number), "unit": unit.strip()}
    if looks_like_timestamp(text):
        moment = parse_timestamp(text)
        return {"value": text if moment is None else moment.isoformat(), "unit": ""}
    if numeric or "." in text:
        starless = _STARLESS.fullmatch(text)
        if starless and is_number(starless[1]):
            return {"value": Decimal(starless[1]), "unit": starless[2]}
    return {"value": text, "unit": ""}


def is_number(text: str) -> bool:
    """Digits, with a decimal point and a sign (+ is Hager's) or without: twenty characters at most."""
    if len(text) > LONGEST_NUMBER:
        return False
    # The methods of str are three times as fast as the pattern, which is for what is rare. No decimal
    # digits but 0 to 9 are in Latin-1.
    return text.replace(".", "", 1).isdecimal() or _NUMBER.fullmatch(text) is not None


def is_filler(text: str) -> bool:
    """Whether a text holds nothing but what fills an empty one."""
    return _FILLER.fullmatch(text) is not None


def is_empty_message(text: str) -> bool:
    """Whether a message holds nothing but fillers or blanks, written as they are or as octets."""
    return is_filler(text) or not decode_octets(text)


def decode_identifier(text: str) -> str:
    """A serial number, written as hexadecimal octets or as it is; "" for FF, which names nothing.

    Not all are octets: 77512345 and 3960221976967177 are numbers, though the former would spell wQ#E.
    """
    stripped = text.strip()
    if not stripped.strip("0"):
        return stripped
    if is_filler(stripped):
        return ""
    decoded = decode_octets(text)
    if decoded == stripped or not stripped.isdecimal():
        return decoded
    spelled = _SPELLED.fullmatch(decoded) and 2 * sum(map(str.isdecimal, decoded)) >= len(decoded)
    return decoded if spelled else stripped


def decode_octets(text: str) -> str:
    """Text that the meter wrote as hexadecimal octets (DSMR 5.0.2 P1, 6.4); other text as it stands.

    What fills it up at its end is left off. What does not decode to printable ASCII is left alone.
    """
    if not _OCTETS.fullmatch(text):
        return text.rstrip("\xff").strip()
    decoded = bytes.fromhex(text).rstrip(b"\xff\0").decode("latin-1")
    if decoded.isascii() and decoded.isprintable():
        return decoded.strip()
    return text
