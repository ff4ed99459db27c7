"""Headers of encrypted frames at their bounds: shortest and longest, cut anywhere, one behind another."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smart_meter_reader.codecs.p1.encryption.header import (
    LONGEST_HEADER,
    find_header,
    interrupts,
    may_begin,
    own_length,
    parse_frame,
    partial_header,
)

TITLED = b"\xdb\x08abcdefgh\x82\x01\xf2\x30"
LONGEST_TITLED = b"\xdb\x08abcdefgh\x83\x00\x01\xf2\x30"
UNTITLED = b"/EGM5G15\r\n\r\n\x00\x82\x02\x0d\x30"
# Sixty characters behind the three letters, as many as we take for one.
LONGEST_UNTITLED = b"/EGM" + b"x" * 60 + b"\r\n\r\n\x00\x82\x02\x0d\x30"
HEADERS = [TITLED, LONGEST_TITLED, UNTITLED, LONGEST_UNTITLED]


def titled(length: int) -> bytes:
    return b"\xdb\x08abcdefgh\x83" + length.to_bytes(3, "big") + b"\x30"


def untitled(length: int) -> bytes:
    return b"/EGM5G15\r\n\r\n\x00\x82" + length.to_bytes(2, "big") + b"\x30"


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_is_found_behind_anything(header: bytes) -> None:
    content = 0x20D if header[:1] == b"/" else 0x1F2
    ending = 5 if header[:1] == b"/" else 0  # "!B5D5"
    total = len(header) - 1 + content + ending
    assert find_header(header) == (0, total)
    assert find_header(b"noise\n" + header) == (6, total)
    assert find_header(b"noise\n" + header, 6) == (6, total)
    assert find_header(b"noise\n" + header, 7) is None
    assert find_header(header[:-1]) is None


@pytest.mark.parametrize("header", HEADERS)
def test_the_end_of_what_has_arrived_may_be_the_begin_of_a_header(header: bytes) -> None:
    for length in range(1, len(header)):
        assert partial_header(b"noise\n" * 20 + header[:length]) == 120, length
    assert partial_header(b"noise\n" * 20) == 120
    assert len(max(HEADERS, key=len)) == LONGEST_HEADER


def test_the_first_of_two_that_may_begin_counts() -> None:
    assert partial_header(b"noise" + b"\xdb\x08ab\xdb\x08") == 5
    assert partial_header(b"noise" + b"\xdb\x07ab\xdb") == 9
    assert partial_header(b"noise" + b"\xdb\xdb") == 6
    assert partial_header(b"\xdb\x07ab") == 4
    assert partial_header(b"\xdb") == 0
    assert partial_header(b"noise" + UNTITLED[:8] + b"\xdb") == 5
    assert partial_header(b"noise" + b"\xdb\x08ab" + b"/E") == 5


@pytest.mark.parametrize(("length", "counts"), [(16, False), (17, True), (0x4000, True), (0x4001, False)])
def test_a_frame_is_as_long_as_a_tag_and_a_telegram_allow(length: int, counts: bool) -> None:
    """Security byte, frame counter and tag are 17 bytes; a telegram has 16 KiB at most."""
    assert find_header(titled(length)) == ((0, 14 + length) if counts else None)
    assert find_header(untitled(length)) == ((0, 16 + length + 5) if counts else None)


@pytest.mark.parametrize("length", [b"\x7f", b"\x81\x7f", b"\x82\x00\x7f", b"\x83\x00\x00\x7f"])
def test_a_length_has_one_to_four_octets(length: bytes) -> None:
    """BER: a short form, and a long one of one to three octets."""
    header = b"\xdb\x08abcdefgh" + length + b"\x30"
    assert find_header(header) == (0, len(header) - 1 + 0x7F)


@pytest.mark.parametrize("make", [titled, untitled])
def test_behind_a_header_that_cannot_be_the_next_one_counts(make: Callable[[int], bytes]) -> None:
    found = find_header(make(100))
    assert found is not None
    assert find_header(make(3) + make(100)) == (len(make(3)), found[1])


def test_of_both_layouts_the_first_counts() -> None:
    assert find_header(TITLED + UNTITLED) == find_header(TITLED)
    assert find_header(UNTITLED + TITLED) == find_header(UNTITLED)
    assert find_header(b"\n\x00\x82" + TITLED) == (3, len(TITLED) - 1 + 0x1F2)


def test_a_longer_identification_is_none() -> None:
    assert find_header(LONGEST_UNTITLED.replace(b"xx", b"xxx", 1)) is None
    assert find_header(b"/EGM\r\n\r\n\x00\x82\x02\x0d\x30") is None


@pytest.mark.parametrize("header", HEADERS)
def test_nothing_else_is_taken_apart(header: bytes) -> None:
    with pytest.raises(ValueError, match="no frame"):
        parse_frame(b"x" + header)


def test_a_frame_is_taken_apart() -> None:
    frame = parse_frame(TITLED + b"\x01\x02\x03\x04ciphertext and tag")
    assert frame[:4] == (b"abcdefgh", 0x30, 0x01020304, b"ciphertext and tag")
    assert frame.nonce == b"abcdefgh\x01\x02\x03\x04"


@pytest.mark.parametrize("own", HEADERS)
@pytest.mark.parametrize("other", [TITLED, UNTITLED, b"\r\n1-0:1", b"\n10-12:9"])
def test_what_interrupts_a_frame_is_seen_wherever_the_piece_before_ended(own: bytes, other: bytes) -> None:
    before = len(own) + 40
    stream = bytearray(own + b"\xff" * 40 + other)
    for came_before in range(len(other)):
        assert interrupts(stream, before + came_before), came_before


@pytest.mark.parametrize("own", HEADERS)
def test_the_inside_of_a_frame_does_not_interrupt_it(own: bytes) -> None:
    stream = bytearray(own + b"\xdb\xff:/\n\x00!" * 20)
    for begin in range(len(own), len(stream)):
        assert not interrupts(stream, begin), begin
    # Nor do the lines and headers of long ago.
    old = bytearray(own + TITLED + b"\r\n1-0:1.8.0" + b"\xff" * 40)
    assert not interrupts(old, len(own) + len(TITLED) + 30)


@pytest.mark.parametrize("end", [b"!B5D5", b"!b5d5"])
def test_the_end_of_a_frame_without_title_is_its_own(end: bytes) -> None:
    stream = bytearray(UNTITLED + b"\xff" * 30 + end)
    assert own_length(stream, len(stream)) == len(stream)


@pytest.mark.parametrize("end", [b"/EGM5", b"!B5D/", b"xB5D5"])
def test_where_the_line_was_cut_the_end_begins_the_next_frame(end: bytes) -> None:
    stream = bytearray(UNTITLED + b"\xff" * 30 + end)
    assert own_length(stream, len(stream)) == len(stream) - 5
    assert own_length(bytearray(TITLED + b"\xff" * 30 + end), 49) == 49


@pytest.mark.parametrize(
    ("received", "may"),
    [
        (b"1-0:1.8.0(1*kWh)\r\n", False),
        (b"1\xdb", True),
        (b"1-0:1.8.0(a/b)\r\n", False),
        (b"/EGM5G15\r\n\r\n1-0:1.8.0", False),
        (b"/EGM5G15\r\n\r\n", True),
        (b"!B5D5\r\n/", True),
        (b"\n\x00\x82 without a slash", False),
        (UNTITLED + b"\xff", True),
    ],
)
def test_most_pieces_of_plain_telegrams_begin_no_header(received: bytes, may: bool) -> None:
    assert may_begin(received) is may
