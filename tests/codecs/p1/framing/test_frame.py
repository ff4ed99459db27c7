"""Framing of encrypted telegrams among plain ones: what is told of what got lost, and with which bytes."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.p1.encode import encode_telegram, encrypt_telegram, encrypt_untitled
from smart_meter_reader.codecs.p1.encryption.cipher import Opened, Opener
from smart_meter_reader.codecs.p1.encryption.header import CipherFrame
from smart_meter_reader.codecs.p1.framing.frame import FrameReader
from smart_meter_reader.codecs.p1.framing.plain import PlainFrame
from smart_meter_reader.exceptions import DecryptionError, FrameError

KEY, AK, TITLE = bytes(range(16)), bytes(range(16, 32)), b"SAG5\x00\x00\x00\x01"
PLAIN = encode_telegram(b"/ISk5\\2MT382\r\n\r\n" + b"1-0:1.8.0(000001.000*kWh)\r\n" * 5 + b"!")
UNTITLED = b"/EGM5G15\r\n\r\n1-0:1.8.0(000001.000*kWh)\r\n!"

Told = int | str | tuple[str, str, bytes]


def sealed(counter: int, telegram: bytes = PLAIN) -> bytes:
    return encrypt_telegram(telegram, KEY, AK, TITLE, counter)


def events(reader: FrameReader) -> list[Told]:
    """Of an opened frame its counter, of a plain one its checksum, of an error reason, detail and bytes."""
    told: list[Told] = []
    while True:
        try:
            frame = reader.next_frame()
        except FrameError as error:
            told.append((error.reason, error.detail, error.frame))
        except DecryptionError as error:
            told.append(error.reason)
        else:
            if frame is None:
                return told
            told.append(frame.checksum if isinstance(frame, PlainFrame) else frame.frame_counter)


def read(*pieces: bytes, end: bool = False) -> list[Told]:
    reader = FrameReader(Opener(KEY, AK).open)
    told = []
    for piece in pieces:
        reader.receive_data(piece)
        told += events(reader)
    if end:
        reader.finish()
        told += events(reader)
    return told


def test_the_end_of_the_stream_tells_what_is_cut() -> None:
    frame = sealed(1)
    cut = frame[:100]
    assert read(cut) == []
    assert read(cut, end=True) == [
        ("truncated", f"the stream ended after 100 of {len(frame)} bytes of an encrypted frame", cut)
    ]
    assert read(frame[:10], end=True) == []
    # What stands behind the false beginning is read all the same.
    assert read(cut[:14] + PLAIN, end=True)[-1] == "ok"
    false_header = b"\xdb\x08" + TITLE + b"\x82\x3f\xff\x30"
    told = read(false_header + sealed(2) + false_header + PLAIN, end=True)
    assert [each for each in told if not isinstance(each, tuple)] == [2, "ok"]


def test_a_frame_that_another_one_cuts_is_told_with_its_bytes() -> None:
    cut = sealed(1)[:100]
    false_header = b"\xdb\x08" + TITLE + b"\x82\x3f\xff\x30"
    told = read(false_header + b"x" * 50 + sealed(2))
    length = len(false_header) - 1 + 0x3FFF
    assert told == [
        (
            "truncated",
            f"an encrypted frame of {length} bytes was cut after 64",
            false_header + b"x" * 50,
        ),
        2,
    ]
    assert read(cut + sealed(2) + sealed(3))[-2:] == [2, 3]


def test_what_does_not_open_inside_a_frame_cuts_none() -> None:
    false_header = b"\xdb\x08" + TITLE + b"\x82\x3f\xff\x30"
    none_of_ours = b"\xdb\x08" + TITLE + b"\x20\x30" + b"y" * 40
    told = read(false_header + b"x" * 50 + none_of_ours + sealed(2) + sealed(3))
    assert [each[0] if isinstance(each, tuple) else each for each in told] == ["truncated", 2, 3]
    assert read(false_header + PLAIN + sealed(2))[-2:] == ["ok", 2]


def test_the_end_of_the_stream_judges_plain_telegrams_too() -> None:
    cut = PLAIN[: PLAIN.index(b"!")]
    assert read(cut) == []
    assert read(cut, end=True) == [("truncated", "the stream ended inside a telegram", cut + b"\r\n")]


def test_bytes_before_a_frame_that_belong_to_none_are_told_where_they_may_have_been_one() -> None:
    first, second = sealed(1), sealed(2)
    lost = b"\xff" * (len(second) // 2 + 1)
    assert read(first + lost + second) == [
        1,
        (
            "damaged",
            f"{len(lost)} bytes before an encrypted frame belong to none: a damaged header, probably",
            lost,
        ),
        2,
    ]
    assert read(first, lost[:50], lost[50:] + second[:20], second[20:])[1:] == [
        (
            "damaged",
            f"{len(lost)} bytes before an encrypted frame belong to none: a damaged header, probably",
            lost,
        ),
        2,
    ]
    # Half of one is none; nor is what stands before the first frame, or was told already.
    assert read(first + lost[:-1] + second) == [1, 2]
    assert read(lost + second) == [2]
    damaged = bytearray(sealed(9))
    damaged[-1] ^= 1
    assert read(first + bytes(damaged) + lost + second) == [1, "damaged", 2]
    assert read(first + PLAIN + lost + second) == [1, "ok", 2]
    assert read(first, PLAIN, lost + second) == [1, "ok", 2]
    assert read(first + lost + first[:0] + second + lost + sealed(3))[3:] == [
        (
            "damaged",
            f"{len(lost)} bytes before an encrypted frame belong to none: a damaged header, probably",
            lost,
        ),
        3,
    ]


def test_lines_of_data_show_that_a_header_was_false() -> None:
    header = b"\xdb\x08" + TITLE + b"\x82\x3f\xff\x30"
    for piece in (header + PLAIN, header + b"\0\0" + PLAIN):
        assert read(piece)[-1] == "ok"
    stream = header + PLAIN
    assert read(*(stream[begin : begin + 7] for begin in range(0, len(stream), 7)))[-1] == "ok"


def test_of_frames_that_wait_only_the_newest_is_kept() -> None:
    """The losses between them are told all the same."""
    reader = FrameReader(Opener(KEY, AK).open)
    reader.receive_data(sealed(1) + PLAIN + sealed(2)[:100] + sealed(3) + sealed(4))
    assert reader.leave_out_older() == 3
    told = events(reader)
    assert [each[0] if isinstance(each, tuple) else each for each in told] == ["damaged", 4]
    reader.receive_data(sealed(5))
    assert reader.leave_out_older() == 0
    assert events(reader) == [5]
    assert reader.leave_out_older() == 0


def test_what_is_left_at_the_end_of_the_stream_is_counted() -> None:
    reader = FrameReader(Opener(KEY, AK).open)
    reader.receive_data(b"abc" + sealed(1)[:6])
    assert reader.skipped == 3
    reader.finish()
    assert reader.skipped == 3 + 6


def test_an_end_that_was_cut_begins_the_next_frame() -> None:
    first, second = (encrypt_untitled(UNTITLED, KEY, AK, counter) for counter in (1, 2))
    assert read(first[:-7] + second) == [1, 2]
    assert read(first + second) == [1, 2]


def test_a_reader_without_an_opinion_opens_what_it_can_pay_for() -> None:
    """Fifteen bytes make a header: what is opened in vain is bounded by what has arrived."""
    opened = []

    def refuse(frame: CipherFrame) -> Opened:
        opened.append(len(frame.raw))
        raise DecryptionError("wrong_encryption_key", "none of ours")

    reader = FrameReader(refuse)
    flood = (b"\xdb\x08" + TITLE + b"\x82\x10\x00\x30" + b"x" * 50) * 400
    reader.receive_data(flood + bytes(8192))
    told = events(reader)
    unopened = [each for each in told if isinstance(each, tuple)]
    assert opened
    assert sum(opened) + 1024 * len(opened) <= 4 * 16 * 1024 + 4 * len(flood + bytes(8192)) + 6000
    assert sum(int(detail.split()[0]) for _, detail, _ in unopened) + len(opened) == 400
    assert all(reason == "damaged" and "were not looked into" in detail for reason, detail, _ in unopened)
    # With time, more can be paid for.
    before = len(opened)
    reader.receive_data(b"\0" * 100_000)
    reader.receive_data(b"\xdb\x08" + TITLE + b"\x7f\x30" + bytes(200))
    assert len(opened) == before + 1


@pytest.mark.parametrize("size", [4096, 4097, 10_000])
def test_a_long_piece_is_read_as_its_parts(size: int) -> None:
    noise = b"\xff" * (size - 300)
    stream = noise + sealed(1) + PLAIN + sealed(2)
    assert (
        read(stream)
        == read(*(stream[begin : begin + 100] for begin in range(0, len(stream), 100)))
        == [1, "ok", 2]
    )
