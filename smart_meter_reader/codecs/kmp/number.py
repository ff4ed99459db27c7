"""KMP values: unit, SignExp and mantissa of a register to Decimal or text, and back, without loss.

Source: Kamstrup 5512-447, sections 4.2 (floating point format) and 4.4 (format of a register).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.kmp import clock
from smart_meter_reader.codecs.kmp.units import UNIT_BY_CODE, Layout
from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.quantities.measurement import Value
from smart_meter_reader.text import LONGEST_NUMBER, is_bounded

# Looked up once: a reading asks eight times, and enumerations are slow to ask.
_NUMBER: Final = Layout.NUMBER

_SIGN: Final = 0x80  # bit 7 of SignExp: the mantissa is negative
_EXPONENT_SIGN: Final = 0x40  # bit 6: the exponent is negative
_EXPONENT: Final = 0x3F  # bits 5 to 0
# The exponent by SignExp.
_EXPONENTS: Final = tuple(
    -(byte & _EXPONENT) if byte & _EXPONENT_SIGN else byte & _EXPONENT for byte in range(256)
)
_USUAL_SIZE: Final = 4  # bytes of most mantissas; 1, 2, 7, 8, 10, 13 and 16 have been seen too
_LARGEST_SIZE: Final = 255
_LARGEST_DIGITS: Final = 615  # that fit into them
_LONGEST_MANTISSA: Final = 16  # bytes of a number; no longer one has been seen
# The caller's context would cut a long mantissa to its 28 digits; the longest has 39.
_EXACT: Final = Context(prec=39)


def decode_value(unit_code: int, sign_exponent: int, mantissa: bytes) -> Value | None:
    """The value of one register.

    Numbers are Decimals with the digits that were sent, bit fields ints; dates and times are ISO 8601 text
    (see ``clock``), and what has no known layout is hexadecimal text. None stands for a date that the meter
    has not set. Raises ValueFormatError for what cannot be: month 13, say, or a number of 17 bytes.
    """
    unit = UNIT_BY_CODE[unit_code]
    if not mantissa:
        raise ValueFormatError("the register has a unit but no value: its mantissa is 0 bytes long")
    if unit.layout is not _NUMBER:
        if sign_exponent:
            raise ValueFormatError(f"SignExp is {sign_exponent:02X}h where only 00h makes sense")
        return _DECODERS[unit.layout](mantissa)
    if len(mantissa) > _LONGEST_MANTISSA:
        raise _too_long(mantissa)
    digits = int.from_bytes(mantissa, "big")
    if sign_exponent & _SIGN:
        digits = -digits
    return _EXACT.scaleb(digits, _EXPONENTS[sign_exponent] + unit.scale)


def bounded(value: Value | None) -> Value | None:
    """The value, unless its digits are more than a reader of JSON need take. Raises ValueFormatError."""
    if isinstance(value, Decimal) and not is_bounded(value):
        raise ValueFormatError(f"{value} has more than {LONGEST_NUMBER} digits: no meter counts so far")
    return value


def encode_value(value: Value, unit_code: int, size: int | None = None) -> tuple[int, bytes]:
    """SignExp and mantissa of a value, the reverse of ``decode_value``.

    ``size`` is the mantissa's length in bytes; by default 4 for numbers or, when those do not do, as many as
    it takes. Raises ValueFormatError when the value does not fit the unit or the size.
    """
    unit = UNIT_BY_CODE[unit_code]
    sign_exponent = 0
    encoded: int | bytes
    if unit.layout is Layout.NUMBER:
        sign_exponent, encoded = _sign_exponent_and_digits(value, unit.scale)
    elif unit.layout is Layout.BITS:
        encoded = _bits(value)
    else:
        encoded = _ENCODERS[unit.layout](str(value))
    mantissa = _unsigned(encoded, size) if isinstance(encoded, int) else encoded
    if len(mantissa) != (size or len(mantissa)) or not 1 <= len(mantissa) <= _LARGEST_SIZE:
        raise ValueFormatError(f"{value!r} takes {len(mantissa)} bytes, not {size or '1 to 255'}")
    return sign_exponent, mantissa


def _sign_exponent_and_digits(value: Value, scale: int) -> tuple[int, int]:
    if isinstance(value, str):
        raise ValueFormatError(f"{value!r} is a text where the unit asks for a number")
    negative, digits, exponent = Decimal(value).as_tuple()
    if not isinstance(exponent, int):
        raise ValueFormatError(f"{value} is not a finite number")
    exponent -= scale
    if abs(exponent) > _EXPONENT:
        raise ValueFormatError(f"{value} has the exponent {exponent}; a register takes -63 to 63")
    if len(digits) > _LARGEST_DIGITS:
        raise ValueFormatError(f"a value of {len(digits)} digits; a register takes {_LARGEST_DIGITS}")
    magnitude = int("".join(map(str, digits)))
    sign_exponent = abs(exponent) | (_EXPONENT_SIGN if exponent < 0 else 0)
    return sign_exponent | (_SIGN if negative and magnitude else 0), magnitude


def _bits(value: Value) -> int:
    if isinstance(value, str) or not Decimal(value).is_finite() or value < 0 or value != int(value):
        raise ValueFormatError(f"{value!r} is not a bit field: a whole number, 0 or more")
    return int(value)


def _unsigned(number: int, size: int | None) -> bytes:
    needed = max(1, (number.bit_length() + 7) // 8)
    return number.to_bytes(max(needed, size or _USUAL_SIZE), "big")


def _too_long(mantissa: bytes) -> ValueFormatError:
    size = len(mantissa)
    return ValueFormatError(f"a number of {size} bytes; those of meters have {_LONGEST_MANTISSA} at most")


def _decode_bits(mantissa: bytes) -> int:
    if len(mantissa) > _LONGEST_MANTISSA:
        raise _too_long(mantissa)
    return int.from_bytes(mantissa, "big")


def _decode_text(mantissa: bytes) -> str:
    text = mantissa.decode("latin-1").strip("\0 ")
    if not (text.isascii() and text.isprintable()):
        raise ValueFormatError(f"{mantissa.hex().upper()} is not printable ASCII text")
    return text


def _encode_text(text: str) -> bytes:
    if not text.isascii():
        raise ValueFormatError(f"{text!r} is not ASCII text")
    return text.encode("ascii")


def _decode_ipv4(mantissa: bytes) -> str:
    if len(mantissa) != 4:
        raise ValueFormatError(f"an IPv4 address is 4 bytes long, not {len(mantissa)}")
    return str(IPv4Address(mantissa))


def _decode_ipv6(mantissa: bytes) -> str:
    if len(mantissa) != 16:
        raise ValueFormatError(f"an IPv6 address is 16 bytes long, not {len(mantissa)}")
    return str(IPv6Address(mantissa))


def _encode_ipv4(text: str) -> bytes:
    try:
        return IPv4Address(text).packed
    except AddressValueError as error:
        raise ValueFormatError(f"{text!r} is not an IPv4 address: {error}") from None


def _encode_ipv6(text: str) -> bytes:
    try:
        return IPv6Address(text).packed
    except AddressValueError as error:
        raise ValueFormatError(f"{text!r} is not an IPv6 address: {error}") from None


def _encode_raw(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueFormatError(f"{text!r} is not hexadecimal text") from None


_DECODERS: Final[Mapping[Layout, Callable[[bytes], Value | None]]] = MappingProxyType(
    {
        Layout.TIME: clock.decode_time,
        Layout.DATE: clock.decode_date,
        Layout.LONG_DATE: clock.decode_long_date,
        Layout.DAY_OF_YEAR: clock.decode_day_of_year,
        Layout.RTC: clock.decode_rtc,
        Layout.LOCAL_TIME: clock.decode_local_time,
        Layout.TEXT: _decode_text,
        Layout.BITS: _decode_bits,
        Layout.IPV4: _decode_ipv4,
        Layout.IPV6: _decode_ipv6,
        Layout.RAW: lambda mantissa: mantissa.hex().upper(),
    }
)

_ENCODERS: Final[Mapping[Layout, Callable[[str], int | bytes]]] = MappingProxyType(
    {
        Layout.TIME: clock.encode_time,
        Layout.DATE: clock.encode_date,
        Layout.LONG_DATE: clock.encode_long_date,
        Layout.DAY_OF_YEAR: clock.encode_day_of_year,
        Layout.RTC: clock.encode_rtc,
        Layout.LOCAL_TIME: clock.encode_local_time,
        Layout.TEXT: _encode_text,
        Layout.IPV4: _encode_ipv4,
        Layout.IPV6: _encode_ipv6,
        Layout.RAW: _encode_raw,
    }
)
