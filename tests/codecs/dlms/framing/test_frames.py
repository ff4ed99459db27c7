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


def flipped(frame: bytes, place: int, mask: int = 0x01) -> bytes:
    """A frame with one octet changed; ``place`` counts from its end where it is negative."""
    changed = bytearray(frame)
    changed[place] ^= mask
    return bytes(changed)


# What is told of a frame whose head is damaged: the head, the LLC, and the tag behind it.
HEAD = 9 + len(LLC) + 1


def damage(stream: bytes) -> list[bytes]:
    return [each.frame for each in read(stream) if isinstance(each, ChecksumError)]


def test_the_octets_of_a_damaged_frame_are_told_with_it() -> None:
    damaged = flipped(HDLC, -4)
    assert damage(b"\x01\x02" + damaged + HDLC) == [damaged]
    (error,) = [each for each in read(damaged) if isinstance(each, ChecksumError)]
    assert f"an HDLC frame of {len(HDLC) - 2} octets" in error.detail
    behind = flipped(MBUS, -4) + bytes(300)
    assert damage(b"\x01\x02" + behind) == [behind[:264]]


@pytest.mark.parametrize("place", [4, 7])
def test_the_octets_of_a_damaged_head_are_told_with_it(place: int) -> None:
    damaged = flipped(HDLC, place, 0x04)
    assert damage(HDLC + damaged + HDLC) == [damaged[:HEAD]]
    # Without its flag: as many octets as a head has at the most.
    lost = bytes(50) + HDLC[1:]
    assert damage(HDLC + lost + HDLC) == [lost[50 + 8 - 14 : 50 + HEAD - 1]]


def test_before_any_frame_a_lost_flag_is_where_listening_began() -> None:
    assert told(read(bytes(20) + HDLC[1:] + HDLC)) == [(HDLC, True)]


@pytest.mark.parametrize(("tag", "is_pushed"), [(0x0F, True), (0xDB, True), (0xE0, True), (0xC4, False)])
def test_a_damaged_head_is_told_of_what_is_pushed(tag: int, is_pushed: bool) -> None:
    damaged = flipped(encode_hdlc(LLC + bytes([tag]) + bytes(20)), 7)
    assert told(read(HDLC + damaged + HDLC)) == [
        (HDLC, False),
        *(["checksum"] if is_pushed else []),
        (HDLC, True),
    ]


def test_an_octet_of_an_llc_is_none() -> None:
    head = b"\x7e\xa0" + bytes(7)
    for almost in (b"\xe6\x11\x22\x0f", b"\xe6\xe7\x01\x0f", b"\xe6\xe6\xe6\x0f"):
        assert told(read(HDLC + head + almost + HDLC)) == [(HDLC, False), (HDLC, True)]


def test_the_shortest_head_without_a_format_is_told() -> None:
    short = encode_hdlc(LLC + b"\x0f", destination=b"\x03", source=b"\x05")
    assert told(read(short + flipped(short, 1, 0x10) + short)) == [(short, False), "checksum", (short, True)]


@pytest.mark.parametrize("octets", [20, 300])
def test_two_damaged_frames_in_a_row_are_both_told(octets: int) -> None:
    """One by its end, the next by its head: an LLC inside the first one tells nothing more."""
    frame = encode_hdlc(LLC + b"\x0f" + bytes(octets))
    stream = frame + flipped(frame, -4) + flipped(frame, 7) + frame
    assert told(read(stream)) == [(frame, False), "checksum", "checksum", (frame, True)]


@pytest.mark.parametrize("octet", [b"\x68", b"\xe6", b"\x0f", b"\x7e"])
@pytest.mark.parametrize("frame", [HDLC, MBUS, RAW])
def test_an_octet_that_may_begin_a_frame_hides_none_behind_it(octet: bytes, frame: bytes) -> None:
    assert [each.frame.raw for each in read(octet + frame) if isinstance(each, ArrivedFrame)] == [frame]


def test_octets_of_no_frame_are_counted_and_the_last_of_them_kept() -> None:
    reader = FrameReader()
    junk = bytes(range(0x80, 0xE0)) * 30
    for begin in range(0, len(junk), 100):
        reader.receive_data(junk[begin : begin + 100])
        assert read_all(reader) == []
    assert (reader.skipped, reader.unrecognised) == (len(junk), junk[-2048:])
    reader.receive_data(HDLC[:-1])
    assert read_all(reader) == []
    assert (reader.skipped, reader.unrecognised) == (len(junk), (junk + HDLC[:-1])[-2048:])
    reader.receive_data(HDLC[-1:])
    assert told(read_all(reader)) == [(HDLC, True)]
    assert (reader.skipped, reader.unrecognised.strip(b"\x7e")) == (len(junk), b"")
    reader.receive_data(b"\x01\x02\x03" + MBUS[:9])
    assert read_all(reader) == []
    assert reader.unrecognised.lstrip(b"\x7e") == b"\x01\x02\x03" + MBUS[:9]
    assert reader.skipped == len(junk) + 3


def test_beside_frames_with_a_checksum_nothing_counts_without_one() -> None:
    assert told(read(RAW + HDLC + RAW + HDLC)) == [(RAW, False), (HDLC, False), (HDLC, True)]
    assert told(read(MBUS + RAW)) == [(MBUS, False)]


@pytest.mark.parametrize("wrong", [RAW_HEAD[:-11] + b"\x03", RAW_HEAD + b"\x7f"])
def test_behind_a_notification_that_turns_out_to_be_none_the_next_is_read(wrong: bytes) -> None:
    assert told(read(wrong + RAW)) == [(RAW, True)]


def test_behind_an_llc_nothing_stands_without_a_frame() -> None:
    assert told(read(LLC + RAW)) == []
    assert told(read(b"\x00" + LLC + RAW)) == []
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


def test_of_a_cut_frame_what_stands_before_it_is_no_part() -> None:
    (error,) = read(b"\x01\x02" + HDLC[:20], finish=True)
    assert isinstance(error, IncompleteError)
    assert error.frame == HDLC[:20]


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
