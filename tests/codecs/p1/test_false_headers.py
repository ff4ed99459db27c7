"""A flood of false encrypted headers: what is decrypted and kept for it is bounded, the meter still read."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable

import pytest

from smart_meter_reader.codecs.p1.encode import encode_telegram, encrypt_telegram
from smart_meter_reader.codecs.p1.encryption.cipher import Opened, Opener
from smart_meter_reader.codecs.p1.encryption.header import CipherFrame
from smart_meter_reader.codecs.p1.framing.frame import FrameReader
from smart_meter_reader.codecs.p1.framing.plain import PlainFrame
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.exceptions import DecryptionError, FrameError

KEY, AK = bytes(range(16)), bytes(range(16, 32))
TITLE = b"SAG5\x00\x00\x00\x01"
PLAIN = encode_telegram(b"/ISK5\\2M550T-1012\r\n\r\n1-3:0.2.8(50)\r\n1-0:1.8.1(000001.000*kWh)\r\n!")


def sealed(counter: int) -> bytes:
    return encrypt_telegram(PLAIN, KEY, AK, TITLE, counter)


def header(claimed: int, title: bytes = TITLE, security: int = 0x30) -> bytes:
    return b"\xdb\x08" + title + b"\x82" + claimed.to_bytes(2, "big") + bytes([security])


def each(make: Callable[[random.Random], bytes]) -> Callable[[int], bytes]:
    """A flood of about so many bytes."""

    def flood(size: int) -> bytes:
        source, stream = random.Random(1), bytearray()
        while len(stream) < size:
            stream += make(source)
        return bytes(stream)

    return flood


FLOODS = {
    "short": each(lambda _: b"\xdb\x08" + TITLE + b"\x7f\x30"),
    "of a telegram's length": each(lambda _: header(500) + b"x"),
    "of a piece's length": each(lambda _: header(4000) + b"x"),
    "as long as can be": each(lambda _: header(16_000) + b"x"),
    "of any length": each(lambda source: header(source.randrange(17, 16_384)) + b"x"),
    "of other meters": each(lambda source: header(1000, source.randbytes(8)) + b"x"),
    "not encrypted": each(lambda _: header(1000, security=0x10) + b"\0\0\0\7/ISK5\r\n"),
    "as a telegram begins": each(lambda _: header(1000) + b"/ISK5\r\n"),
    "inside one that never ends": each(lambda source: header(source.choice((16_000, 30))) + b"x" * 20),
    "recorded ones": each(lambda _: sealed(7)[:40]),
    "recorded ones of any length": each(
        lambda source: header(source.randrange(17, 16_384)) + sealed(7)[14:40]
    ),
}


class Worker:
    """Opens frames and counts how many bytes that took, in vain."""

    def __init__(self) -> None:
        self.opener = Opener(KEY, AK)
        self.in_vain = 0
        self.openings = 0

    def open(self, frame: CipherFrame) -> Opened:
        try:
            return self.opener.open(frame)
        except DecryptionError:
            self.in_vain += len(frame.raw)
            self.openings += 1
            raise


def read(reader: FrameReader, stream: bytes, piece: int) -> tuple[list[PlainFrame | Opened], list[Exception]]:
    frames: list[PlainFrame | Opened] = []
    errors: list[Exception] = []
    for begin in range(0, len(stream), piece):
        reader.receive_data(stream[begin : begin + piece])
        while True:
            try:
                frame = reader.next_frame()
            except (DecryptionError, FrameError) as error:
                errors.append(error)
                continue
            if frame is None:
                break
            frames.append(frame)
    return frames, errors


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
@pytest.mark.parametrize("piece", [61, 4096, 1_000_000])
def test_what_is_decrypted_in_vain_is_bounded_by_what_arrives(
    flood: Callable[[int], bytes], piece: int
) -> None:
    worker = Worker()
    stream = flood(40_000)
    reader = FrameReader(worker.open, worker.opener.is_likely)
    _, errors = read(reader, stream, piece)
    # Four times as much of either kind, and what may have been saved up before.
    assert worker.in_vain <= 2 * (4 * len(stream) + 100_000)
    assert worker.openings <= 2 * (4 * len(stream) + 100_000) / 1024
    assert len(errors) <= worker.openings + len(stream) / 60 + 1
    # What was not looked into is told, as one loss in each piece.
    assert worker.openings == len(stream) // len(flood(1)) or any(
        "not looked into" in str(error) for error in errors
    )


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_little_is_kept_for_a_flood(flood: Callable[[int], bytes]) -> None:
    stream = flood(4096 * 8)
    reader = P1Reader(Opener(KEY, AK))
    reader.receive_data(sealed(1))
    assert reader.next_telegram() is not None
    tracemalloc.start()
    try:
        for begin in range(0, len(stream), 4096):
            reader.receive_data(stream[begin : begin + 4096])
        # Nobody has asked for a telegram yet: all errors are kept.
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()


# A recording is not told from the meter by its first bytes: see below.
MADE_WITHOUT_A_KEY = {name: flood for name, flood in FLOODS.items() if "recorded" not in name}


@pytest.mark.parametrize("flood", MADE_WITHOUT_A_KEY.values(), ids=MADE_WITHOUT_A_KEY)
@pytest.mark.parametrize("piece", [61, 4096])
@pytest.mark.parametrize("known", [True, False])
def test_the_meter_is_read_in_the_midst_of_a_flood(
    flood: Callable[[int], bytes], piece: int, known: bool
) -> None:
    worker = Worker()
    reader = FrameReader(worker.open, worker.opener.is_likely)
    if known:
        assert len(read(reader, sealed(1), piece)[0]) == 1
    stream = b"".join(flood(20_000) + b"".join(map(sealed, range(n, n + 3))) for n in (10, 20))
    # A false header that claims 16 KiB is believed until as much has come.
    frames, _ = read(reader, stream + bytes(17_000), piece)
    counters = [frame.frame_counter for frame in frames if isinstance(frame, Opened)]
    assert counters == [10, 11, 12, 20, 21, 22]


def test_a_flood_of_recordings_ends_and_the_meter_is_read_again() -> None:
    worker = Worker()
    reader = FrameReader(worker.open, worker.opener.is_likely)
    assert len(read(reader, sealed(7), 4096)[0]) == 1
    read(reader, FLOODS["recorded ones of any length"](100_000) + bytes(17_000), 4096)
    frames, _ = read(reader, b"".join(map(sealed, range(8, 200))), 4096)
    counters = [frame.frame_counter for frame in frames if isinstance(frame, Opened)]
    assert counters == list(range(8, 200))


def test_frames_under_another_key_are_all_looked_into() -> None:
    worker = Worker()
    reader = FrameReader(worker.open, worker.opener.is_likely)
    telegram = encode_telegram(b"/ISK5\\2M550T-1012\r\n\r\n" + b"1-0:1.8.1(000001.000*kWh)\r\n" * 15 + b"!")
    stream = b"".join(encrypt_telegram(telegram, AK, KEY, TITLE, counter) for counter in range(1, 1001))
    _, errors = read(reader, stream, 4096)
    assert [error.reason for error in errors if isinstance(error, DecryptionError)] == [
        "wrong_encryption_key"
    ] * 1000
    assert len(errors) == 1000
