"""From frames to APDUs: segments, blocks and pieces in order, and each way in which they are not."""

from __future__ import annotations

from itertools import chain

import pytest

from smart_meter_reader.codecs.dlms.framing.frames import ArrivedFrame
from smart_meter_reader.codecs.dlms.framing.hdlc import HdlcFrame
from smart_meter_reader.codecs.dlms.framing.joining import LLC, LONGEST_APDU, Joiner, encode_blocks
from smart_meter_reader.codecs.dlms.framing.mbus_frame import MbusFrame
from smart_meter_reader.codecs.dlms.framing.unframed import UnframedFrame
from smart_meter_reader.exceptions import FrameError

LAST, STREAMING = 0x80, 0x40


def segment(
    information: bytes, *, more: bool = False, gap: bool = False, to: bytes = b"\x41"
) -> ArrivedFrame:
    return ArrivedFrame(HdlcFrame(to, b"\x08\x83", 0x13, more, information, b"\x7e"), gap)


def piece(sequence: int, octets: bytes, *, last: bool = False) -> ArrivedFrame:
    return ArrivedFrame(MbusFrame(sequence, last, b"\x01\x67", octets, b"\x68"), gap=False)


def unframed(octets: bytes) -> ArrivedFrame:
    return ArrivedFrame(UnframedFrame(octets), gap=False)


def block(number: int, octets: bytes, control: int = STREAMING, length: int | None = None) -> ArrivedFrame:
    """One block of a general block transfer (DLMS UA 1000-2, 9.4.6.13) in a frame of its own."""
    head = bytes([0xE0, control]) + number.to_bytes(2, "big") + bytes(2)
    return segment(LLC + head + bytes([len(octets) if length is None else length]) + octets)


def joined(*arrivals: ArrivedFrame, joiner: Joiner | None = None) -> list[bytes | str]:
    """APDUs, and of what was dropped the words."""
    joiner = joiner or Joiner()
    outcomes = chain.from_iterable(map(joiner.take, arrivals))
    return [f"{each.reason}: {each.detail}" if isinstance(each, FrameError) else each for each in outcomes]


def dropped(why: str) -> str:
    return f"incomplete: a telegram was begun and not ended: {why}"


# --- HDLC ---


@pytest.mark.parametrize(
    ("information", "apdus"), [(LLC + b"\x0fa", [b"\x0fa"]), (b"\x0fa", [b"\x0fa"]), (b"", [])]
)
def test_a_frame_alone(information: bytes, apdus: list[bytes]) -> None:
    assert joined(segment(information)) == apdus
    # What was lost before the first frame costs nothing.
    assert joined(segment(information, gap=True)) == apdus


def test_segments_are_one_apdu() -> None:
    joiner = Joiner()
    first, second = segment(LLC + b"\x0f1", more=True), segment(b"2", more=True)
    assert (joined(first, second, joiner=joiner), joiner.collecting) == ([], True)
    assert (joined(segment(b"3"), joiner=joiner), joiner.collecting) == ([b"\x0f123"], False)
    assert joined(segment(LLC + b"\x0f4"), joiner=joiner) == [b"\x0f4"]


def test_an_llc_inside_a_telegram_is_not_taken_off() -> None:
    assert joined(segment(LLC + LLC + b"1", more=True), segment(b"2" + LLC)) == [LLC + b"12" + LLC]


@pytest.mark.parametrize(
    "wrong", [segment(b"3", gap=True), segment(b"3", to=b"\x43")], ids=["gap", "foreign"]
)
def test_behind_a_segment_that_is_missing_nothing_is_joined(wrong: ArrivedFrame) -> None:
    begun = segment(LLC + b"\x0f1", more=True)
    assert joined(begun, wrong, segment(LLC + b"\x0f4")) == [dropped("a segment is missing"), b"\x0f4"]


def test_a_segment_from_another_meter_is_foreign() -> None:
    other = segment(b"3")
    other = other._replace(frame=other.frame._replace(source=b"\x05"))  # type: ignore[call-arg]
    assert joined(segment(LLC + b"\x0f1", more=True), other) == [dropped("a segment is missing")]


@pytest.mark.parametrize("gap", [False, True])
def test_another_telegram_may_begin_before_the_end(gap: bool) -> None:
    assert joined(
        segment(LLC + b"\x0f1", more=True), segment(LLC + b"\x0f2", more=True, gap=gap), segment(b"3")
    ) == [dropped("another one begins"), b"\x0f23"]


def test_segments_grow_to_the_longest_telegram_and_no_further() -> None:
    half = bytes(LONGEST_APDU // 2)
    assert joined(segment(half, more=True), segment(half)) == [half * 2]
    too_long = dropped(f"it has more than {LONGEST_APDU} octets")
    assert joined(segment(half, more=True), segment(half + b"1", more=True), segment(b"2")) == [
        too_long,
        b"2",
    ]


# --- general block transfer ---


def test_blocks_as_they_are_written() -> None:
    assert [each.hex() for each in encode_blocks(b"abcde", 2)] == [
        "e040000100000261" + "62",
        "e040000200000263" + "64",
        "e0c0000300000165",
    ]
    assert len(encode_blocks(b"abcd", 2)) == 2


def test_blocks_are_one_apdu() -> None:
    joiner = Joiner()
    assert (joined(block(1, LLC + b"\xdb1"), block(2, b"2"), joiner=joiner), joiner.collecting) == ([], True)
    assert (joined(block(3, b"3", LAST), joiner=joiner), joiner.collecting) == ([b"\xdb123"], False)
    assert joined(block(1, b"4", LAST | STREAMING), joiner=joiner) == [b"4"]


def test_a_block_may_come_in_segments() -> None:
    whole = block(1, b"12", LAST).frame
    assert isinstance(whole, HdlcFrame)
    assert joined(segment(whole.information[:6], more=True), segment(whole.information[6:])) == [b"12"]


def test_behind_a_gap_what_was_collected_is_dropped() -> None:
    assert joined(block(1, b"1"), block(3, b"3"), block(4, b"4", LAST)) == [
        dropped("block 3 instead of 2"),
        "incomplete: block 3 without those before it",
        "incomplete: block 4 without those before it",
    ]


def test_block_1_begins_anew() -> None:
    assert joined(block(1, b"1"), block(2, b"2"), block(1, b"3"), block(2, b"4", LAST)) == [
        dropped("another one begins at block 1"),
        b"34",
    ]


def test_a_block_that_comes_again_is_no_next_one() -> None:
    assert joined(block(1, b"1"), block(2, b"2"), block(2, b"2"), block(3, b"3", LAST)) == [
        dropped("block 2 instead of 3"),
        "incomplete: block 2 without those before it",
        "incomplete: block 3 without those before it",
    ]


@pytest.mark.parametrize("number", [0, 2, 0x0101])
def test_listening_begins_at_block_1(number: int) -> None:
    assert joined(block(number, b"1", LAST), block(1, b"2", LAST)) == [
        f"incomplete: block {number} without those before it",
        b"2",
    ]


@pytest.mark.parametrize("length", [0, 1, 3, 0x85])
def test_a_block_that_is_not_as_long_as_it_says_drops_the_telegram(length: int) -> None:
    assert joined(block(1, b"1"), block(2, b"22", LAST, length), block(2, b"3", LAST)) == [
        dropped("a block is malformed"),
        "malformed: a block does not hold as many octets as it says",
        "incomplete: block 2 without those before it",
    ]


def test_blocks_grow_to_the_longest_telegram_and_no_further() -> None:
    octets = bytes(96)  # of which 170 are 16 KiB and another 2/3 of one
    blocks = [block(number, octets) for number in range(1, 171)]
    rest = LONGEST_APDU - 170 * 96
    assert joined(*blocks, block(171, bytes(rest), LAST)) == [bytes(LONGEST_APDU)]
    assert joined(*blocks, block(171, bytes(rest + 1), LAST)) == [
        dropped(f"it has more than {LONGEST_APDU} octets")
    ]


def test_a_telegram_without_blocks_ends_those_before_it() -> None:
    plain = segment(LLC + b"\x0f3")
    assert joined(block(1, b"1"), plain, block(2, b"2", LAST)) == [
        dropped("a telegram without blocks came between"),
        b"\x0f3",
        "incomplete: block 2 without those before it",
    ]
    assert joined(block(1, b"1"), segment(LLC), block(2, b"2", LAST)) == [
        dropped("a telegram without blocks came between"),
        "incomplete: block 2 without those before it",
    ]


# --- M-Bus ---


def test_pieces_are_one_apdu() -> None:
    joiner = Joiner()
    assert (joined(piece(0, LLC + b"\xdb1"), joiner=joiner), joiner.collecting) == ([], True)
    rest = joined(piece(1, b"2"), piece(2, b"3", last=True), joiner=joiner)
    assert (rest, joiner.collecting) == ([b"\xdb123"], False)
    assert joined(piece(0, b"4", last=True), joiner=joiner) == [b"4"]


@pytest.mark.parametrize("sequence", [1, 3])
def test_a_repeat_or_a_gap_drops_the_pieces(sequence: int) -> None:
    assert joined(piece(0, b"1"), piece(1, b"2"), piece(sequence, b"3"), piece(2, b"4", last=True)) == [
        dropped(f"piece {sequence} instead of 2"),
        f"incomplete: piece {sequence} without those before it",
        "incomplete: piece 2 without those before it",
    ]


def test_piece_0_begins_anew() -> None:
    assert joined(piece(0, b"1"), piece(0, b"2"), piece(1, b"3", last=True)) == [
        dropped("another one begins"),
        b"23",
    ]


@pytest.mark.parametrize("sequence", [1, 2])
def test_listening_begins_at_piece_0(sequence: int) -> None:
    assert joined(piece(sequence, b"1", last=True)) == [
        f"incomplete: piece {sequence} without those before it"
    ]
    begun = piece(0, b"0", last=True)
    assert joined(begun, piece(1, b"1", last=True)) == [b"0", "incomplete: piece 1 without those before it"]


# --- one framing between another ---


@pytest.mark.parametrize(
    ("begun", "between", "why"),
    [
        (segment(LLC + b"\x0f1", more=True), piece(0, b"2", last=True), "a frame of M-Bus came between"),
        (block(1, b"1"), piece(0, b"2", last=True), "a frame of M-Bus came between"),
        (piece(0, b"1"), segment(b"2"), "a frame of HDLC came between"),
        (piece(0, b"1"), unframed(b"2"), "a telegram without frames came between"),
        (block(1, b"1"), unframed(b"2"), "a telegram without frames came between"),
        (segment(b"1", more=True), unframed(b"2"), "a telegram without frames came between"),
    ],
)
def test_what_another_framing_interrupts_is_dropped(
    begun: ArrivedFrame, between: ArrivedFrame, why: str
) -> None:
    joiner = Joiner()
    assert (joined(begun, between, joiner=joiner), joiner.collecting) == ([dropped(why), b"2"], False)


def test_a_telegram_without_frames_is_an_apdu_as_it_is() -> None:
    assert joined(unframed(LLC + b"\x0f")) == [LLC + b"\x0f"]


@pytest.mark.parametrize("begun", [segment(b"1", more=True), block(1, b"1"), piece(0, b"1")])
def test_what_is_given_up_leaves_nothing(begun: ArrivedFrame) -> None:
    joiner = Joiner()
    assert list(joiner.drop("nothing yet")) == []
    assert joined(begun, joiner=joiner) == []
    assert [each.detail for each in joiner.drop("the stream ends")] == [
        "a telegram was begun and not ended: the stream ends"
    ]
    assert not joiner.collecting
    # None of it is in the next one.
    assert joined(segment(b"3"), block(1, b"4", LAST), piece(0, b"5", last=True), joiner=joiner) == [
        b"3",
        b"4",
        b"5",
    ]
