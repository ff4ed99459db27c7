"""Times of DLMS: twelve octets, of which many may be left open.

DLMS UA 1000-2 (Green Book) / 1000-1 (Blue Book) 4.1.6.1, date-time: year 2, month, day, weekday, hour,
minute, second, hundredths, deviation 2, status. FF is "not given". The deviation is minutes from local time
to UTC, so that -60 is UTC+1; 8000 is "not given". The weekday is often rubbish and not looked at.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple

LENGTH: Final = 12
_NOT_GIVEN: Final = -0x8000
_MOST_MINUTES: Final = 840  # no zone is further from UTC
_INVALID: Final = 0x01
_OPEN: Final = 0xFF
_NO_STATUS: Final = 0xFF


class MeterTime(NamedTuple):
    """A moment by the meter's clock: local time, aware where the meter tells its distance from UTC.

    ``valid``: the meter does not say itself that its clock is wrong.
    """

    moment: datetime
    valid: bool


def parse_date_time(octets: bytes) -> MeterTime | None:
    """The moment; None where year, month, day, hour or minute is open, or there is no such moment."""
    if len(octets) != LENGTH:
        return None
    hour, minute, second = octets[5:8]
    hundredths = octets[8]
    deviation = int.from_bytes(octets[9:11], "big", signed=True)
    zone = None if abs(deviation) > _MOST_MINUTES else timezone(timedelta(minutes=-deviation))
    try:
        moment = datetime(
            int.from_bytes(octets[:2], "big"),
            octets[2],
            octets[3],
            hour,
            minute,
            0 if second == _OPEN else second,
            0 if hundredths > 99 else hundredths * 10_000,
            zone,
        )
    except ValueError:
        return None
    status = octets[11]
    return MeterTime(moment, status == _NO_STATUS or not status & _INVALID)


def encode_date_time(moment: datetime, status: int = 0) -> bytes:
    """The twelve octets; without a deviation for a naive ``moment``."""
    offset = moment.utcoffset()
    deviation = _NOT_GIVEN if offset is None else -round(offset.total_seconds() / 60)
    return (
        moment.year.to_bytes(2, "big")
        + bytes([moment.month, moment.day, moment.isoweekday(), moment.hour, moment.minute, moment.second])
        + b"\xff"
        + deviation.to_bytes(2, "big", signed=True)
        + bytes([status])
    )
