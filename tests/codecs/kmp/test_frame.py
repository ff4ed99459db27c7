"""KMP frames: document vectors, streams cut anywhere, damage, junk, and whatever Hypothesis thinks of."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.kmp.frame import (
    MAX_FRAME_LENGTH,
    START_REQUEST,
    START_RESPONSE,
    Ack,
    Frame,
    FrameReader,
    content_so_far,
    decode_frame,
    encode_frame,
)
from smart_meter_reader.exceptions import ChecksumError, FrameError, ProtocolError
from tests.codecs.kmp.vectors import on_wire, wire

REQUEST = wire("kmp-doc-getreg-req")
RESPONSE = wire("kmp-doc-gettype-resp")
RESERVED = bytes((0x06, 0x0D, 0x1B, 0x40, 0x80))

bytes_of_frames = st.binary(max_size=60) | st.lists(st.sampled_from(RESERVED), max_size=60).map(bytes)
frames = st.builds(
    Frame,
    direction=st.sampled_from(("request", "response")),
    address=st.integers(0, 255),
    cid=st.integers(0, 255),
    payload=bytes_of_frames,
)


def read_all(reader: FrameReader) -> list[Frame | Ack | FrameError]:
    """Everything that the reader has, errors among it, until it wants more bytes."""
    found: list[Frame | Ack | FrameError] = []
    while True:
        try:
            item = reader.next_frame()
        except FrameError as error:
            found.append(error)
            continue
        if item is None:
            return found
        found.append(item)


def read(stream: bytes, chunks: Iterable[bytes] | None = None) -> list[Frame | Ack | FrameError]:
    reader = FrameReader()
    found = []
    for chunk in chunks or [stream]:
        reader.receive_data(chunk)
        found += read_all(reader)
    return found


def told(found: Iterable[Frame | Ack | FrameError]) -> list[object]:
    """Errors do not compare equal; their reason and bytes do."""
    return [(item.reason, item.frame) if isinstance(item, FrameError) else item for item in found]


@pytest.mark.parametrize(
    ("frame", "raw"),
    [
        pytest.param(Frame("request", 0x3F, 0x01, b""), "803f01058a0d", id="5512-447 6.2.1 GetType request"),
        pytest.param(
            Frame("response", 0x3F, 0x01, b"\x00\x04\x06\x01"),
            "403f0100041bf90126990d",
            id="5512-447 6.2.1 GetType response, 06 stuffed",
        ),
        pytest.param(
            Frame("request", 0x3F, 0x10, b"\x01\x00\x80"),
            "803f1001001b7fd4080d",
            id="5512-447 6.2.4 GetRegister request, 80 stuffed",
        ),
        pytest.param(
            Frame("response", 0x3F, 0x10, b"\x00\x3a\x00\x04\x00\x00\x00\x00\x03"),
            "403f10003a00040000000003011b7f0d",
            id="MULTICAL 382, CRC byte stuffed",
        ),
    ],
)
def test_document_vectors_both_ways(frame: Frame, raw: str) -> None:
    assert frame.encode() == bytes.fromhex(raw)
    assert decode_frame(bytes.fromhex(raw)) == frame
    assert read(bytes.fromhex(raw)) == [frame]


def test_the_stuffing_of_the_document() -> None:
    # 5512-447, 3.1: 04 0D 00 06 is sent as 04 1B F2 00 1B F9.
    assert encode_frame(START_RESPONSE, 0x3F, 0x11, b"\x04\x0d\x00\x06")[3:9].hex() == "041bf2001bf9"


def test_an_acknowledgement_is_a_lone_06() -> None:
    assert read(b"\x06") == [Ack()]
    assert read(REQUEST + b"\x06" + RESPONSE) == [decode_frame(REQUEST), Ack(), decode_frame(RESPONSE)]
    assert read(b"\x00\x06\x00") == [Ack()]


def test_a_06_among_noise_is_noise() -> None:
    reader = FrameReader()
    reader.receive_data(b"\x55\x06\x06" + RESPONSE)
    assert read_all(reader) == [decode_frame(RESPONSE)]
    assert reader.skipped_bytes == 3


def test_byte_by_byte() -> None:
    stream = REQUEST + b"\x06" + RESPONSE
    assert read(b"", [bytes([byte]) for byte in stream]) == read(stream)


def test_nothing_comes_before_the_stop_byte() -> None:
    reader = FrameReader()
    reader.receive_data(RESPONSE[:-1])
    assert reader.next_frame() is None
    assert reader.pending == RESPONSE[:-1]
    reader.receive_data(RESPONSE[-1:])
    assert reader.next_frame() == decode_frame(RESPONSE)
    assert reader.pending == b""


def test_what_is_pending_was_so_when_it_was_asked_for() -> None:
    reader = FrameReader()
    reader.receive_data(RESPONSE[:3])
    pending = reader.pending
    reader.receive_data(RESPONSE[3:5])
    assert pending == RESPONSE[:3]


def test_a_frame_behind_a_longer_one_is_found_at_its_stop_byte() -> None:
    long = Frame("response", 0x3F, 0x10, bytes(30)).encode()
    reader = FrameReader()
    reader.receive_data(long[:-1])
    assert reader.next_frame() is None
    reader.receive_data(long[-1:] + RESPONSE)
    assert read_all(reader) == [decode_frame(long), decode_frame(RESPONSE)]


def test_inside_garbage() -> None:
    reader = FrameReader()
    reader.receive_data(b"\xff\x55\x0d\x1b\x7f" + REQUEST + b"\x00\x00" + RESPONSE + b"\xaa")
    assert read_all(reader) == [decode_frame(REQUEST), decode_frame(RESPONSE)]
    assert reader.skipped_bytes == 6


def test_a_stray_00_is_not_counted() -> None:
    reader = FrameReader()
    reader.receive_data(b"\x00" * 30 + RESPONSE + b"\x00")
    assert read_all(reader) == [decode_frame(RESPONSE)]
    assert reader.skipped_bytes == 0


def test_discard_forgets_an_unfinished_frame() -> None:
    reader = FrameReader()
    reader.receive_data(RESPONSE[:4])
    assert reader.next_frame() is None
    assert reader.discard() == RESPONSE[:4]
    reader.receive_data(RESPONSE)
    assert reader.next_frame() == decode_frame(RESPONSE)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param("403f10001b7f160411012af024f38a0d", "checksum", id="CRC misprinted in 5512-447"),
        pytest.param("403f1bff0d", "stuffing", id="1B FF"),
        pytest.param("403f1b0d", "stuffing", id="1B before the stop byte"),
        pytest.param("403f1b1be40d", "stuffing", id="1B 1B"),
        pytest.param("403f011b260d", "stuffing", id="1B before a plain byte"),
        pytest.param("400d", "length", id="empty"),
        pytest.param("403f02350d", "length", id="one byte short of the shortest"),
        pytest.param("4000000d", "length", id="too short though its CRC is zero"),
    ],
)
def test_a_damaged_frame_tells_its_reason_and_the_next_one_is_read(raw: str, reason: str) -> None:
    damaged = bytes.fromhex(raw)
    assert told(read(damaged + RESPONSE)) == [(reason, damaged), decode_frame(RESPONSE)]


@pytest.mark.parametrize("raw", [b"", b"\x40", b"\x0d", RESPONSE[1:], RESPONSE[:-1]])
def test_a_frame_without_start_or_stop_is_none(raw: bytes) -> None:
    with pytest.raises(FrameError) as caught:
        decode_frame(raw)
    assert caught.value.reason == "incomplete"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("403f1bff000d", "1Bh is followed by FFh: "),
        ("403f1bab1be40d", "1Bh is followed by ABh: "),
        ("403f1b0d", "1Bh is followed by another escape byte or the stop byte: "),
        ("403f1b1be40d", "1Bh is followed by another escape byte or the stop byte: "),
    ],
)
def test_what_follows_a_wrong_escape_byte_is_told(raw: str, said: str) -> None:
    with pytest.raises(FrameError) as caught:
        decode_frame(bytes.fromhex(raw))
    assert caught.value.detail.startswith(said)


def test_of_a_frame_that_has_begun_the_content_is_known_so_far() -> None:
    raw = Frame("response", 0x3F, 0x10, b"\x80\x1b\x06\x40\x0d\x00").encode()
    content = b"\x3f\x10\x80\x1b\x06\x40\x0d\x00"
    assert raw[:-3] == b"\x40\x3f\x10\x1b\x7f\x1b\xe4\x1b\xf9\x1b\xbf\x1b\xf2\x00"
    # Half of a stuffed byte is none yet.
    told = [1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 8]
    assert [content_so_far(raw[:end]) for end in range(2, 15)] == [content[:length] for length in told]
    assert content_so_far(b"\x40") == b""


def test_of_wrong_stuffing_the_content_so_far_leaves_out_the_escaped_byte() -> None:
    assert content_so_far(b"\x40\x3f\x1b\xff\x10\x1b\x1b\xe4\x01") == b"\x3f\x10\x1b\x01"


@pytest.mark.parametrize("cut", range(1, len(RESPONSE)))
def test_a_start_byte_says_that_the_former_frame_was_cut(cut: int) -> None:
    assert told(read(RESPONSE[:cut] + REQUEST)) == [("incomplete", RESPONSE[:cut]), decode_frame(REQUEST)]


def test_un_stuffing_is_one_pass() -> None:
    # Un-stuffing 1B E4 first and then looking again would take the 1B and the 7F for a stuffed 80.
    frame = Frame("response", 0x3F, 0x10, b"\x1b\x7f\x1b\xf9\x1b\x1b\xe4")
    raw = frame.encode()
    assert raw[3:].startswith(b"\x1b\xe4\x7f\x1b\xe4\xf9\x1b\xe4\x1b\xe4\xe4")
    assert decode_frame(raw) == frame


@pytest.mark.parametrize("start", [0x00, 0x06, 0x41])
def test_other_start_bytes_are_refused(start: int) -> None:
    with pytest.raises(ValueError, match="80h or 40h"):
        encode_frame(start, 0x3F, 0x01)


@pytest.mark.parametrize(("address", "cid"), [(256, 1), (-1, 1), (63, 256)])
def test_address_and_cid_are_bytes(address: int, cid: int) -> None:
    with pytest.raises(ValueError, match="range"):
        encode_frame(START_RESPONSE, address, cid)


@given(frames)
def test_decode_reverses_encode(frame: Frame) -> None:
    raw = on_wire(frame)
    assert decode_frame(raw) == frame
    # Nothing reserved is left inside, so a receiver can tell every byte's role without context.
    assert not set(raw[1:-1]) & {0x06, 0x0D, 0x40, 0x80}


@given(st.binary(max_size=300))
def test_random_bytes_are_a_frame_or_an_error(raw: bytes) -> None:
    try:
        decode_frame(raw)
    except ProtocolError:
        pass
    for item in read(raw):
        assert isinstance(item, Frame | Ack | FrameError)


pieces = st.one_of(
    frames.map(on_wire),
    frames.map(lambda frame: on_wire(frame)[:-2]),
    st.just(b"\x06"),
    st.just(b"\x00\x00"),
    st.binary(max_size=20),
    st.lists(st.sampled_from(RESERVED), max_size=20).map(bytes),
)


@given(st.lists(pieces, max_size=12).map(b"".join), st.lists(st.integers(0, 400), max_size=5))
def test_how_a_stream_is_cut_does_not_matter(stream: bytes, cuts: list[int]) -> None:
    def run(edges: list[int]) -> tuple[list[object], int, bytes]:
        reader = FrameReader(max_frame_length=40)
        found: list[object] = []
        for begin, end in zip([0, *edges], [*edges, len(stream)], strict=True):
            reader.receive_data(stream[begin:end])
            found += told(read_all(reader))
            assert len(reader.pending) < 40
        return found, reader.skipped_bytes, reader.pending

    whole = run([])
    assert run(sorted(min(cut, len(stream)) for cut in cuts)) == whole
    assert run(list(range(len(stream)))) == whole


@given(
    st.lists(frames, max_size=6), st.binary(max_size=30).map(lambda noise: noise.translate(None, b"\x40\x80"))
)
def test_frames_are_found_between_any_noise(sent: list[Frame], noise: bytes) -> None:
    found = read(noise + noise.join(map(on_wire, sent)) + noise)
    assert [item for item in found if isinstance(item, Frame)] == sent
    assert not [item for item in found if isinstance(item, FrameError)]


@given(st.lists(pieces, max_size=12).map(b"".join))
def test_every_byte_is_accounted_for(stream: bytes) -> None:
    reader = FrameReader()
    reader.receive_data(stream)
    found = read_all(reader)
    given_up = b"".join(item.frame for item in found if isinstance(item, FrameError))
    good = b"".join(on_wire(item) for item in found if isinstance(item, Frame))
    acks = sum(isinstance(item, Ack) for item in found)
    seen = given_up + good + reader.pending
    zeros_between = stream.count(0) - seen.count(0)
    assert len(seen) + acks + reader.skipped_bytes + zeros_between == len(stream)


JUNK = {
    "random": random.Random(447).randbytes(20_000),
    "zeros": bytes(20_000),
    "start bytes": b"\x40" * 20_000,
    "one endless frame": b"\x80" + b"\x55" * 19_999,
    "escapes": b"\x40" + b"\x1b" * 19_999,
    "empty frames": b"\x40\x0d" * 10_000,
    "acknowledgements": b"\x06" * 20_000,
    "no start byte": b"\xff" * 20_000,
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
@pytest.mark.parametrize("chunk", [1, 4096, 20_000])
def test_junk_stays_under_the_cap_and_the_next_frame_is_read(junk: bytes, chunk: int) -> None:
    reader = FrameReader()
    for begin in range(0, len(junk), chunk):
        reader.receive_data(junk[begin : begin + chunk])
        read_all(reader)
        assert len(reader.pending) <= MAX_FRAME_LENGTH
    reader.receive_data(b"\x0d" + RESPONSE)
    assert read_all(reader)[-1] == decode_frame(RESPONSE)


def test_the_longest_answer_fits_under_the_cap() -> None:
    record = b"\x06\x06\x06\xff\x06" + b"\x1b" * 255
    longest = Frame("response", 0x40, 0x06, record * 8)
    assert read(longest.encode()) == [longest]
    assert len(longest.encode()) <= MAX_FRAME_LENGTH


def test_a_frame_longer_than_the_cap_is_given_up_at_the_cap() -> None:
    reader = FrameReader(max_frame_length=20)
    reader.receive_data(b"\x40" + b"\x55" * 50 + b"\x0d" + RESPONSE)
    (too_long, frame) = read_all(reader)
    assert isinstance(too_long, FrameError)
    assert (too_long.reason, len(too_long.frame)) == ("length", 20)
    assert frame == decode_frame(RESPONSE)
    assert reader.skipped_bytes == 51 - 20 + 1


def test_a_frame_is_given_up_as_soon_as_it_reaches_the_cap() -> None:
    reader = FrameReader(max_frame_length=20)
    reader.receive_data(b"\x40" + b"\x55" * 18)
    assert reader.next_frame() is None
    reader.receive_data(b"\x55")
    with pytest.raises(FrameError, match="no stop byte within 20 bytes"):
        reader.next_frame()
    assert reader.pending == b""


def test_a_frame_of_the_length_of_the_cap_is_read() -> None:
    raw = Frame("response", 0x3F, 0x10, bytes(12)).encode()
    for cap, reasons in ((len(raw), []), (len(raw) - 1, ["length"])):
        reader = FrameReader(max_frame_length=cap)
        reader.receive_data(raw)
        assert [item.reason for item in read_all(reader) if isinstance(item, FrameError)] == reasons


def test_a_06_behind_a_frame_that_was_given_up_is_noise_of_it() -> None:
    reader = FrameReader(max_frame_length=20)
    reader.receive_data(b"\x40" + b"\x55" * 19 + b"\x06\x06")
    assert [type(item) for item in read_all(reader)] == [FrameError]
    assert reader.skipped_bytes == 2


def test_start_bytes_tell_the_direction() -> None:
    assert decode_frame(encode_frame(START_REQUEST, 0x3F, 0x01)).direction == "request"
    assert decode_frame(encode_frame(START_RESPONSE, 0x3F, 0x01)).direction == "response"


@pytest.mark.parametrize(
    ("content", "calculated"), [("3f10", "079A"), ("3f10010203", "1381")], ids=["shortest", "with payload"]
)
def test_a_wrong_crc_is_told_beside_the_right_one(content: str, calculated: str) -> None:
    with pytest.raises(ChecksumError) as caught:
        decode_frame(bytes.fromhex(f"40{content}12ab0d"))
    assert caught.value.reason == "checksum"
    assert caught.value.detail.startswith(f"CRC 12AB received, {calculated} calculated")
