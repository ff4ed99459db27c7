"""SetClock read back, as an emulated meter does: every time there is, and what is none."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.kmp.commands import HEAT_METER, LOGGER_TOP
from smart_meter_reader.codecs.kmp.frame import decode_frame
from smart_meter_reader.codecs.kmp.set_clock import decode_set_clock, encode_set_clock
from smart_meter_reader.exceptions import ProtocolError, ValueFormatError

# 5512-447, 6.2.3: 070730 and 161557, as decimal numbers.
EXAMPLE = bytes.fromhex("0001144a00027715")
AT = datetime(2007, 7, 30, 16, 15, 57)  # noqa: DTZ001 - the meter knows no zone


def test_the_example_of_the_document() -> None:
    assert decode_set_clock(EXAMPLE) == AT


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))  # noqa: DTZ001 - meters know no zone
def test_every_time_comes_back(at: datetime) -> None:
    assert decode_set_clock(decode_frame(encode_set_clock(at)).payload) == at.replace(microsecond=0)


def test_it_goes_to_the_heat_meter_unless_told_otherwise() -> None:
    assert decode_frame(encode_set_clock(AT)).address == HEAT_METER
    assert decode_frame(encode_set_clock(AT, LOGGER_TOP)).address == LOGGER_TOP


@pytest.mark.parametrize("payload", [b"", EXAMPLE[:-1], EXAMPLE + b"\x00"])
def test_date_and_time_take_eight_bytes(payload: bytes) -> None:
    with pytest.raises(ProtocolError, match=f"SetClock carries 8 bytes, not {len(payload)}") as caught:
        decode_set_clock(payload)
    assert caught.value.reason == "length"


def test_leading_zeros_are_lost_on_the_wire() -> None:
    assert decode_set_clock(bytes.fromhex("0000006500000005")) == datetime(2000, 1, 1, 0, 0, 5)  # noqa: DTZ001


@pytest.mark.parametrize(("date", "time"), [(71301, 161557), (70730, 240000), (70730, 5060)])
def test_a_time_that_cannot_be_is_refused(date: int, time: int) -> None:
    with pytest.raises(ValueFormatError, match=f"SetClock to {date:06} {time:06} cannot be"):
        decode_set_clock(date.to_bytes(4, "big") + time.to_bytes(4, "big"))
