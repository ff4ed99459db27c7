"""Frames out of a stream: gaps between them, what belonged to none, and streams that end or never do."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.dlms.framing.frames import ArrivedFrame, FrameReader, Framing, framing_of
from smart_meter_reader.codecs.dlms.framing.hdlc import encode_hdlc
from smart_meter_reader.codecs.dlms.framing.mbus_frame import encode_mbus
from smart_meter_reader.exceptions import ChecksumError, FrameError, IncompleteError

LLC = b"\xe6\xe7\x00"
HDLC = encode_hdlc(LLC + b"\x0f" + bytes(20))
MBUS = encode_mbus(b"\x0f" + bytes(20), 0, last=True)
# A notification without a frame: of one value.
ENTRY = bytes.fromhex("020200030100010700ff02")
RAW_HEAD = bytes.fromhex("0f00000001000202162a0101") + ENTRY
RAW = RAW_HEAD + b"\x11\x07"


def read_all(reader: FrameReader) -> list[ArrivedFrame | FrameError]:
    found: list[ArrivedFrame | FrameError] = []
    while True:
        try:
            arrival = reader.next_frame()
        except FrameError as error:
            found.append(error)
            continue
        if arrival is None:
            return found
        found.append(arrival)


def read(stream: bytes, *, finish: bool = False) -> list[ArrivedFrame | FrameError]:
    reader = FrameReader()
    reader.receive_data(stream)
    found = read_all(reader)
    if finish:
        reader.finish()
        found += read_all(reader)
    return found


def told(found: list[ArrivedFrame | FrameError]) -> list[tuple[bytes, bool] | str]:
    """Frames with whether one may be missing before them; of damage the reason."""
    return [each.reason if isinstance(each, FrameError) else (each.frame.raw, each.gap) for each in found]


@pytest.mark.parametrize(("frame", "framing"), [(HDLC, "hdlc"), (MBUS, "mbus"), (RAW, "none")])
def test_a_frame_of_each_kind(frame: bytes, framing: Framing) -> None:
    (arrival,) = read(frame)
    assert isinstance(arrival, ArrivedFrame)
    assert (arrival.frame.raw, framing_of(arrival.frame)) == (frame, framing)


@pytest.mark.parametrize("frame", [HDLC, MBUS, RAW])
def test_something_between_two_frames_is_a_gap(frame: bytes) -> None:
    assert told(read(frame * 3)) == [(frame, False)] * 3
    assert told(read(b"\x00" + frame + b"\x00" + frame + frame)) == [
        (frame, True),
        (frame, True),
        (frame, False),
    ]


def test_flags_are_no_gap_and_belong_to_no_frame() -> None:
    reader = FrameReader()
    reader.receive_data(b"\x7e" * 4 + HDLC + b"\x7e" * 4 + HDLC[1:] + b"\x7e\x7e")
    assert told(read_all(reader)) == [(HDLC, False), (HDLC, False)]
    assert (reader.skipped, reader.unrecognised.strip(b"\x7e")) == (0, b"")


def test_a_damaged_frame_is_a_gap_too() -> None:
    for frame in (HDLC, MBUS):
        damaged = frame[:-4] + bytes([frame[-4] ^ 1]) + frame[-3:]
        assert told(read(frame + damaged + frame + frame)) == [
            (frame, False),
            "checksum",
            (frame, True),
            (frame, False),
        ]


@pytest.mark.parametrize("place", [1, 4, 7])
def test_the_first_frame_may_be_one_with_a_damaged_head(place: int) -> None:
    damaged = HDLC[:place] + bytes([HDLC[place] ^ 0x04]) + HDLC[place + 1 :]
    assert told(read(damaged + HDLC)) == ["checksum", (HDLC, True)]


def test_the_octets_of_a_damaged_frame_are_told_with_it() -> None:
    damaged = HDLC[:-4] + bytes([HDLC[-4] ^ 1]) + HDLC[-3:]
    (error,) = [each for each in read(damaged + HDLC) if isinstance(each, FrameError)]
    assert isinstance(error, ChecksumError)
    assert error.frame == damaged
    assert f"an HDLC frame of {len(HDLC) - 2} octets" in error.detail
    damaged = MBUS[:-4] + bytes([MBUS[-4] ^ 1]) + MBUS[-3:]
    (error,) = [each for each in read(damaged + bytes(300)) if isinstance(each, FrameError)]
    assert error.frame == (damaged + bytes(300))[:264]


def test_octets_of_no_frame_are_counted_and_the_last_of_them_kept() -> None:
    reader = FrameReader()
    junk = bytes(range(0x80, 0xE0)) * 30
    for begin in range(0, len(junk), 100):
        reader.receive_data(junk[begin : begin + 100])
        assert read_all(reader) == []
    assert (reader.skipped, reader.unrecognised) == (len(junk), junk[-2048:])
    reader.receive_data(HDLC)
    assert told(read_all(reader)) == [(HDLC, True)]
    assert (reader.skipped, reader.unrecognised.strip(b"\x7e")) == (len(junk), b"")
    reader.receive_data(b"\x01\x02\x03" + MBUS[:9])
    assert read_all(reader) == []
    assert reader.unrecognised.lstrip(b"\x7e") == b"\x01\x02\x03" + MBUS[:9]
    assert reader.skipped == len(junk) + 3


def test_beside_frames_with_a_checksum_nothing_counts_without_one() -> None:
    assert told(read(RAW + HDLC + RAW + HDLC)) == [(RAW, False), (HDLC, False), (HDLC, True)]
    assert told(read(MBUS + RAW)) == [(MBUS, False)]


def test_behind_an_llc_nothing_stands_without_a_frame() -> None:
    assert told(read(LLC + RAW)) == []
    assert told(read(LLC + b"\x00" + RAW)) == [(RAW, True)]


@pytest.mark.parametrize(("frame", "sure"), [(HDLC, 9), (RAW, 12)])
def test_a_frame_that_the_end_of_the_stream_cuts_is_told_where_its_head_is_sure(
    frame: bytes, sure: int
) -> None:
    for end in range(1, len(frame)):
        found = read(frame[:end], finish=True)
        assert told(found) == (["truncated"] if end >= sure else []), end
        for error in found:
            assert isinstance(error, IncompleteError)
            assert (error.frame, error.detail) == (frame[:end], f"a frame ends after {end} octets")


def test_behind_a_cut_head_the_end_of_the_stream_is_read() -> None:
    short = encode_hdlc(LLC)
    assert told(read(MBUS[:9] + short, finish=True)) == [(short, True)]
    assert told(read(encode_hdlc(bytes(100))[:20] + MBUS, finish=True)) == ["truncated", (MBUS, True)]


@pytest.mark.parametrize("piece", [1, 64, 5000])
def test_a_value_that_never_ends_is_waited_for_no_longer_than_a_notification_can_be(piece: int) -> None:
    """A length that was damaged on the line, where no checksum tells: the frames behind it are read."""
    reader = FrameReader()
    stream = RAW_HEAD + b"\x09\x82\xff\xff" + HDLC * 200
    found = []
    for begin in range(0, len(stream), piece):
        reader.receive_data(stream[begin : begin + piece])
        found += read_all(reader)
    assert told(found) == [(HDLC, True)] + [(HDLC, False)] * 199
