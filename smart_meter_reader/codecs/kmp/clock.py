"""KMP dates, times and clocks: from the mantissa of a register to ISO 8601 text, and back.

Sources: Kamstrup 5512-447, sections 5.1 (units 2Fh, 30h and 32h: hhmmss, yymmdd and mmdd as decimal numbers;
31h after them) and 6.2.3 (what dates and times are valid). The 8 bytes of unit 35h were worked out from
MULTICAL 382 captures, in which weekday and date agree eight times out of eight; the 7 bytes of unit 4Fh, and
that the time in them is standard time, from readouts of MULTICAL 303/603 (docs/references.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.text import is_digits

_RTC_FLAGS: Final = 0x80  # set in every captured clock; 02h beside it in some summer ones


@dataclass(frozen=True, slots=True)
class LocalTime:
    """What a meter's clock says: its standard time, without a zone, and the summer time on top of that.

    ``dst_minutes`` is to be added for what the display shows. UTC is the standard time less the offset that
    the meter's zone has in winter, so that no hour is doubled or missing. None: the meter does not tell.
    """

    standard: datetime
    dst_minutes: int | None = 0

    @property
    def text(self) -> str:
        """The standard time in ISO 8601, without a zone."""
        return self.standard.isoformat()

    def encode(self) -> bytes:
        """The 7 bytes that ``read_local_time`` reads. Raises ValueFormatError for a year beyond 2255."""
        at = _moment(self.text)
        daylight_saving = self.dst_minutes or 0
        return bytes((daylight_saving, at.year - 2000, at.month, at.day, at.hour, at.minute, at.second))


def decode_time(mantissa: bytes) -> str:
    """hhmmss as a number: 200243 is ``20:02:43``."""
    hour, minute, second = _fields(mantissa, 100) or (0, 0, 0)
    return _checked(lambda: time(hour, minute, second), f"{hour:02}:{minute:02}:{second:02}")


def decode_date(mantissa: bytes) -> str | None:
    """yymmdd as a number, years from 2000: 220901 is ``2022-09-01``; None when all zero (never, not set)."""
    fields = _fields(mantissa, 100)
    if fields is None:
        return None
    year, month, day = fields
    return _date_text(2000 + year, month, day)


def decode_long_date(mantissa: bytes) -> str | None:
    """yyyymmdd as a number; None when all zero."""
    fields = _fields(mantissa, 10_000)
    return _date_text(*fields) if fields else None


def decode_day_of_year(mantissa: bytes) -> str | None:
    """mmdd as a number: 630 is ``--06-30``, a date of every year; None when all zero."""
    fields = _fields(mantissa, 1)
    if fields is None:
        return None
    _, month, day = fields
    # 29 February is a day of a year too: checked in a leap year.
    return "-" + _date_text(2000, month, day)[4:]


def decode_rtc(mantissa: bytes) -> str | None:
    """8 bytes: flags, weekday, second, minute, hour, day, month, year from 2000; None when all zero."""
    _expect_length(mantissa, 8, "a clock")
    if not any(mantissa):
        return None
    _flags, _weekday, second, minute, hour, day, month, year = mantissa
    return _timestamp(year, month, day, hour, minute, second)


def decode_local_time(mantissa: bytes) -> str | None:
    """The standard time in the 7 bytes that ``read_local_time`` reads; None when all zero."""
    found = read_local_time(mantissa)
    return found.text if found else None


def read_local_time(mantissa: bytes) -> LocalTime | None:
    """7 bytes: minutes of summer time, year from 2000, month, day, hour, minute, second; None when all zero.

    Raises ValueFormatError for what is no date and time.
    """
    _expect_length(mantissa, 7, "a date and time")
    if not any(mantissa):
        return None
    dst_minutes, year, month, day, hour, minute, second = mantissa
    return LocalTime(datetime.fromisoformat(_timestamp(year, month, day, hour, minute, second)), dst_minutes)


def encode_time(text: str) -> int:
    """The number that ``decode_time`` reads."""
    return _digits(text, decode_time, "a time like 20:02:43")


def encode_date(text: str) -> int:
    """The number that ``decode_date`` reads."""
    if not text.startswith("20"):
        raise ValueFormatError(f"{text!r} is not a date of 2000 to 2099")
    return _digits(text[2:], lambda mantissa: (decode_date(mantissa) or "")[2:], "a date like 2022-09-01")


def encode_long_date(text: str) -> int:
    """The number that ``decode_long_date`` reads."""
    return _digits(text, decode_long_date, "a date like 2022-09-01")


def encode_day_of_year(text: str) -> int:
    """The number that ``decode_day_of_year`` reads."""
    return _digits(text, decode_day_of_year, "a date without year like --06-30")


def encode_rtc(text: str) -> bytes:
    """The 8 bytes that ``decode_rtc`` reads."""
    at = _moment(text)
    return bytes(
        (_RTC_FLAGS, at.isoweekday(), at.second, at.minute, at.hour, at.day, at.month, at.year - 2000)
    )


def encode_local_time(text: str) -> bytes:
    """The 7 bytes that ``decode_local_time`` reads, without summer time."""
    return LocalTime(_moment(text)).encode()


def _fields(mantissa: bytes, leading: int) -> tuple[int, int, int] | None:
    """The three numbers in a date or time, whose leading zeros are lost on the wire. None: all zero."""
    number = int.from_bytes(mantissa, "big")
    if number >= leading * 10_000:
        raise ValueFormatError(f"{number} has more digits than a date or time of its kind")
    if number == 0:
        return None
    return number // 10_000, number // 100 % 100, number % 100


def _timestamp(year: int, month: int, day: int, hour: int, minute: int, second: int) -> str:
    seen = f"{2000 + year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
    # The meter's clock knows no zone.
    return _checked(lambda: datetime(2000 + year, month, day, hour, minute, second), seen)  # noqa: DTZ001


def _date_text(year: int, month: int, day: int) -> str:
    return _checked(lambda: date(year, month, day), f"{year:04}-{month:02}-{day:02}")


def _checked(make: Callable[[], date | time], seen: str) -> str:
    try:
        return make().isoformat()
    except ValueError as error:
        raise ValueFormatError(f"{seen} cannot be: {error}") from None


def _expect_length(mantissa: bytes, length: int, what: str) -> None:
    if len(mantissa) != length:
        raise ValueFormatError(f"{what} is {length} bytes long, not {len(mantissa)}")


def _digits(text: str, decode: Callable[[bytes], str | None], example: str) -> int:
    digits = re.sub("[:-]", "", text)
    number = int(digits) if is_digits(digits, 8) else 0
    # What does not come back as it went in was no date or time.
    if decode(number.to_bytes(4, "big")) != text:
        raise ValueFormatError(f"{text!r} is not {example}")
    return number


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueFormatError(f"{text!r} is not a date and time like 2012-09-10T16:02:33") from None
    if not 2000 <= moment.year <= 2255 or moment.tzinfo is not None:
        raise ValueFormatError(f"{text!r} does not fit: a meter's clock has years 2000 to 2255 and no zone")
    return moment
