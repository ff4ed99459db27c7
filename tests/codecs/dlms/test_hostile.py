"""Junk and malice: work that grows with what arrives, bounded memory, harmless text."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_meter_reader.codecs.dlms.axdr import encode_length
from smart_meter_reader.codecs.dlms.describe import describe_capture
from smart_meter_reader.codecs.dlms.framing.hdlc import encode_hdlc
from smart_meter_reader.codecs.dlms.reader import DlmsReader
from tests.codecs.dlms.vectors import drain, read, telegrams, wire
from tests.fuzz.harmless import harmful

GOOD = wire("hdlc-aidon-no-list1")
HEAD = encode_hdlc(b"x" * 2030)[:11]  # a right header of a frame as long as can be
RAW = b"\x0f\0\0\0\1\0\x02\x02\x16\x01\x01\x7f"


def each(make: Callable[[random.Random], bytes]) -> Callable[[int], bytes]:
    """A flood of so many bytes."""

    def flood(size: int) -> bytes:
        source, stream = random.Random(1), bytearray()
        while len(stream) < size:
            stream += make(source)
        return bytes(stream[:size])

    return flood


FLOODS = {
    "noise": each(lambda source: source.randbytes(100)),
    "flags": each(lambda _: b"\x7e"),
    "frames that begin": each(lambda _: b"\x7e\xa7\xff"),
    "right headers": each(lambda _: HEAD),
    "beginnings of M-Bus": each(lambda _: b"\x68\xff\xff\x68\x53\xff\x00"),
    "beginnings without a frame": each(lambda _: RAW),
    "descriptors without end": each(lambda _: RAW + b"\x02\x02\0\3\1\0\1\7\0\xff\2\6\0\0\0\1"),
    "zeros": each(lambda _: b"\0"),
}


@pytest.mark.parametrize("name", FLOODS)
@pytest.mark.parametrize("piece", [64, 4096])
def test_a_hundred_kilobytes_of_junk_take_work_in_proportion(name: str, piece: int) -> None:
    work = []
    for size in (25_000, 50_000, 100_000):
        reader = DlmsReader()
        stream = FLOODS[name](size)
        for begin in range(0, size, piece):
            reader.receive_data(stream[begin : begin + piece])
            assert telegrams(list(drain(reader))) == []
        work.append(reader.examined)
        reader.receive_data(bytes(5000) + GOOD * 2)
        reader.finish()
        assert len(telegrams(list(drain(reader)))) >= 1
    # The longest frame for each beginning, which takes three octets at least.
    assert work[-1] <= 100_000 * 2049
    assert work[2] - work[1] <= 2.5 * (work[1] - work[0]) + 10_000


@pytest.mark.parametrize("name", FLOODS)
def test_junk_is_not_kept(name: str) -> None:
    stream = FLOODS[name](100_000)
    reader = DlmsReader()
    tracemalloc.start()
    try:
        for begin in range(0, len(stream), 500):
            reader.receive_data(stream[begin : begin + 500])
            for _ in drain(reader):
                pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000  # errors wait for the collector of cycles


def test_a_day_of_a_list_every_ten_seconds_takes_no_memory() -> None:
    stream = wire("hdlc-kaifa-no-list3")
    reader = DlmsReader()

    def hour() -> None:
        for _ in range(360):
            reader.receive_data(stream)
            assert len(list(drain(reader))) == 1

    for _ in range(22):
        hour()
    tracemalloc.start()
    try:
        hour()
        before, _ = tracemalloc.get_traced_memory()
        hour()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 4_000


def notification(value: bytes) -> bytes:
    return encode_hdlc(b"\xe6\xe7\x00\x0f\x40\0\0\0\0" + value)


@pytest.mark.parametrize(
    "value",
    [
        b"\x01\x84\xff\xff\xff\xff",
        b"\x01\x01" * 500 + b"\0",
        b"\x02\x02\x09\x06\x01\0\x01\x08\0\xff" + b"\x13" + b"\x01\xff\xff" * 5 + b"\x05",
        b"\x13\x01\x03\xe8\x01\x03\xe8\x01\x03\xe8\x00\x00",
        b"\x02\x02\x09\x06\x01\0\x01\x08\0\xff\x18\x7f\xef\xff\xff\xff\xff\xff\xff",
        b"\x02\x03\x09\x06\x01\0\x01\x08\0\xff\x06\0\0\0\1\x02\x02\x0f\x7f\x16\x1e",
        b"\x09\x84\xff\xff\xff\xff",
        b"\x0a" + encode_length(1000) + b"\x1b[31m" * 200,
        b"",
    ],
)
def test_hostile_values_behind_a_right_check_sequence(value: bytes) -> None:
    for description in describe_capture(notification(value) + GOOD):
        assert harmful(description) == []
    assert len(telegrams(read(notification(value) + GOOD))) >= 1


@given(st.lists(st.binary(max_size=60), max_size=8))
@settings(max_examples=300, deadline=None)
def test_any_content_is_harmless(pieces: list[bytes]) -> None:
    body = b"\x02" + bytes([2 * len(pieces)])
    for piece in pieces:
        body += b"\x09\x06\x01\0\x01\x08\0\xff" + piece
    for description in describe_capture(notification(body)):
        assert harmful(description) == []


@given(st.binary(max_size=400), st.integers(1, 50))
@settings(max_examples=300, deadline=None)
def test_any_bytes_in_any_pieces(stream: bytes, piece: int) -> None:
    whole = [type(each) for each in read(stream)]
    assert [type(each) for each in read(stream, piece=piece)] == whole
