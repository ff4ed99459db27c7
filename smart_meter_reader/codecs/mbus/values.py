"""The octets of an M-Bus value: numbers (binary, BCD, floating), texts, dates; what stands for none is told.

Sources: EN 13757-3, annex A (data types A to J) and 6.4.2 (data field, LVAR); The M-Bus: A Documentation,
appendix; negative BCD and "not available" by captures (docs/references.md).
"""

from __future__ import annotations

import struct
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Final

from smart_meter_reader.exceptions import ValueFormatError

_NEGATIVE: Final = "f"
_FURTHEST: Final = 20
# Two-digit years: below, they are of this century.
_CENTURY_TURN: Final = 81


def integer(octets: bytes) -> int:
    """Type B: two's complement. Raises ValueFormatError for 80..00, which stands for "not available"."""
    if octets[-1] == 0x80 and not any(octets[:-1]):
        raise ValueFormatError(f"not available ({octets[::-1].hex()})")
    return int.from_bytes(octets, "little", signed=True)


def unsigned(octets: bytes) -> int:
    """Types C and D: without sign."""
    return int.from_bytes(octets, "little")


def bcd(octets: bytes) -> int:
    """Type A: decimal digits, two an octet, the lowest first; F in the highest place is a minus sign.

    Raises ValueFormatError for any other digit: so meters tell errors, in the digits of their display.
    """
    digits = octets[::-1].hex()
    sign = 1
    if digits.startswith(_NEGATIVE):
        sign, digits = -1, digits[1:]
    if not digits.isdecimal():
        told = octets[::-1].hex().upper()
        if not told.strip("F"):
            raise ValueFormatError(f"no number: BCD {told}, which stands for not available")
        wrong = ", ".join(sorted({digit for digit in digits.upper() if not digit.isdecimal()}))
        raise ValueFormatError(f"no number: BCD {told} has {wrong} for a digit, as meters tell an error")
    return sign * int(digits)


def real(octets: bytes) -> Decimal:
    """Type H: IEEE 754, four octets. Raises ValueFormatError for what is no number."""
    number: float = struct.unpack("<f", octets)[0]
    if not isfinite(number):
        raise ValueFormatError(f"no number ({number})")
    return Decimal(repr(number))


def scaled(number: int | Decimal, exponent: int) -> Decimal:
    """A number times a power of ten, with all its decimals and written out: 37351 and 3 give 37351000.

    Raises ValueFormatError for a power that extension upon extension has made meaningless.
    """
    if abs(exponent) > _FURTHEST:
        raise ValueFormatError(f"no number (times ten to the power of {exponent})")
    if exponent > 0:
        return Decimal(number) * Decimal(10) ** exponent
    return Decimal(number).scaleb(exponent)


def text(octets: bytes) -> str:
    """ISO 8859-1, the last character first; without what does not print."""
    return "".join(filter(str.isprintable, octets[::-1].decode("latin-1"))).strip()


def moment(octets: bytes) -> str:
    """A date or time as ISO 8601 has it, without a zone: types G (2 octets), J (3), F (4) and I (6).

    Raises ValueFormatError for one that is not set, that the meter marks as invalid, or that cannot be.
    """
    if not any(octets) or all(octet == 0xFF for octet in octets):
        raise ValueFormatError("not set")
    match len(octets):
        case 2:
            return _date(octets[0], octets[1]).isoformat()
        case 3:
            return _time_of_day(octets)
        case 4:
            return _minutes(octets)
        case 6:
            return _seconds(octets)
    raise ValueFormatError(f"{len(octets)} octets are no date")


def _minutes(octets: bytes) -> str:
    """Type F: bit 7 of the minutes marks it as invalid; bits 5 and 6 of the hours count centuries."""
    minute, hour, day, month = octets
    if minute & 0x80:
        raise ValueFormatError(f"marked as invalid ({octets.hex()})")
    when = _moment(_date(day, month, hour >> 5 & 0x03), hour & 0x1F, minute & 0x3F, 0)
    return when.isoformat(timespec="minutes")


def _seconds(octets: bytes) -> str:
    """Type I: with seconds; bit 7 of the minutes marks it as invalid."""
    second, minute, hour, day, month, _ = octets
    if minute & 0x80:
        raise ValueFormatError(f"marked as invalid ({octets.hex()})")
    return _moment(_date(day, month), hour & 0x1F, minute & 0x3F, second & 0x3F).isoformat()


def _time_of_day(octets: bytes) -> str:
    """Type J."""
    second, minute, hour = octets[0] & 0x3F, octets[1] & 0x3F, octets[2] & 0x1F
    return _moment(date(2000, 1, 1), hour, minute, second).time().isoformat()


def _date(low: int, high: int, centuries: int = 0) -> date:
    """Type G: day and month, and the year in what is left of both octets."""
    day, month, year = low & 0x1F, high & 0x0F, low >> 5 | (high & 0xF0) >> 1
    if day == 0 or month == 0:
        raise ValueFormatError("not set")
    century = 1900 + 100 * centuries if centuries else 2000 if year < _CENTURY_TURN else 1900
    try:
        if year > 99:
            raise ValueError
        return date(century + year, month, day)
    except ValueError:
        raise ValueFormatError(f"no date (day {day}, month {month}, year {year})") from None


def _moment(day: date, hour: int, minute: int, second: int) -> datetime:
    try:
        return datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001 - the meter has no zone
    except ValueError:
        raise ValueFormatError(f"no time of day ({hour}:{minute}:{second})") from None
