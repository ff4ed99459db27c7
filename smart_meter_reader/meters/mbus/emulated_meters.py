"""What emulated M-Bus meters have counted: their records, as real ones of that kind send them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, TypeAlias

from smart_meter_reader.codecs.mbus.encode import (
    RecordPlace,
    bcd_record,
    date_record,
    integer_record,
    moment_record,
)
from smart_meter_reader.codecs.mbus.header import KAMSTRUP, Header

Telegrams: TypeAlias = tuple[tuple[bytes, ...], ...]
"""The records of each telegram, in order; before each but the last goes DIF 1F."""

_STORED: Final = RecordPlace(storage=1)
_MAXIMUM: Final = RecordPlace("maximum")
_IN_ERROR: Final = RecordPlace("error")
_INPUT_A, _INPUT_B = RecordPlace(subunit=1), RecordPlace(subunit=2)
# 3.1 kW with 79 L/h all the time: 3.1 kWh and 0.079 m³ an hour.
_WATTS: Final = 3100
_LITRES_PER_HOUR: Final = 79
_FLOW, _RETURN = 6811, 3366


@dataclass(frozen=True, slots=True)
class Counted:
    """What a meter shows: Wh, litres and hours since it was built in, and its clock."""

    watt_hours: int
    litres: int
    hours: int
    clock: datetime

    def after(self, seconds: float) -> Counted:
        """The same so many seconds later."""
        hours = seconds / 3600
        return Counted(
            self.watt_hours + int(_WATTS * hours),
            self.litres + int(_LITRES_PER_HOUR * hours),
            self.hours + int(hours),
            self.clock + timedelta(seconds=seconds),
        )


@dataclass(frozen=True, slots=True)
class Model:
    """One kind of meter. ``power``: whether the bus feeds its optical head too is not the bus's business."""

    maker: str
    version: int
    medium: int
    telegrams: Callable[[Counted, str], Telegrams]

    def header(self, number: str, access: int, status: int = 0) -> Header:
        """Who it is."""
        return Header(number, self.maker, self.version, self.medium, access & 0xFF, status)


def _multical(counted: Counted, number: str) -> Telegrams:
    """As a MULTICAL 403 or 603 with kWh: the records of the captures, in their order."""
    last_target = counted.clock.replace(month=1, day=1).date()
    return (
        (
            bcd_record(int(number), b"\x78"),
            integer_record(counted.watt_hours // 1000, b"\x06"),
            integer_record(counted.litres // 10, b"\x14"),
            integer_record(counted.litres * _FLOW // 100_000, b"\xff\x07"),
            integer_record(counted.litres * _RETURN // 100_000, b"\xff\x08"),
            integer_record(0, b"\x14", place=_INPUT_A),
            integer_record(0, b"\x14", place=_INPUT_B),
            integer_record(counted.hours, b"\x22"),
            integer_record(2, b"\x22", place=_IN_ERROR),
            integer_record(_FLOW, b"\x59", octets=2),
            integer_record(_RETURN, b"\x5d", octets=2),
            integer_record(_FLOW - _RETURN, b"\x61", octets=2),
            integer_record(_WATTS // 100, b"\x2d"),
            integer_record(93, b"\x2d", place=_MAXIMUM),
            integer_record(_LITRES_PER_HOUR, b"\x3b"),
            integer_record(0, b"\xff\x22"),
            moment_record(counted.clock),
            integer_record(counted.watt_hours // 2000, b"\x06", place=_STORED),
            integer_record(counted.litres // 20, b"\x14", place=_STORED),
            date_record(last_target, place=_STORED),
        ),
    )


def _sharky(counted: Counted, number: str) -> Telegrams:
    """A SHARKY 775: decimal digits, and the same at its optical head."""
    return (
        (
            bcd_record(counted.watt_hours // 1000, b"\x06"),
            bcd_record(0, b"\x06", place=RecordPlace(tariff=1)),
            bcd_record(counted.litres, b"\x13"),
            bcd_record(_WATTS, b"\x2b"),
            bcd_record(_LITRES_PER_HOUR, b"\x3b", digits=6),
            bcd_record(_FLOW // 10, b"\x5a", digits=4),
            bcd_record(_RETURN // 10, b"\x5e", digits=4),
            bcd_record((_FLOW - _RETURN) // 10, b"\x62", digits=4),
            bcd_record(counted.hours // 24 % 10_000, b"\x27", digits=4),
            moment_record(counted.clock),
        ),
    )


def _sontex(counted: Counted, number: str) -> Telegrams:
    """A SUPERCAL 531: joules, in two telegrams."""
    return (
        (
            integer_record(counted.watt_hours * 36 // 10_000, b"\x0e"),
            integer_record(counted.litres // 10, b"\x14"),
            integer_record(_FLOW, b"\x59", octets=2),
            integer_record(_RETURN, b"\x5d", octets=2),
        ),
        (
            integer_record(_LITRES_PER_HOUR, b"\x3b"),
            integer_record(_WATTS, b"\x2b"),
            integer_record(counted.hours, b"\x26"),
        ),
    )


def _water(counted: Counted, number: str) -> Telegrams:
    """A water meter with a module for the bus."""
    return (
        (
            bcd_record(int(number), b"\x78"),
            integer_record(counted.litres, b"\x13"),
            integer_record(counted.litres // 2, b"\x13", place=_STORED),
            moment_record(counted.clock),
        ),
    )


MODELS: Final[Mapping[str, Model]] = MappingProxyType(
    {
        "multical_403": Model(KAMSTRUP, 0x34, 0x04, _multical),
        "multical_603": Model(KAMSTRUP, 0x35, 0x04, _multical),
        "sharky": Model("HYD", 0x2F, 0x04, _sharky),
        "supercal": Model("SON", 0x0D, 0x04, _sontex),
        "water": Model("ACW", 0x14, 0x07, _water),
    }
)
