"""Framing of plain telegrams at its bounds: first and last lines, what is skipped, what the end leaves."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import pytest

from smart_meter_reader.codecs.p1.encode import encode_telegram
from smart_meter_reader.codecs.p1.framing.plain import (
    MAX_TELEGRAM,
    PlainFrame,
    PlainReader,
    reads_well,
    take_apart,
)
from smart_meter_reader.exceptions import FrameError

LINE = b"1-0:1.8.0(000001.000*kWh)\r\n"
COVERED = b"/ISk5\\2MT382\r\n\r\n" + LINE + b"!"
GOOD = encode_telegram(COVERED)
PLAIN = COVERED + b"\r\n"


class Loss(NamedTuple):
    """What an error says."""

    reason: str
    detail: str
    frame: bytes


Event = PlainFrame | Loss


def read(*pieces: bytes, one_meter: bool = True, end: bool = False) -> tuple[list[Event], PlainReader]:
    """Frames; of errors reason, detail and bytes; and the reader."""
    events: deque[PlainFrame | FrameError] = deque()
    reader = PlainReader(events, one_meter=one_meter)
    for piece in pieces:
        reader.receive_data(piece)
    if end:
        reader.finish()
    told = [
        Loss(each.reason, each.detail, each.frame) if isinstance(each, FrameError) else each
        for each in events
    ]
    return told, reader


def kinds(*pieces: bytes, one_meter: bool = True, end: bool = False) -> list[str]:
    told, _ = read(*pieces, one_meter=one_meter, end=end)
    return [each.checksum if isinstance(each, PlainFrame) else each.reason for each in told]


def cut(stream: bytes, size: int) -> list[bytes]:
    return [stream[begin : begin + size] for begin in range(0, len(stream), size)]


def test_the_telegram_is_what_lies_between_the_slash_and_the_exclamation_mark() -> None:
    assert read(GOOD)[0] == [PlainFrame(COVERED, "ok")]
    assert read(PLAIN)[0] == [PlainFrame(COVERED, "absent")]
    assert read(GOOD.replace(b"\r\n", b"\n"))[0] == [PlainFrame(COVERED, "ok")]


@pytest.mark.parametrize(
    ("first", "counts"),
    [
        (b"/ISk5", True),
        (b"/1234", True),
        (b"/ISk", True),
        (b"/IS5", True),
        (b"/IS", False),
        (b"/I-k5", False),
        (b"/ISk" + b"x" * 124, True),
        (b"/ISk" + b"x" * 125, False),
        (b"/ISk(5", False),
        (b"/ISk)5", False),
    ],
)
@pytest.mark.parametrize("piece", [1, 1000])
def test_what_begins_a_telegram(first: bytes, counts: bool, piece: int) -> None:
    stream = encode_telegram(first + b"\r\n\r\n" + LINE + b"!")
    told = kinds(*(stream[begin : begin + piece] for begin in range(0, len(stream), piece)))
    assert told == (["ok"] if counts else [])


def test_bytes_outside_of_telegrams_are_counted() -> None:
    for noise in (b"x", b"/x", b"\xff" * 5000, LINE, b"/ISk" + b"y" * 200):
        told, reader = read(noise, GOOD, b"\r", noise)
        assert [type(each) for each in told] == [PlainFrame]
        # The line end behind the checksum is no part of the telegram, nor what may begin another.
        left = len(noise) if b"/" not in noise[:1] else 0
        assert reader.skipped >= len(noise) + left
    assert read(b"abc", GOOD.rstrip())[1].skipped == 3
    assert read(b"a/b-cd")[1].skipped == 6  # what may begin no telegram is no longer kept
    assert read(b"abc", b"def", GOOD)[1].skipped == 8  # with the line end behind the checksum
    assert read(b"ab/ISk5\r\n", LINE, b"!\r\n")[1].skipped == 3
    # An identification and an end with no line of data between them are noise.
    for nothing in (b"/ISk5\r\n\r\n!", b"/ISk5\n!"):
        told, reader = read(b"abc", nothing + b"0000\r\n")
        assert told == []
        assert reader.skipped == 3 + len(nothing) + 2


def test_where_the_end_is_looked_for_is_each_telegrams_own() -> None:
    assert kinds(b"\xff" * 1000 + GOOD) == ["ok"]
    long = encode_telegram(b"/ISk5\r\n\r\n" + LINE * 10 + b"!")
    # A mark within a text, and the end cut before its own.
    marked = encode_telegram(b"/ISk5\r\n\r\n" + LINE + b"0-0:96.13.0(a!b)\r\n!")
    assert kinds(marked[:-7], marked[-7:]) == ["ok"]
    assert kinds(*(long[begin : begin + 20] for begin in range(0, len(long), 20)), GOOD) == ["ok", "ok"]


def test_letters_without_a_slash_begin_no_telegram() -> None:
    telegram = b"/KFM5KAIFA-METER\r\n\r\n" + LINE + b"!"
    assert read(telegram + b"\r\n")[0] == [PlainFrame(telegram, "absent")]


def test_a_lost_beginning_is_told_once_the_stream_is_known() -> None:
    rest = b"(1*kW)\r\n" + LINE + b"!0000\r\n"
    assert kinds(rest, GOOD) == ["ok"]  # when the port was opened, it is no loss
    assert kinds(rest, rest) == ["truncated"]
    assert kinds(b"noise!\r\n", rest) == []
    told, _ = read(GOOD, rest)
    assert told[1:] == [("truncated", "a telegram came without its first line", rest)]
    # Without a line of data, or without an end, it is noise.
    assert kinds(GOOD, b"noise!\r\n", GOOD) == ["ok", "ok"]
    assert kinds(GOOD, b"noise: none!\r\n", GOOD) == ["ok", "ok"]
    assert kinds(GOOD, rest, b"noise!\r\n") == ["ok", "truncated"]
    assert kinds(GOOD, LINE, GOOD) == ["ok", "ok"]
    # Lines and ends count in their order, however they are cut.
    lost = rest + LINE + b"!\r\n" + rest
    early = GOOD + b"noise!\r\n" + LINE + GOOD + b"-0:1\r\n!\r\n"
    for size in (1, 2, 3, 7, 8, 500):
        assert kinds(*cut(GOOD + lost, size)) == ["ok", *["truncated"] * 3], size
        assert kinds(*cut(lost, size)) == ["truncated"] * 2, size
        assert kinds(*cut(early, size)) == ["ok", "ok"], size
    # The end may come in another piece than the line.
    assert kinds(GOOD, b"\r\n" + LINE, b"!\r\n") == ["ok", "truncated"]
    assert kinds(GOOD, b"\r\n" + LINE, GOOD, b"!\r\n") == ["ok", "ok"]


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (b"", ["truncated"]),
        (b"!", ["absent"]),
        (b"!123", ["checksum"]),
        (b"!12G4", ["checksum"]),
    ],
)
def test_the_end_of_the_stream_judges_what_is_left(ends: bytes, told: list[str]) -> None:
    cut = b"/ISk5\\2MT382\r\n\r\n" + LINE + ends
    assert kinds(cut) == ([] if b"G" not in ends else ["checksum"])
    assert kinds(cut, end=True) == told


def test_after_its_end_the_stream_may_go_on() -> None:
    cut = b"/ISk5\r\n\r\n" + LINE
    told, reader = read(cut, end=True)
    assert told == [("truncated", "the stream ended inside a telegram", cut + b"\r\n")]
    for _ in range(2):
        events: deque[PlainFrame | FrameError] = deque()
        again = PlainReader(events)
        again.receive_data(cut)
        again.finish()
        events.clear()
        again.receive_data(b"\r\n" + LINE + b"!0000\r\n")
        assert not events  # it is outside of telegrams again
        again.receive_data(GOOD)
        assert list(events) == [PlainFrame(COVERED, "ok")]
    assert reader.skipped == 0
    assert kinds(b"/ISk5\r\n\r\nno line of data", end=True) == []
    assert kinds(b"noise", end=True) == []


def overlong(size: int) -> bytes:
    """A telegram without an end that has so many bytes."""
    begin = b"/ISk5\r\n\r\n"
    lines = LINE * ((size - len(begin)) // len(LINE) + 1)
    return (begin + lines)[:size]


@pytest.mark.parametrize("piece", [100, 100_000])
def test_no_telegram_is_longer_than_the_cap(piece: int) -> None:
    for size, told in ((MAX_TELEGRAM, []), (MAX_TELEGRAM + 1, ["overlong"])):
        stream = overlong(size)
        pieces = [stream[begin : begin + piece] for begin in range(0, size, piece)]
        assert kinds(*pieces) == told
        assert kinds(*pieces, b"\r\n", GOOD)[-1:] == ["ok"]


def test_what_is_given_up_ends_where_the_next_telegram_may_begin() -> None:
    stream = overlong(MAX_TELEGRAM - len(COVERED)) + COVERED + b"xx"
    told, reader = read(stream, b"\r\n")
    assert [each[0] for each in told] == ["checksum"]
    begin = overlong(MAX_TELEGRAM - 200)
    (given_up, *others), reader = read(begin + b"\r\n" + COVERED[:-1] + b"x" * 300)
    assert given_up == ("overlong", "no end of telegram within 16384 bytes", begin + b"\r\n")
    assert others == []
    assert reader.skipped == len(begin) + 2
    # In the older half there is no room for a whole one behind it.
    early = overlong(10_000) + b"\r\n" + COVERED[:-1] + LINE * 700
    (given_up, *_), reader = read(early)
    assert isinstance(given_up, Loss)
    assert given_up.frame == early
    assert reader.skipped == len(early)
    # What follows then is outside of telegrams, or the rest of the one that began.
    assert kinds(overlong(MAX_TELEGRAM + 1), b"\r\n" + LINE + b"!0000\r\n") == ["overlong"]
    assert kinds(begin + b"\r\n" + COVERED[:-1] + LINE * 10, b"!\r\n") == ["overlong", "absent"]


def test_noise_that_is_too_long_is_none_that_is_told() -> None:
    told, reader = read(b"abc", b"/ISk5\r\n" + b"x" * MAX_TELEGRAM)
    assert told == []
    assert reader.skipped == 3 + MAX_TELEGRAM + 7


def test_where_a_cut_telegram_and_the_next_are_torn_apart() -> None:
    cut = b"/ISk5\\2MT382\r\n\r\n" + LINE
    told, _ = read(cut + GOOD)
    assert told == [
        ("truncated", "a telegram ended where the next one began", cut),
        PlainFrame(COVERED, "ok"),
    ]
    told, _ = read(cut + PLAIN)
    assert told == [
        ("truncated", "a telegram ended where the next one began", cut),
        PlainFrame(COVERED, "absent"),
    ]
    # Of a beginning without a line of data nothing is told.
    assert kinds(b"/ISk5\\2MT382\r\n\r\n" + GOOD) == ["ok"]
    assert kinds(b"/ISk5\\2MT382\r\n\r\n" + PLAIN) == ["absent"]
    assert read(b"/ISK/ISk5\\2MT382\r\n\r\n" + LINE + b"!\r\n")[0] == [PlainFrame(COVERED, "absent")]
    # Nor is a beginning without one the next telegram.
    assert kinds(cut + b"/ISk5\\2MT382\r\n\r\n!\r\n") == ["truncated"]


@pytest.mark.parametrize("begun", [1, 8])
def test_of_many_beginnings_the_newest_are_tried(begun: int) -> None:
    assert kinds(b"/ISk5\r\n" * begun + GOOD) == ["ok"]


@pytest.mark.parametrize(("behind", "told"), [(7, "ok"), (8, "checksum")])
def test_of_many_beginnings_eight_are_tried(behind: int, told: str) -> None:
    telegram = encode_telegram(b"/ISk5\r\n\r\n" + LINE + b"/ISk5\r\n" * behind + b"!")
    assert kinds(b"/ISk5\r\n" + telegram) == [told]


def test_a_wrong_checksum_tells_both_and_what_it_covers() -> None:
    wrong = b"%s0000\r\n" % COVERED
    right = GOOD[-6:-2].decode()
    told, _ = read(wrong)
    assert told == [
        ("checksum", f"the checksum says 0000, the {len(COVERED)} bytes received give {right}", COVERED)
    ]
    # However its lines end, and whoever sent it.
    assert kinds(wrong.replace(b"\r\n", b"\n")) == ["checksum"]
    assert kinds(wrong.replace(b"/ISk", b"/HLY")) == ["checksum"]
    # Of the newest beginning, which is the likeliest.
    told, _ = read(b"/ISk5\r\n\r\n" + wrong)
    assert [each.frame for each in told if isinstance(each, Loss)] == [COVERED]


def test_a_checksum_that_was_there_once_is_missed() -> None:
    other = PLAIN.replace(b"MT382", b"MT383")
    told, _ = read(GOOD, PLAIN, other)
    assert told[1] == ("checksum", "the checksum is missing, though this meter sends one", COVERED)
    assert isinstance(told[2], PlainFrame)
    assert kinds(GOOD, PLAIN, one_meter=False) == ["ok", "absent"]


@pytest.mark.parametrize(
    ("telegram", "well"),
    [
        (COVERED, True),
        (COVERED.replace(b"\r\n", b"\n"), True),
        (COVERED.replace(b"1-0:", b"12-34:"), True),
        (COVERED.replace(b"1.8.0", b"1.8.0*255"), True),
        (COVERED.replace(LINE, LINE + b"(00947.680)\r\n"), True),
        (COVERED.replace(LINE, b"  \r\n" + LINE), True),
        (COVERED[1:], False),
        (COVERED[:-1], False),
        (COVERED + b"\r\n!", False),
        (COVERED.replace(b"kWh", b"k\xb2h"), False),
        (COVERED.replace(b"*kWh)", b"*kWh"), False),
        (COVERED.replace(b"1-0:", b"1-:"), False),
        (COVERED.replace(b"1-0:", b"123-0:"), False),
        (COVERED.replace(b"1.8.0(", b"1.8.0"), False),
        (COVERED.replace(LINE, LINE + b"rubbish)\r\n"), False),
        (b"", False),
        (b"/ISk5", False),
    ],
)
def test_a_telegram_reads_well_when_each_of_its_lines_is_one_of_data(telegram: bytes, well: bool) -> None:
    assert reads_well(telegram) is well


@pytest.mark.parametrize(
    ("plaintext", "expected"),
    [
        (GOOD, (COVERED, "ok")),
        (GOOD + b"\0\0 ", (COVERED, "ok")),
        (PLAIN, (COVERED, "absent")),
        (COVERED, (COVERED, "absent")),
        (COVERED + b"0000\r\n", (COVERED, "bad")),
        (COVERED + b"12G4\r\n", (COVERED, "bad")),
        (COVERED + b"12345", (COVERED, "bad")),
        (GOOD.replace(b"\r\n", b"\n"), (COVERED, "ok")),
        (b"x" + GOOD, None),
        (COVERED[:-1], None),
        (b"", None),
    ],
)
def test_a_decrypted_telegram(plaintext: bytes, expected: tuple[bytes, str] | None) -> None:
    assert take_apart(plaintext) == expected
