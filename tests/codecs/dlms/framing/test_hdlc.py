"""One HDLC frame (DLMS UA 1000-2, 8.4): header and body octet by octet, addresses, bounds, what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.dlms.framing.hdlc import (
    LONGEST,
    HdlcFrame,
    HdlcHeader,
    encode_hdlc,
    read_body,
    read_header,
)
from smart_meter_reader.codecs.p1.framing.checksum import crc16_x25

FRAME = encode_hdlc(b"abc")
HEADER = HdlcHeader(b"\x41", b"\x08\x83", 0x13, False, len(FRAME) - 2, 9)


def with_hcs(head: str, behind: str = "") -> bytes:
    """A flag, what stands before the HCS, and a right one."""
    covered = bytes.fromhex(head)
    return b"\x7e" + covered + crc16_x25(covered).to_bytes(2, "little") + bytes.fromhex(behind)


def header_of(raw: bytes, begin: int = 0) -> HdlcHeader:
    header = read_header(raw, begin)
    assert isinstance(header, HdlcHeader), header
    return header


def read(raw: bytes, begin: int = 0) -> HdlcFrame | str:
    return read_body(raw, begin, header_of(raw, begin))


def test_a_frame_as_it_is_written() -> None:
    # Format A with eleven bits of length; 41 to 0883; control; HCS; information; FCS.
    assert FRAME[:7].hex() == "7ea00d41088313"
    assert FRAME[9:12] == b"abc"
    assert (len(FRAME), FRAME[0], FRAME[-1]) == (15, 0x7E, 0x7E)
    assert FRAME[7:9] == crc16_x25(FRAME[1:7]).to_bytes(2, "little")
    assert FRAME[12:14] == crc16_x25(FRAME[1:12]).to_bytes(2, "little")


@pytest.mark.parametrize("before", [b"", b"\x7e", b"\x00" * 30])
def test_header_and_body_are_known_as_soon_as_they_are_there(before: bytes) -> None:
    raw, begin = before + FRAME, len(before)
    for end in range(1, len(FRAME) + 1):
        assert read_header(raw[: begin + end], begin) == ("more" if end < 9 else HEADER), end
        if end >= 9:
            body = read_body(raw[: begin + end], begin, HEADER)
            assert body == ("more" if end < len(FRAME) else read(FRAME)), end
    assert read(raw + b"\x7e\xa0", begin) == HdlcFrame(b"\x41", b"\x08\x83", 0x13, False, b"abc", FRAME)


@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 255),
    st.booleans(),
    st.binary(max_size=300),
    st.data(),
)
def test_what_was_written_comes_back(
    to: int, source: int, control: int, segmented: bool, information: bytes, data: st.DataObject
) -> None:
    def address(length: int) -> bytes:
        octets = data.draw(st.lists(st.integers(0, 127), min_size=length, max_size=length))
        return bytes([*(2 * octet for octet in octets[:-1]), 2 * octets[-1] + 1])

    told = {"destination": address(to), "source": address(source), "control": control, "segmented": segmented}
    raw = encode_hdlc(information, **told)  # type: ignore[arg-type]
    assert read(raw) == HdlcFrame(**told, information=information, raw=raw)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "verdict"),
    [
        ("7e", "more"),
        ("7ea0", "more"),
        ("7eaf", "more"),
        ("7e90", "no"),
        ("7eb0", "no"),
        ("7e900d41", "no"),
        ("7ea006", "no"),
        ("7ea007", "more"),
        ("7ea10041", "more"),
        ("7ea00d00000000", "no"),
        ("7ea00d000000", "more"),
        ("7ea00d00000001", "more"),
        ("7ea00d0100000000", "no"),
        ("7ea00d01000000", "more"),
        ("7ea00d0100000001", "more"),
    ],
)
def test_the_begin_of_a_header(raw: str, verdict: str) -> None:
    assert read_header(bytes.fromhex(raw), 0) == verdict


@pytest.mark.parametrize("bit", range(8, 72))
def test_no_flipped_bit_of_a_header_leaves_it_right(bit: int) -> None:
    damaged = bytearray(FRAME)
    damaged[bit // 8] ^= 1 << bit % 8
    assert isinstance(read_header(bytes(damaged) + bytes(4), 0), str)


@pytest.mark.parametrize("bit", range(72, 8 * len(FRAME)))
def test_no_flipped_bit_of_a_body_leaves_it_right(bit: int) -> None:
    damaged = bytearray(FRAME)
    damaged[bit // 8] ^= 1 << bit % 8
    assert read_body(bytes(damaged), 0, HEADER) == "no"


def test_the_shortest_frame_has_one_check_sequence_for_both() -> None:
    assert read(with_hcs("a007030513", "7e")) == HdlcFrame(
        b"\x03", b"\x05", 0x13, False, b"", with_hcs("a007030513", "7e")
    )
    # An address has four octets at most.
    assert read_header(with_hcs("a010000000000103" + "13", "7e"), 0) == "no"
    assert header_of(with_hcs("a0100000000103" + "13", "7e")).destination == bytes.fromhex("00000001")
    # A header that goes beyond the end of its own frame.
    assert read_header(with_hcs("a00700030513", "7e"), 0) == "no"
    assert header_of(with_hcs("a00800030513", "7e")).length == 8


def test_all_eleven_bits_of_the_length_count() -> None:
    longest = encode_hdlc(bytes(LONGEST - 12))
    assert (len(longest), longest[1:3].hex()) == (2049, "a7ff")
    assert header_of(longest).length == 2047
    assert read(longest) != "no"
    with pytest.raises(ValueError, match="2038 octets of information do not fit"):
        encode_hdlc(bytes(LONGEST - 11))


@pytest.mark.parametrize(("first", "segmented"), [("a0", False), ("a8", True)])
def test_bit_11_says_that_more_segments_follow(first: str, segmented: bool) -> None:
    assert header_of(with_hcs(first + "07030513")).segmented is segmented
    assert encode_hdlc(b"", segmented=segmented)[1] == int(first, 16)
