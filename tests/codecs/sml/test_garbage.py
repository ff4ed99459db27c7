"""What a capture without any telegram is told to be, and what to do about it."""

from __future__ import annotations

import random

import pytest

from smart_meter_reader.codecs.dlms.framing.hdlc import encode_hdlc
from smart_meter_reader.codecs.parity import add_parity
from smart_meter_reader.codecs.sml.describe import describe_capture
from smart_meter_reader.codecs.sml.garbage import Garbage, recognise
from tests.codecs.sml.vectors import wire

GOOD = wire("sml-dzg-7420")
SEVEN_BITS = bytes(octet & 0x7F for octet in GOOD)
NOISE = random.Random(19).randbytes(500).replace(b"\x1b", b"")
P1 = b"/ESY5Q3DA1024 V3.04\r\n\r\n1-0:0.0.0*255(0112345678901)\r\n1-0:1.8.0*255(00000001.2345678*kWh)\r\n!"
READOUT = b"\x02C.1(12345)\r\n1.8.0(001234.5*kWh)\r\n!\r\n\x03\x10"


def detail(capture: bytes) -> str:
    (description,) = describe_capture(capture)
    assert description["error"]["kind"] == "no_telegram"
    return str(description["error"]["detail"])


@pytest.mark.parametrize(
    ("capture", "words"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(bytes(300), "300 times 00: the line stays at one level", id="held low"),
        pytest.param(b"\xff" * 5, "5 times FF", id="light"),
        pytest.param(SEVEN_BITS[8:-8], "set it to 9600 8N1", id="seven bits"),
        pytest.param(GOOD[8:-8], "control characters", id="neither begin nor end"),
        pytest.param(GOOD[4:], "escapes of SML", id="the end alone"),
        pytest.param(GOOD.translate(None, b"\x1b\x1a\x11\x13"), "raw, 8 bits", id="a terminal"),
        pytest.param(b"21:00:04.911 : " + GOOD.hex(" ").encode(), "as a program prints it", id="a log"),
        pytest.param(GOOD.hex("-").upper().encode(), "as a program prints it", id="a log in capitals"),
        pytest.param(GOOD.hex("\n").encode(), "as a program prints it", id="an octet a line"),
        pytest.param(P1, "`decode p1`", id="P1"),
        pytest.param(add_parity(P1), "`decode p1`", id="P1 with parity"),
        pytest.param(READOUT, "`decode iec62056_21`", id="a readout"),
        pytest.param(encode_hdlc(b"\xe6\xe7\x00\x0f"), "`decode dlms`", id="DLMS"),
        pytest.param(bytes.fromhex("680303680801727b16"), "`decode mbus`", id="M-Bus"),
        pytest.param(NOISE, "another speed than 9600 8N1", id="noise"),
        pytest.param(NOISE[:20], "20 octets are few", id="too short"),
    ],
)
def test_what_was_seen_and_what_to_do_is_told(capture: bytes, words: str) -> None:
    assert words in detail(capture)


@pytest.mark.parametrize("junk", [b"/ABC1", b"1.8.0(", b"\x7e\xa7\xff", b"\x68\xff\xff\x68", b"1b "])
def test_a_megabyte_of_the_begin_of_something_is_told_too(junk: bytes) -> None:
    assert detail(junk * (1_000_000 // len(junk)))


def test_a_begin_without_end_is_a_failed_telegram_and_no_garbage() -> None:
    (description,) = describe_capture(GOOD[:100])
    assert description["error"]["kind"] == "cut"


def test_seven_bits_are_told_of_a_whole_telegram_too() -> None:
    (description,) = describe_capture(SEVEN_BITS)
    assert description["error"]["kind"] == "checksum"
    assert "set it to 9600 8N1" in description["error"]["detail"]
    assert all(octet < 0x80 for octet in SEVEN_BITS)


def test_printed_digits_are_looked_for_in_the_first_4096_octets() -> None:
    assert "as a program prints it" in detail(b"." * (4096 - 8) + b"1b1b1b1b")
    assert "as a program prints it" not in detail(b"." * (4096 - 7) + b"1b1b1b1b")


def test_fewer_than_64_octets_are_few() -> None:
    assert "63 octets are few" in detail(NOISE[:63])
    assert "are few" not in detail(NOISE[:64])


@pytest.mark.parametrize(
    ("received", "kind"),
    [
        # The code of total import, whose last octet is FF, or was.
        ("0108007f", "seven_bits"),
        ("0108007f7f", "seven_bits"),
        ("0108007f80", "unknown"),
        ("010800ff", "no_control"),
        ("010800ff0108007f", "no_control"),
        # A list of seven, the octets of a code, electricity; with 07, and without.
        ("77070100", "no_control"),
        ("7701000108", "no_control"),
        ("1b1b1b1b", "cut"),
        ("1b1b1b1b0108007f", "seven_bits"),
        ("1b1b1b1a", "unknown"),
        ("770701", "unknown"),
        ("", "unknown"),
    ],
)
def test_what_octets_without_a_telegram_are(received: str, kind: Garbage) -> None:
    assert recognise(bytes.fromhex(received)) == kind
