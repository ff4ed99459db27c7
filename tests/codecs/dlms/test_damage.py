"""Damage on the line: no flipped bit and no lost octet gives a value, and the next telegram is read."""

from __future__ import annotations

import random

import pytest

from smart_meter_reader.codecs.dlms.framing.hdlc import encode_hdlc
from smart_meter_reader.codecs.dlms.framing.mbus_frame import encode_mbus
from tests.codecs.dlms.vectors import opener, read, reasons, telegrams, wire

# Together more than 624 bits of each framing, with segments, blocks, and frames that are encrypted.
FLIPPED = (
    "hdlc-aidon-no-list1",
    "hdlc-kaifa-no-list3",
    "hdlc-iskra-am550-segmented",
    "hdlc-lg-e450-at-gbt-glo30",
    "mbus-kaifa-netz-noe-glo20",
    "mbus-sagemcom-t210d-len01",
)
GOOD = wire("hdlc-aidon-no-list1")


@pytest.mark.parametrize("identifier", FLIPPED)
def test_no_flipped_bit_gives_a_value(identifier: str) -> None:
    frame = wire(identifier)
    for bit in range(len(frame) * 8):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        assert telegrams(read(bytes(damaged), opener(identifier))) == [], bit


@pytest.mark.parametrize("identifier", FLIPPED)
def test_a_damaged_telegram_costs_no_other(identifier: str) -> None:
    frame, own = wire(identifier), opener(identifier)
    source = random.Random(identifier)
    for _ in range(50):
        damaged = bytearray(frame)
        damaged[source.randrange(len(frame))] ^= 1 << source.randrange(8)
        outcomes = read(bytes(damaged) + b"\0" * 300 + GOOD * 2)
        if own is None:
            assert len(telegrams(outcomes)) == 2
        else:
            assert not telegrams(outcomes) or len(telegrams(outcomes)) <= 2


@pytest.mark.parametrize("identifier", FLIPPED)
def test_a_lost_octet_gives_no_value(identifier: str) -> None:
    frame, own = wire(identifier), opener(identifier)
    for place in range(len(frame)):
        if frame[place - 1 : place + 1] == b"\x7e\x7e" or frame[place : place + 2] == b"\x7e\x7e":
            continue  # one flag is enough between two frames
        stream = frame[:place] + frame[place + 1 :]
        assert telegrams(read(stream, own)) == [], place


def test_a_flag_may_close_and_open() -> None:
    body = GOOD[1:-1]
    shared = b"\x7e" + body + b"\x7e" + body + b"\x7e"
    assert len(telegrams(read(shared))) == 2
    assert len(telegrams(read(b"\x7e" * 5 + shared + b"\x7e" * 5))) == 2


def test_a_cut_frame_is_told_and_the_next_one_read() -> None:
    outcomes = read(GOOD[:30] + GOOD)
    assert (len(telegrams(outcomes)), reasons(outcomes)) == (1, ["checksum"])
    assert reasons(read(GOOD[:30])) == ["truncated"]


@pytest.mark.parametrize("bit", range(8, 72))
@pytest.mark.parametrize("piece", [None, 1])
def test_a_frame_with_a_damaged_head_is_told_once_and_its_neighbours_read(
    bit: int, piece: int | None
) -> None:
    damaged = bytearray(GOOD)
    damaged[bit // 8] ^= 1 << bit % 8
    outcomes = read(GOOD + bytes(damaged) + GOOD, piece=piece)
    assert [getattr(each, "reason", "good") for each in outcomes] == ["good", "checksum", "good"]
    assert [getattr(each, "reason", "good") for each in read(bytes(damaged) + GOOD)][-1] == "good"


def test_a_frame_that_lost_its_flag_is_told_beside_good_ones() -> None:
    outcomes = read(GOOD + b"\0" + GOOD[1:] + GOOD)
    assert (len(telegrams(outcomes)), reasons(outcomes)) == (2, ["checksum"])
    # Before any frame it is no more than where listening began; and what other programs print behind a frame
    # is that frame once more.
    assert reasons(read(GOOD[6:] + GOOD)) == []
    assert reasons(read(GOOD + GOOD[GOOD.index(b"\xe6\xe7\x00") : -3])) == []


@pytest.mark.parametrize("place", [1, 2, 3])
def test_an_mbus_frame_with_a_damaged_head_is_told(place: int) -> None:
    frame = encode_mbus(bytes.fromhex("0f0000000100020206000000010600000002"), 0, last=True)
    damaged = bytearray(frame)
    damaged[place] ^= 0x10
    assert reasons(read(frame)) == []
    assert reasons(read(frame + bytes(damaged) + frame)) == ["checksum"]


def test_a_segment_that_is_missing_drops_the_telegram() -> None:
    stream = wire("hdlc-iskra-am550-segmented")
    first, second, third = stream[:166], stream[166:332], stream[332:]
    for missing in (first + third, second + third, first + second + GOOD, first + first + second):
        assert all(each.layout == "list" for each in telegrams(read(missing)))
        assert len(telegrams(read(missing))) == missing.endswith(GOOD)
    assert len(telegrams(read(first + b"\0" + second + third))) == 0
    assert len(telegrams(read(first + second + first + second + third))) == 1


def test_blocks_between_which_something_else_came_are_dropped() -> None:
    stream = wire("hdlc-lg-e450-ch-vse2026")
    outcomes = read(stream[:134] + GOOD + stream[134:])
    (telegram,) = telegrams(outcomes)
    assert telegram.layout == "list"
    assert set(reasons(outcomes)) == {"incomplete"}


def test_segments_without_end_are_given_up() -> None:
    segment = encode_hdlc(b"x" * 1000, segmented=True)
    assert "incomplete" in reasons(read(segment * 20 + GOOD))


def test_what_is_no_notification_is_told() -> None:
    outcomes = read(encode_hdlc(b"\xe6\xe7\x00\xc4\x01\x40\x00\x00"))
    assert reasons(outcomes) == ["malformed"]
