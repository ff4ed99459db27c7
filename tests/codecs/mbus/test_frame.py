"""M-Bus frames: both ways, streams cut anywhere, damage, junk, and whatever Hypothesis thinks of."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.mbus.frame import (
    FCB,
    MAX_FRAME_LENGTH,
    REQ_UD2,
    SND_NKE,
    FrameReader,
    LongFrame,
    ShortFrame,
    SingleCharacter,
)
from smart_meter_reader.exceptions import ForbiddenCommandError, FrameError
from tests.codecs.mbus.captures import CAPTURES, MULTICAL_302, MULTICAL_403, SHARKY, wire

Found = SingleCharacter | ShortFrame | LongFrame | FrameError

short_frames = st.builds(ShortFrame, st.sampled_from((0x40, 0x5A, 0x5B, 0x7A, 0x7B)), st.integers(0, 255))
answers = st.builds(
    LongFrame,
    st.sampled_from((0x08, 0x18, 0x28, 0x38)),
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(max_size=252),
)
frames = st.one_of(st.just(SingleCharacter()), short_frames, answers)


class CountingReader(FrameReader):
    """Counts over how many bytes checksums are computed."""

    def __init__(self) -> None:
        super().__init__()
        self.summed_bytes = 0

    def _sum(self, length: int) -> int:
        self.summed_bytes += length
        return super()._sum(length)


def read_all(reader: FrameReader) -> list[Found]:
    """Everything that the reader has, errors among it, until it wants more bytes."""
    found: list[Found] = []
    while True:
        try:
            item = reader.next_frame()
        except FrameError as error:
            found.append(error)
            continue
        if item is None:
            return found
        found.append(item)


def read(stream: bytes, size: int = 0) -> list[Found]:
    """What a stream has in it, given in pieces of this size, and whole for 0."""
    reader = FrameReader()
    found = []
    for place in range(0, len(stream), size or len(stream) or 1):
        reader.receive_data(stream[place : place + size] if size else stream)
        found += read_all(reader)
    reader.finish()
    return found + read_all(reader)


def told(found: Iterable[Found]) -> list[object]:
    """Errors do not compare equal; their reason and bytes do."""
    return [(item.reason, item.frame) if isinstance(item, FrameError) else item for item in found]


@pytest.mark.parametrize(
    ("frame", "raw"),
    [
        pytest.param(SingleCharacter(), "e5", id="EN 13757-2 5.3 single character"),
        pytest.param(ShortFrame(SND_NKE, 1), "1040014116", id="M-Bus documentation 5.5 SND_NKE"),
        pytest.param(ShortFrame(REQ_UD2 | FCB, 2), "107b027d16", id="rscada/libmbus#81 REQ_UD2"),
        pytest.param(
            LongFrame(0x73, 253, 0x52, bytes.fromhex("ffffff1fffffffff")),
            "680b0b6873fd52ffffff1fffffffffda16",
            id="wmbusmeters#435 selection",
        ),
    ],
)
def test_known_frames_both_ways(frame: SingleCharacter | ShortFrame | LongFrame, raw: str) -> None:
    assert frame.encode().hex() == raw
    assert read(bytes.fromhex(raw)) == [frame]


WHOLE = [name for name in CAPTURES if CAPTURES[name]["crc_ok"] and name != "mbus-bad-checksum"]


@pytest.mark.parametrize("name", WHOLE)
def test_a_capture_is_one_frame_however_it_comes(name: str) -> None:
    raw = wire(name)
    (frame,) = read(raw)
    assert not isinstance(frame, FrameError)
    assert frame.encode() == raw
    assert read(raw, 1) == [frame]
    assert read(raw + raw) == [frame, frame]
    noise = random.Random(name).randbytes(40).translate(None, b"\x10\x68")
    for garbage in (
        noise,
        b"\x68" + noise,
        noise + b"\x68\x68",
        b"\x00\xff\x10\x40",
        b"\x68\xf0\xf0\x68" + noise,
    ):
        assert frame in read(garbage + raw + garbage)


def test_a_frame_of_68h_octets_behind_a_68_is_no_damage() -> None:
    assert told(read(b"\x68" + SHARKY)) == read(SHARKY)
    assert told(read(b"\x68\x68" + SHARKY)) == read(SHARKY)


def test_an_e5_among_noise_is_noise() -> None:
    assert read(b"\xe5\xe5") == [SingleCharacter()] * 2
    assert read(b"\x55\xe5" + MULTICAL_403 + b"\xe5") == [*read(MULTICAL_403), SingleCharacter()]


@pytest.mark.parametrize("raw", [SHARKY, MULTICAL_403], ids=["sharky", "403"])
def test_no_single_turned_bit_gives_a_frame(raw: bytes) -> None:
    for bit in range(8 * len(raw)):
        damaged = bytearray(raw)
        damaged[bit // 8] ^= 1 << bit % 8
        found = read(bytes(damaged) + raw)
        assert [item for item in found if isinstance(item, LongFrame)] == read(raw), bit
        # Only the very first byte leaves nothing to tell a frame by.
        assert bit < 8 or any(isinstance(item, FrameError) for item in found), bit


@pytest.mark.parametrize(
    ("place", "byte", "reason"),
    [(1, 0x45, "length"), (2, 0x44, "length"), (3, 0x69, "start"), (-1, 0x17, "stop"), (-2, 0, "checksum")],
)
def test_what_is_wrong_is_told(place: int, byte: int, reason: str) -> None:
    damaged = bytearray(MULTICAL_403)
    damaged[place] = byte
    (error,) = read(bytes(damaged))
    assert isinstance(error, FrameError)
    assert (error.reason, error.frame) == (reason, bytes(damaged))


def test_a_frame_too_short_for_what_every_frame_has_is_told_and_hides_none_behind_it() -> None:
    # rscada/libmbus test/test-frames/invalid_length (BSD-3-Clause)
    short = bytes.fromhex("680000680816")
    error, *behind = read(short + MULTICAL_403)
    assert isinstance(error, FrameError)
    assert (error.reason, error.frame) == ("length", short)
    assert behind == read(MULTICAL_403)
    assert read(bytes.fromhex("680000680817")) == []  # noise


def test_a_cut_frame_hides_none_behind_it() -> None:
    for length in range(5, len(MULTICAL_302)):
        found = read(MULTICAL_302[:length] + MULTICAL_403)
        assert found[-1:] == read(MULTICAL_403), length
    (error,) = read(MULTICAL_302[:100])
    assert isinstance(error, FrameError)
    assert error.reason == "incomplete"


JUNK = {
    "random": random.Random(13757).randbytes(20_000),
    "zeros": bytes(20_000),
    "starts": b"\x68" * 20_000,
    "short starts": b"\x10" * 20_000,
    "requests without end": b"\x10\x5b" * 10_000,
    "acknowledgements": b"\xe5" * 20_000,
    "heads": b"\x68\xff\xff\x68" * 5_000,
    "heads and stops": b"\x68\x16\x16\x68\x16\x16" * 3_334,
    "nearly heads": b"\x68\x68\x16" * 6_667,
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
@pytest.mark.parametrize("size", [1, 4096, 20_000])
def test_junk_stays_under_the_cap_and_costs_its_length_and_no_more(junk: bytes, size: int) -> None:
    reader = CountingReader()
    for place in range(0, len(junk), size):
        reader.receive_data(junk[place : place + size])
        read_all(reader)
        assert len(reader.pending) < MAX_FRAME_LENGTH
    # Each byte can be in the checksum of as many frames as a frame has bytes, whatever comes, and no more.
    assert reader.summed_bytes <= 2 * 255 * len(junk)
    half = CountingReader()
    half.receive_data(junk[: len(junk) // 2])
    read_all(half)
    assert reader.summed_bytes <= 2.2 * half.summed_bytes + 2 * 255 * MAX_FRAME_LENGTH
    reader.finish()
    read_all(reader)
    summed = reader.summed_bytes
    reader.receive_data(MULTICAL_403)
    assert read_all(reader)[-1:] == read(MULTICAL_403)
    assert reader.summed_bytes == summed + len(MULTICAL_403) - 6


@given(frames)
def test_decode_reverses_encode(frame: SingleCharacter | ShortFrame | LongFrame) -> None:
    assert read(frame.encode()) == [frame]


@given(st.binary(max_size=600))
def test_random_bytes_are_frames_or_errors(raw: bytes) -> None:
    for item in read(raw):
        assert isinstance(item, SingleCharacter | ShortFrame | LongFrame | FrameError)


pieces = st.one_of(
    frames.map(lambda frame: frame.encode()),
    frames.map(lambda frame: frame.encode()[:-2]),
    st.binary(max_size=20),
    st.lists(st.sampled_from(b"\x68\x10\x16\xe5\x03\x5b"), max_size=20).map(bytes),
)


@given(st.lists(pieces, max_size=8).map(b"".join), st.integers(1, 300))
def test_how_a_stream_is_cut_does_not_matter(stream: bytes, size: int) -> None:
    assert told(read(stream, size)) == told(read(stream))
    assert told(read(stream, 1)) == told(read(stream))


@given(
    st.lists(answers, max_size=5),
    st.binary(max_size=30).map(lambda noise: noise.translate(None, b"\x10\x68")),
)
def test_frames_are_found_between_any_noise(sent: list[LongFrame], noise: bytes) -> None:
    found = read(noise + noise.join(frame.encode() for frame in sent) + noise)
    assert [item for item in found if not isinstance(item, SingleCharacter)] == sent


def test_a_reader_sends_nothing_that_changes_a_meter() -> None:
    for ci, payload in ((0x51, b"\x01\x7a\x05"), (0x50, b""), (0xB8, b""), (0x52, b"\x00" * 7)):
        with pytest.raises(ForbiddenCommandError):
            LongFrame(0x53, 253, ci, payload).encode()
    with pytest.raises(ValueError, match="53h"):
        ShortFrame(0x53, 1).encode()
    with pytest.raises(ValueError, match="do not fit"):
        LongFrame(0x08, 1, 0x72, bytes(253)).encode()
