"""What can be encoded as a request to a meter: every command and sub-command there can be is tried."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.kmp.frame import (
    START_REQUEST,
    START_RESPONSE,
    Frame,
    decode_frame,
    encode_frame,
)
from smart_meter_reader.codecs.kmp.loggers import LogLastPresentRequest
from smart_meter_reader.codecs.kmp.message import OtherMessage, encode_request, encode_response
from smart_meter_reader.codecs.kmp.set_clock import encode_set_clock
from smart_meter_reader.exceptions import ForbiddenCommandError

SENDABLE = {0x01, 0x02, 0x10, 0x9B, 0xA0, 0xA2, 0xA3, 0xAA}
SENDABLE_OF_B8 = {0x05, 0x06, 0x07, 0x08, 0x09}


def refused(cid: int, payload: bytes) -> bool:
    """Whether each of the three ways to a request refuses."""
    ways: list[Callable[[], bytes]] = [
        lambda: encode_request(OtherMessage(cid, payload)),
        lambda: encode_frame(START_REQUEST, 0x3F, cid, payload),
        Frame("request", 0x3F, cid, payload).encode,
    ]
    answers = set()
    for encode in ways:
        try:
            answers.add(encode()[:1] != b"\x80")
        except ForbiddenCommandError:
            answers.add(True)
    assert len(answers) == 1
    return answers.pop()


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x05\x02", bytes(8)], ids=["none", "ff", "05", "zeros"])
def test_every_cid(payload: bytes) -> None:
    sent = {cid for cid in range(256) if not refused(cid, payload)}
    assert sent == SENDABLE | ({0xB8} if payload[:1] == b"\x05" else set())


def test_every_sub_command_of_b8() -> None:
    payloads = [bytes((sub, 5)) for sub in range(256)]
    assert {each[0] for each in payloads if not refused(0xB8, each)} == SENDABLE_OF_B8


@given(st.integers(0, 255), st.binary(max_size=30), st.integers(0, 255))
def test_whatever_the_payload_and_address(cid: int, payload: bytes, address: int) -> None:
    if cid in SENDABLE or (cid == 0xB8 and payload[:1] and payload[0] in SENDABLE_OF_B8):
        assert decode_frame(encode_frame(START_REQUEST, address, cid, payload)).cid == cid
        return
    with pytest.raises(ForbiddenCommandError, match="never sent to a meter"):
        encode_frame(START_REQUEST, address, cid, payload)


def test_an_emulator_can_answer_anything() -> None:
    for cid in range(256):
        answer = encode_response(OtherMessage(cid, b"\x01"))
        assert decode_frame(answer) == Frame("response", 0x3F, cid, b"\x01")
        assert encode_frame(START_RESPONSE, 0x3F, cid)[:1] == b"\x40"


def test_the_read_that_another_readers_clearing_moves_is_never_sent() -> None:
    with pytest.raises(ForbiddenCommandError, match=r"GetLogLastPresent \(CID A1h\)"):
        encode_request(LogLastPresentRequest(1, (60,), 1, 128), 0x7F)


def test_the_words_name_command_and_sub_command() -> None:
    with pytest.raises(ForbiddenCommandError, match=r"PutRegister \(CID 11h\) is never sent"):
        encode_request(OtherMessage(0x11, b""))
    with pytest.raises(ForbiddenCommandError, match=r"GetLogTimePresent \(CID B8h 00h\)"):
        encode_request(OtherMessage(0xB8, b"\x00\x05"))


def test_the_clock_is_set_by_one_function_alone() -> None:
    # 5512-447, 6.2.3, with the checksum that the document misprints.
    frame = encode_set_clock(datetime(2007, 7, 30, 16, 15, 57))  # noqa: DTZ001 - the meter knows no zone
    assert frame.hex() == "803f090001144a00027715774e0d"
    with pytest.raises(ForbiddenCommandError, match="SetClock"):
        encode_request(OtherMessage(0x09, decode_frame(frame).payload))


@pytest.mark.parametrize("at", ["2007-07-30T00:00:00+00:00", "1999-12-31T23:59:59", "2100-01-01"])
def test_a_clock_takes_no_zone_and_one_century(at: str) -> None:
    with pytest.raises(ValueError, match="2000 to 2099"):
        encode_set_clock(datetime.fromisoformat(at))


@pytest.mark.parametrize(
    ("at", "payload"),
    [("2000-01-01T00:00:00", "0000006500000000"), ("2099-12-31T23:59:59", "000f1fff000399b7")],
)
def test_the_first_and_the_last_clock(at: str, payload: str) -> None:
    assert decode_frame(encode_set_clock(datetime.fromisoformat(at))).payload.hex() == payload
