"""The messages of a frame: lists of six with a checksum and an end, and what each of them is not."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.crc16 import crc16_kermit, crc16_x25
from smart_meter_reader.codecs.sml.encode import encode_message
from smart_meter_reader.codecs.sml.frame import Checksum
from smart_meter_reader.codecs.sml.messages import (
    CLOSE,
    GET_LIST,
    OPEN,
    SmlMessage,
    parse_messages,
)
from smart_meter_reader.exceptions import MalformedError

ATTENTION = 0xFF01  # TR-03109-1 annex IV b, 7.4: what went wrong, with no values
BODY = b"\x71\x01"  # a list of one element that is absent
MESSAGE = encode_message(1, CLOSE, BODY)
# Checksum (63 and two octets) and 00.
COVERED = MESSAGE[:-4]


def test_a_message_as_it_is_written() -> None:
    # TR-03109-1 annex IV b, 7: six parts; transaction, group, what to do on errors, body, checksum, end.
    assert COVERED.hex() == "76" + "0500000001" + "6200" + "6200" + "72" + "630201" + "7101"
    (message,) = parse_messages(MESSAGE)
    assert (message.tag, message.values, message.covered) == (CLOSE, None, COVERED)
    assert message.checksum == crc16_x25(COVERED).to_bytes(2, "little")
    # TR-03109-1 annex IV b, 7.4: what the body of each message is.
    assert (OPEN, GET_LIST, CLOSE) == (0x0101, 0x0701, 0x0201)


@pytest.mark.parametrize(("checksum", "fits"), [("x25", (True, False)), ("kermit", (False, True))])
@pytest.mark.parametrize("turned", [False, True])
def test_a_checksum_fits_in_either_order(checksum: Checksum, fits: tuple[bool, bool], turned: bool) -> None:
    raw = encode_message(1, CLOSE, BODY, checksum)
    if turned:
        raw = raw[:-3] + raw[-3:-1][::-1] + raw[-1:]
    (message,) = parse_messages(raw)
    assert (message.fits_x25(), message.fits_kermit()) == fits


def test_a_wrong_checksum_fits_neither() -> None:
    wrong = (crc16_x25(COVERED) ^ 1).to_bytes(2, "little")
    (message,) = parse_messages(COVERED + b"\x63" + wrong + b"\x00")
    kermit = crc16_kermit(COVERED)
    assert wrong not in (kermit.to_bytes(2, "little"), kermit.to_bytes(2, "big"))
    assert (message.checksum, message.fits_x25(), message.fits_kermit()) == (wrong, False, False)


def test_no_checksum_fits_neither() -> None:
    (message,) = parse_messages(COVERED + b"\x01\x00")
    assert (message.checksum, message.fits_x25(), message.fits_kermit()) == (b"", False, False)
    # Not even what both make zero of.
    assert crc16_x25(b"") == crc16_kermit(b"") == 0
    nothing = SmlMessage(0, None, b"", b"")
    assert (nothing.fits_x25(), nothing.fits_kermit()) == (False, False)


def test_messages_come_one_after_another() -> None:
    other = encode_message(2, ATTENTION, BODY)
    assert [message.tag for message in parse_messages(MESSAGE + other + MESSAGE)] == [CLOSE, ATTENTION, CLOSE]
    assert parse_messages(b"") == ()


def test_a_frame_has_sixty_four_messages_at_most() -> None:
    assert len(parse_messages(MESSAGE * 64)) == 64
    with pytest.raises(MalformedError, match="more than 64 messages"):
        parse_messages(MESSAGE * 65)


def test_a_tag_that_is_no_number_is_that_of_no_message() -> None:
    (message,) = parse_messages(COVERED.replace(b"\x63\x02\x01", b"\x03\x02\x01") + b"\x01\x00")
    assert (message.tag, message.values) == (0, None)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        pytest.param(b"\x75" + MESSAGE[1:], "a message is no list of 6", id="five parts"),
        pytest.param(b"\x07" + MESSAGE[1:], "a message is no list of 6", id="no list"),
        pytest.param(
            MESSAGE.replace(b"\x72\x63", b"\x73\x63"), "body of a message is no list of 2", id="body"
        ),
        pytest.param(MESSAGE[:-1] + b"\x01", "a message without end", id="another end"),
        pytest.param(MESSAGE[:-1], "a message without end", id="no end"),
        pytest.param(COVERED + b"\x53\x01\x02\x00", "no number: 258", id="a checksum with a sign"),
        pytest.param(COVERED + b"\x03\x01\x02\x00", "no number: b'", id="a checksum of octets"),
        pytest.param(COVERED + b"\x71\x01\x00", "10 lists deep", id="a list as checksum"),
    ],
)
def test_what_is_no_message(payload: bytes, said: str) -> None:
    with pytest.raises(MalformedError, match=said) as caught:
        parse_messages(payload)
    assert caught.value.reason == "malformed"


@pytest.mark.parametrize("place", range(4))
def test_what_stands_before_the_content_is_no_list(place: int) -> None:
    """Transaction, group, what to do on errors, tag: a list there would go as deep as a frame is long."""
    parts = [b"\x05\x00\x00\x00\x01", b"\x62\x00", b"\x62\x00", b"\x63\x02\x01"]
    parts[place] = BODY
    payload = b"\x76" + b"".join(parts[:3]) + b"\x72" + parts[3] + BODY + b"\x01\x00"
    with pytest.raises(MalformedError, match="10 lists deep"):
        parse_messages(payload)
