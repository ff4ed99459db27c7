"""Records and answers as a meter sends them: for emulated meters, and to test what reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from smart_meter_reader.codecs.mbus.frame import RSP_UD, LongFrame
from smart_meter_reader.codecs.mbus.header import Header
from smart_meter_reader.codecs.mbus.records import Function
from smart_meter_reader.codecs.mbus.telegram import VARIABLE

_FUNCTIONS: Final[tuple[Function, ...]] = ("instantaneous", "maximum", "minimum", "error")
_INTEGERS: Final = {1: 1, 2: 2, 3: 3, 4: 4, 6: 6, 8: 7}
_BCD: Final = {2: 9, 4: 10, 6: 11, 8: 12, 12: 14}


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """Where a value belongs: what of it is told in DIF and DIFE."""

    function: Function = "instantaneous"
    storage: int = 0
    tariff: int = 0
    subunit: int = 0

    def dif(self, data_field: int) -> bytes:
        """DIF and as many DIFE as the numbers take."""
        octets = [_FUNCTIONS.index(self.function) << 4 | (self.storage & 1) << 6 | data_field]
        storage, tariff, subunit = self.storage >> 1, self.tariff, self.subunit
        while storage or tariff or subunit:
            octets[-1] |= 0x80
            octets.append((subunit & 1) << 6 | (tariff & 3) << 4 | storage & 0x0F)
            storage, tariff, subunit = storage >> 4, tariff >> 2, subunit >> 1
        return bytes(octets)


NOW: Final = RecordPlace()


def integer_record(number: int, vif: bytes, *, octets: int = 4, place: RecordPlace = NOW) -> bytes:
    """A record with a binary number of 1, 2, 3, 4, 6 or 8 octets. OverflowError when it does not fit."""
    return place.dif(_INTEGERS[octets]) + vif + number.to_bytes(octets, "little", signed=True)


def bcd_record(number: int, vif: bytes, *, digits: int = 8, place: RecordPlace = NOW) -> bytes:
    """A record with 2, 4, 6, 8 or 12 digits, of which a minus sign takes one."""
    text = f"{number:0{digits}d}" if number >= 0 else f"f{-number:0{digits - 1}d}"
    return place.dif(_BCD[digits]) + vif + bytes.fromhex(text)[::-1]


def date_record(day: date, *, place: RecordPlace = NOW) -> bytes:
    """A record with a date (type G)."""
    return place.dif(2) + b"\x6c" + _date(day)


def moment_record(when: datetime, *, place: RecordPlace = NOW) -> bytes:
    """A record with a date and time (type F)."""
    return place.dif(4) + b"\x6d" + bytes((when.minute, when.hour)) + _date(when)


def _date(day: date) -> bytes:
    year = day.year % 100
    return bytes((day.day | (year & 7) << 5, day.month | (year & 0x78) << 1))


def answer(header: Header, records: Iterable[bytes], address: int, *, control: int = RSP_UD) -> LongFrame:
    """A meter's answer with variable data. Raises ValueError when it is encoded and too long."""
    return LongFrame(control, address, VARIABLE, header.encode() + b"".join(records))
