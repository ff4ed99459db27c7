"""What a value information field (VIF) means: quantity, unit and power of ten, and what its extensions add.

Sources: EN 13757-3, 6.4 (tables 10 to 16: primary VIF, extensions FBh and FDh, combinable VIFE); The M-Bus: A
Documentation, 8.4.3 to 8.4.6. Quantities and units are written as there: m3, degC, hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final


class Form(Enum):
    """How the octets of a value are to be read."""

    NUMBER = auto()
    FLAGS = auto()  # without sign, and no pattern of bits stands for "not available"
    DATE = auto()  # types F, G, I and J, told apart by their length
    TEXT_UNIT = auto()  # a number or text whose unit stands in the telegram as text
    MAKERS = auto()  # only the maker knows


@dataclass(frozen=True, slots=True)
class VifMeaning:
    """What one VIF stands for. The value is the number sent times ten to the power of ``exponent``."""

    quantity: str
    unit: str = ""
    exponent: int = 0
    form: Form = Form.NUMBER


FIRST_EXTENSION: Final = 0xFB
SECOND_EXTENSION: Final = 0xFD
TEXT: Final = 0x7C
MAKERS: Final = 0x7F

_Rows = Iterator[tuple[int, VifMeaning]]
_TIMES: Final = ("seconds", "minutes", "hours", "days")


def _powers(first: int, count: int, quantity: str, unit: str, exponent: int) -> _Rows:
    """Codes in a row, each ten times the one before."""
    for number in range(count):
        yield first + number, VifMeaning(quantity, unit, exponent + number)


def _durations(first: int, quantity: str, units: tuple[str, ...] = _TIMES) -> _Rows:
    for number, unit in enumerate(units):
        yield first + number, VifMeaning(quantity, unit)


def _primary() -> _Rows:
    yield from _powers(0x00, 8, "energy", "Wh", -3)
    yield from _powers(0x08, 8, "energy", "J", 0)
    yield from _powers(0x10, 8, "volume", "m3", -6)
    yield from _powers(0x18, 8, "mass", "kg", -3)
    yield from _durations(0x20, "on time")
    yield from _durations(0x24, "operating time")
    yield from _powers(0x28, 8, "power", "W", -3)
    yield from _powers(0x30, 8, "power", "J/h", 0)
    yield from _powers(0x38, 8, "volume flow", "m3/h", -6)
    yield from _powers(0x40, 8, "volume flow", "m3/min", -7)
    yield from _powers(0x48, 8, "volume flow", "m3/s", -9)
    yield from _powers(0x50, 8, "mass flow", "kg/h", -3)
    yield from _powers(0x58, 4, "flow temperature", "degC", -3)
    yield from _powers(0x5C, 4, "return temperature", "degC", -3)
    yield from _powers(0x60, 4, "temperature difference", "K", -3)
    yield from _powers(0x64, 4, "external temperature", "degC", -3)
    yield from _powers(0x68, 4, "pressure", "bar", -3)
    yield 0x6C, VifMeaning("date", form=Form.DATE)
    yield 0x6D, VifMeaning("date time", form=Form.DATE)
    yield 0x6E, VifMeaning("heat cost allocation")
    yield from _durations(0x70, "averaging duration")
    yield from _durations(0x74, "actuality duration")
    yield 0x78, VifMeaning("fabrication number")
    yield 0x79, VifMeaning("enhanced identification")
    yield 0x7A, VifMeaning("bus address")
    yield TEXT, VifMeaning("text", form=Form.TEXT_UNIT)
    yield 0x7E, VifMeaning("any quantity")
    yield MAKERS, VifMeaning("manufacturer specific", form=Form.MAKERS)


def _first_extension() -> _Rows:
    """Behind FBh."""
    yield from _powers(0x00, 2, "energy", "MWh", -1)
    yield from _powers(0x02, 2, "reactive energy", "kvarh", 0)
    yield from _powers(0x04, 2, "apparent energy", "kVAh", 0)
    yield from _powers(0x08, 2, "energy", "GJ", -1)
    yield from _powers(0x0C, 4, "energy", "Mcal", -1)
    yield from _powers(0x10, 2, "volume", "m3", 2)
    yield from _powers(0x14, 4, "reactive power", "kvar", -3)
    yield from _powers(0x18, 2, "mass", "t", 2)
    yield from _powers(0x1A, 2, "relative humidity", "%", -1)
    yield 0x20, VifMeaning("volume", "ft3")
    yield 0x21, VifMeaning("volume", "ft3", -1)
    yield 0x22, VifMeaning("volume", "gal", -1)
    yield 0x23, VifMeaning("volume", "gal")
    yield 0x24, VifMeaning("volume flow", "gal/min", -3)
    yield 0x25, VifMeaning("volume flow", "gal/min")
    yield 0x26, VifMeaning("volume flow", "gal/h")
    yield from _powers(0x28, 2, "power", "MW", -1)
    yield 0x2A, VifMeaning("phase of voltage to voltage", "deg", -1)
    yield 0x2B, VifMeaning("phase of voltage to current", "deg", -1)
    yield from _powers(0x2C, 4, "frequency", "Hz", -3)
    yield from _powers(0x30, 2, "power", "GJ/h", -1)
    yield from _powers(0x34, 4, "apparent power", "kVA", -3)
    yield from _powers(0x58, 4, "flow temperature", "degF", -3)
    yield from _powers(0x5C, 4, "return temperature", "degF", -3)
    yield from _powers(0x60, 4, "temperature difference", "degF", -3)
    yield from _powers(0x64, 4, "external temperature", "degF", -3)
    yield from _powers(0x70, 4, "cold or warm temperature limit", "degF", -3)
    yield from _powers(0x74, 4, "cold or warm temperature limit", "degC", -3)
    yield from _powers(0x78, 8, "cumulative maximum power", "W", -3)


_NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        0x08: "access number",
        0x09: "medium",
        0x0A: "manufacturer",
        0x0B: "parameter set",
        0x0C: "model or version",
        0x0D: "hardware version",
        0x0E: "firmware version",
        0x0F: "software version",
        0x10: "customer location",
        0x11: "customer",
        0x12: "access code of user",
        0x13: "access code of operator",
        0x14: "access code of system operator",
        0x15: "access code of developer",
        0x16: "password",
        0x1C: "baud rate",
        0x1D: "response delay time",
        0x1E: "retry",
        0x1F: "remote control",
        0x20: "first storage number",
        0x21: "last storage number",
        0x22: "size of storage block",
        0x3A: "dimensionless",
        0x3B: "wireless M-Bus container",
        0x60: "reset counter",
        0x61: "cumulation counter",
        0x62: "control signal",
        0x63: "day of week",
        0x64: "week number",
        0x66: "state of parameter activation",
        0x67: "special supplier information",
    }
)
_FLAGS: Final[Mapping[int, str]] = MappingProxyType(
    {0x17: "error flags", 0x18: "error mask", 0x1A: "digital output", 0x1B: "digital input"}
)


def _second_extension() -> _Rows:
    """Behind FDh."""
    yield from _powers(0x00, 4, "credit", "currency", -3)
    yield from _powers(0x04, 4, "debit", "currency", -3)
    yield from ((code, VifMeaning(name)) for code, name in _NAMES.items())
    yield from ((code, VifMeaning(name, form=Form.FLAGS)) for code, name in _FLAGS.items())
    yield from _durations(0x24, "storage interval", (*_TIMES, "months", "years"))
    yield from _durations(0x2C, "duration since last readout")
    yield 0x30, VifMeaning("start of tariff", form=Form.DATE)
    yield from _durations(0x31, "duration of tariff", _TIMES[1:])
    yield from _durations(0x34, "period of tariff", (*_TIMES, "months", "years"))
    yield from _durations(0x3C, "period of nominal transmissions", (*_TIMES,))
    yield from _powers(0x40, 16, "voltage", "V", -9)
    yield from _powers(0x50, 16, "current", "A", -12)
    yield 0x65, VifMeaning("time of day change", form=Form.DATE)
    yield from _durations(0x68, "duration since last cumulation", ("hours", "days", "months", "years"))
    yield from _durations(0x6C, "operating time of battery", ("hours", "days", "months", "years"))
    yield 0x70, VifMeaning("date of battery change", form=Form.DATE)
    yield 0x71, VifMeaning("signal level", "dBm")
    yield 0x74, VifMeaning("remaining battery life", "days")


PRIMARY: Final[Mapping[int, VifMeaning]] = MappingProxyType(dict(_primary()))
EXTENSIONS: Final[Mapping[int, Mapping[int, VifMeaning]]] = MappingProxyType(
    {
        FIRST_EXTENSION: MappingProxyType(dict(_first_extension())),
        SECOND_EXTENSION: MappingProxyType(dict(_second_extension())),
    }
)


def meaning_of(vif: int, extension: int | None) -> VifMeaning:
    """What a VIF (its low seven bits) means, alone or behind FBh or FDh; one of no table is named so."""
    known = (PRIMARY if extension is None else EXTENSIONS[extension]).get(vif)
    if known is not None:
        return known
    return VifMeaning(
        f"unknown VIF {vif:02X}" if extension is None else f"unknown VIF {extension:02X} {vif:02X}"
    )


# --- combinable VIFE: EN 13757-3, table 15 ---

ONLY_POSITIVE: Final = 0x3B
ONLY_NEGATIVE: Final = 0x3C
MAKERS_FOLLOW: Final = 0x7F
EXTENDED: Final = 0x7C  # the next one is of the table below
_THOUSAND: Final = 0x7D

# Errors of a record, told in the place of its value.
RECORD_ERRORS: Final[Mapping[int, str]] = MappingProxyType(
    {
        0x01: "too many DIFE",
        0x02: "storage number not implemented",
        0x03: "subunit not implemented",
        0x04: "tariff not implemented",
        0x05: "function not implemented",
        0x06: "data class not implemented",
        0x07: "data size not implemented",
        0x0B: "too many VIFE",
        0x0C: "illegal VIF group",
        0x0D: "illegal VIF exponent",
        0x0E: "VIF and DIF do not fit",
        0x0F: "unimplemented action",
        0x15: "no data available",
        0x16: "data overflow",
        0x17: "data underflow",
        0x18: "data error",
        0x1C: "premature end of record",
    }
)
_PLAIN_WORDS: Final[Mapping[int, str]] = MappingProxyType(
    {
        0x20: "per second",
        0x21: "per minute",
        0x22: "per hour",
        0x23: "per day",
        0x24: "per week",
        0x25: "per month",
        0x26: "per year",
        0x27: "per revolution",
        0x28: "per pulse of input 0",
        0x29: "per pulse of input 1",
        0x2A: "per pulse of output 0",
        0x2B: "per pulse of output 1",
        0x2C: "per litre",
        0x2D: "per m3",
        0x2E: "per kg",
        0x2F: "per K",
        0x30: "per kWh",
        0x31: "per GJ",
        0x32: "per kW",
        0x33: "per K and litre",
        0x34: "per V",
        0x35: "per A",
        0x36: "times s",
        0x37: "times s/V",
        0x38: "times s/A",
        0x39: "start",
        0x3A: "uncorrected unit",
        ONLY_POSITIVE: "only positive",
        ONLY_NEGATIVE: "only negative",
        0x3E: "at base conditions",
        0x40: "lower limit",
        0x41: "times below lower limit",
        0x48: "upper limit",
        0x49: "times above upper limit",
        0x68: "during exceed of lower limit",
        0x69: "leakage",
        0x6C: "during exceed of upper limit",
        0x6D: "overflow",
        0x7E: "future value",
    }
)
EXTENDED_WORDS: Final[Mapping[int, str]] = MappingProxyType(
    {
        0x01: "phase L1",
        0x02: "phase L2",
        0x03: "phase L3",
        0x04: "neutral",
        0x05: "L1 to L2",
        0x06: "L2 to L3",
        0x07: "L3 to L1",
        0x08: "quadrant Q1",
        0x09: "quadrant Q2",
        0x0A: "quadrant Q3",
        0x0B: "quadrant Q4",
        0x0C: "import less export",
        0x10: "both directions",
    }
)
_EDGES: Final = ("begin", "end")
_LIMITS: Final = ("lower", "upper")
_ORDERS: Final = ("first", "last")
# E100 u f 1 b and E110 1 f 1 b. Where the bit before the last is 0, other things are meant: 68h, 69h, 6Ch and
# 6Dh stand above, 44h, 45h, 4Ch and 4Dh in no table.
_LIMIT_DATES: Final = frozenset(vife for vife in (*range(0x40, 0x50), *range(0x68, 0x70)) if vife & 0b10)


@dataclass(frozen=True, slots=True)
class Addition:
    """What one VIFE adds. ``words``: "" where it only scales; ``unit`` and ``form`` where it says another."""

    words: str = ""
    exponent: int = 0
    unit: str | None = None
    form: Form | None = None


def addition_of(vife: int) -> Addition | None:
    """What a combinable VIFE (its low seven bits) adds; None for one that no table has."""
    if vife in _PLAIN_WORDS:
        return _worded(vife)
    if 0x70 <= vife <= 0x77:
        return Addition(exponent=vife - 0x76)
    if vife == _THOUSAND:
        return Addition(exponent=3)
    if 0x78 <= vife <= 0x7B:
        return Addition("additive correction")
    if vife in _LIMIT_DATES:
        return _limit_date(vife)
    if 0x50 <= vife <= 0x67:
        return _limit_duration(vife)
    return None


def _worded(vife: int) -> Addition:
    words = _PLAIN_WORDS[vife]
    if vife == 0x39:
        return Addition(words, unit="", form=Form.DATE)
    return Addition(words, unit="" if vife in (0x41, 0x49) else None)


def _limit_date(vife: int) -> Addition:
    """E100 u f 1 b: when a limit was exceeded; E110 1 f 1 b: when a value was, first or last."""
    edge, order = _EDGES[vife & 1], _ORDERS[vife >> 2 & 1]
    if vife >= 0x68:
        return Addition(f"date of {edge} of {order}", unit="", form=Form.DATE)
    words = f"date of {edge} of {order} exceed of {_LIMITS[vife >> 3 & 1]} limit"
    return Addition(words, unit="", form=Form.DATE)


def _limit_duration(vife: int) -> Addition:
    unit, order = _TIMES[vife & 3], _ORDERS[vife >> 2 & 1]
    if vife >= 0x60:
        return Addition(f"duration of {order}", unit=unit)
    return Addition(f"duration of {order} exceed of {_LIMITS[vife >> 3 & 1]} limit", unit=unit)
