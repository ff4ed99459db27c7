"""SetClock: the one request that changes a meter, for the owner who asks for it by name.

Source: Kamstrup 5512-447, section 6.2.3. The meter acknowledges with a sole 06h; a 67-05 top module does not
pass it on. Nothing else in this program can encode a request that writes (see ``commands.READING``).
"""

from __future__ import annotations

import struct
from datetime import datetime

from smart_meter_reader.codecs.kmp.commands import HEAT_METER, SET_CLOCK, SETTING_THE_CLOCK
from smart_meter_reader.codecs.kmp.frame import START_REQUEST, encode_frame
from smart_meter_reader.exceptions import ProtocolError, ValueFormatError

_DATE_AND_TIME = struct.Struct(">II")  # YYMMDD and hhmmss, as decimal numbers


def encode_set_clock(at: datetime, address: int = HEAT_METER) -> bytes:
    """The frame that sets a meter's clock to ``at``: the meter's standard time, without a zone.

    Raises ValueError for a time with a zone, or a year that is not one of 2000 to 2099.
    """
    if at.tzinfo is not None or not 2000 <= at.year <= 2099:
        raise ValueError(f"{at} does not fit: a meter's clock is set to years 2000 to 2099, without a zone")
    date = (at.year - 2000) * 10_000 + at.month * 100 + at.day
    time = at.hour * 10_000 + at.minute * 100 + at.second
    return encode_frame(START_REQUEST, address, SET_CLOCK, _DATE_AND_TIME.pack(date, time), SETTING_THE_CLOCK)


def decode_set_clock(payload: bytes) -> datetime:
    """What the payload of SetClock sets the clock to. Raises ProtocolError (``length``), ValueFormatError."""
    if len(payload) != _DATE_AND_TIME.size:
        raise ProtocolError("length", f"SetClock carries {_DATE_AND_TIME.size} bytes, not {len(payload)}")
    date, time = _DATE_AND_TIME.unpack(payload)
    try:
        return datetime(  # noqa: DTZ001 - the meter knows no zone
            *(2000 + date // 10_000, date // 100 % 100, date % 100),
            *(time // 10_000, time // 100 % 100, time % 100),
        )
    except ValueError as error:
        raise ValueFormatError(f"SetClock to {date:06} {time:06} cannot be: {error}") from None
