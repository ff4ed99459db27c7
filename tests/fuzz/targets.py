"""What is fuzzed: every decoder as a function of a stream in pieces, which may raise our errors only."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from smart_meter_reader.codecs import kmp
from smart_meter_reader.codecs.iec62056_21.capture import decode_capture
from smart_meter_reader.codecs.iec62056_21.data_set import parse_data_sets
from smart_meter_reader.codecs.iec62056_21.frame import FrameReader
from smart_meter_reader.codecs.iec62056_21.multical import (
    LOGGERS,
    SINGLE_LINE,
    parse_line,
    parse_record,
)
from smart_meter_reader.codecs.kmp.describe import describe_capture
from smart_meter_reader.codecs.p1.cipher import Opener
from smart_meter_reader.codecs.p1.encode import encode_telegram, encrypt_telegram
from smart_meter_reader.codecs.p1.garbage import recognise
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.exceptions import DecryptionError, ProtocolError, ValueFormatError

ALLOWED = (ProtocolError, ValueFormatError, DecryptionError)

Pieces: TypeAlias = list[bytes]
Target: TypeAlias = Callable[[Pieces], None]

# The keys of the captures in tests/data and ../shared, so that some frames can be opened.
KEYS = tuple(
    bytes.fromhex(text)
    for text in (
        "00112233445566778899AABBCCDDEEFF",
        "000102030405060708090A0B0C0D0E0F",
        "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF",
    )
)


class _Reader(Protocol):
    def receive_data(self, received: bytes, /) -> None: ...


def _drain(next_one: Callable[[], object], use: Callable[[object], None] = lambda frame: None) -> None:
    """Take everything out of a reader; an error is one more thing that comes out."""
    while True:
        try:
            frame = next_one()
            if frame is None:
                return
            use(frame)
        except ALLOWED:
            continue


def _feed(reader: _Reader, pieces: Pieces, drain: Callable[[], None]) -> None:
    for piece in pieces:
        reader.receive_data(piece)
        drain()


def kmp_stream(pieces: Pieces) -> None:
    """Frames out of a stream, their messages, and every register's value."""
    reader = kmp.FrameReader()

    def use(frame: object) -> None:
        if not isinstance(frame, kmp.Frame):
            return
        with contextlib.suppress(*ALLOWED):
            kmp.decode_request(frame)
        response = kmp.decode_response(frame)
        if isinstance(response, kmp.GetRegisterResponse):
            for register in response.by_id().values():
                with contextlib.suppress(*ALLOWED):
                    str(register.value)

    _feed(reader, pieces, lambda: _drain(reader.next_frame, use))
    reader.discard()


def kmp_content(pieces: Pieces) -> None:
    """Messages behind a good checksum: what a strange meter might say."""
    for start in (kmp.START_REQUEST, kmp.START_RESPONSE):
        for piece in pieces:
            if len(piece) >= 2:
                kmp_stream([kmp.encode_frame(start, piece[0], piece[1], piece[2:])])


def kmp_capture(pieces: Pieces) -> None:
    """The capture decoder of `decode kmp`: it tells of damage and raises nothing."""
    describe_capture(b"".join(pieces))


def p1_stream(pieces: Pieces) -> None:
    """Telegrams of any dialect, plain and encrypted, with and without keys."""
    openers = [None, *(Opener(key, policy=policy) for key in KEYS for policy in ("require", "warn", "off"))]
    for opener in openers:
        _p1_stream(pieces, opener)


def _p1_stream(pieces: Pieces, opener: Opener | None) -> None:
    reader = P1Reader(opener)
    _feed(reader, pieces, lambda: _drain(reader.next_telegram))
    reader.finish()
    _drain(reader.next_telegram)


def p1_content(pieces: Pieces) -> None:
    """Telegrams behind a good checksum, plain and encrypted: what a strange meter might say."""
    body = b"".join(pieces).replace(b"!", b"").replace(b"/", b"")
    telegram = encode_telegram(b"/FUZ5\\1\r\n\r\n" + body + b"\r\n!")
    for stream in (telegram, encrypt_telegram(telegram, KEYS[0], KEYS[1], b"FUZ12345", 1)):
        for opener in (None, Opener(KEYS[0], KEYS[1])):
            _p1_stream([stream], opener)


def p1_garbage(pieces: Pieces) -> None:
    """What garbage looks like."""
    recognise(b"".join(pieces))


def iec_stream(pieces: Pieces) -> None:
    """Frames of IEC 62056-21 out of a stream."""
    reader = FrameReader()
    _feed(reader, pieces, lambda: _drain(reader.next_frame))
    reader.end_of_data()
    _drain(reader.next_frame)


def iec_parts(pieces: Pieces) -> None:
    """Data sets, and the lines of every short request."""
    whole = b"".join(pieces)
    with contextlib.suppress(*ALLOWED):
        parse_data_sets(whole)
    for line in whole.split(b"\r")[:20]:
        for name in SINGLE_LINE:
            with contextlib.suppress(*ALLOWED):
                parse_line(name, line)
        for name in LOGGERS:
            with contextlib.suppress(*ALLOWED):
                parse_record(name, line)


def iec_capture(pieces: Pieces) -> None:
    """The capture decoder of `decode iec62056_21`: it returns its errors."""
    decode_capture(b"".join(pieces))


TARGETS: Mapping[str, Target] = {
    "kmp stream": kmp_stream,
    "kmp content": kmp_content,
    "kmp capture": kmp_capture,
    "p1 stream": p1_stream,
    "p1 content": p1_content,
    "p1 garbage": p1_garbage,
    "iec62056_21 stream": iec_stream,
    "iec62056_21 parts": iec_parts,
    "iec62056_21 capture": iec_capture,
}
