"""What is told of a capture of DLMS: telegrams and damage in their order, and captures without any."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.dlms.describe import describe_capture
from smart_meter_reader.codecs.dlms.framing.hdlc import encode_hdlc
from smart_meter_reader.codecs.dlms.framing.mbus_frame import encode_mbus
from tests.codecs.dlms.vectors import wire

GOOD = wire("hdlc-aidon-no-list1")
BAD = GOOD[:30] + bytes([GOOD[30] ^ 1]) + GOOD[31:]
MBUS = encode_mbus(bytes.fromhex("0f0000000100020206000000010600000002"), 0, last=True)


def kinds(capture: bytes) -> list[str]:
    return [
        told["error"]["kind"] if "error" in told else told["framing"] for told in describe_capture(capture)
    ]


def test_telegrams_and_damage_come_in_their_order() -> None:
    assert kinds(GOOD + BAD + MBUS + GOOD) == ["hdlc", "checksum", "mbus", "hdlc"]
    # What only the end of the capture shows is told last.
    assert kinds(GOOD + GOOD[:30]) == ["hdlc", "truncated"]
    assert kinds(GOOD[:30]) == ["truncated"]
    assert kinds(encode_hdlc(b"\xe6\xe7\x00\x0f", segmented=True)) == ["incomplete"]


@pytest.mark.parametrize(
    ("frame", "framing"),
    [
        (BAD, "hdlc"),
        (MBUS[:-2] + bytes([MBUS[-2] ^ 1]) + MBUS[-1:], "mbus"),
        (encode_hdlc(b"\xe6\xe7\x00\xc4\x01"), None),  # the frame was right, and its content is none
    ],
)
def test_damage_is_told_with_the_frame_that_it_was_in(frame: bytes, framing: str | None) -> None:
    told, _ = describe_capture(frame + GOOD)
    assert told.keys() == {"protocol", "error"} | ({"framing"} if framing else set())
    assert (told["protocol"], told.get("framing")) == ("dlms", framing)
    assert told["error"].keys() == {"kind", "detail"}


@pytest.mark.parametrize(
    ("capture", "words"),
    [
        (b"", "the capture is empty"),
        (b"\1\2\3", "with a right checksum"),
        (bytes(300), "with a right checksum; 300 times 00: the line stays at one level"),
    ],
)
def test_a_capture_without_any_says_so(capture: bytes, words: str) -> None:
    (told,) = describe_capture(capture)
    assert told["error"]["kind"] == "no_telegram"
    assert told["error"]["detail"].endswith(words) or words in told["error"]["detail"]
    assert (";" in told["error"]["detail"]) == (len(capture) == 300)
