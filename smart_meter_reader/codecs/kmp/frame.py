"""KMP frames: start and stop byte, byte stuffing, address and CRC, and finding frames in a stream.

Sources: Kamstrup 5512-447 (KMP protocol description), sections 2 (a 00 that nobody asked for), 3.1 (physical
layer: start, stop and acknowledge bytes, byte stuffing), 3.2 (data link layer: destination address, CRC) and
3.3 (CID); CRC catalogue, CRC-16/XMODEM.
"""

from __future__ import annotations

import re
from binascii import crc_hqx
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from smart_meter_reader.codecs.kmp.commands import READING, AllowList
from smart_meter_reader.exceptions import ChecksumError, FrameError, IncompleteError

Direction: TypeAlias = Literal["request", "response"]

START_REQUEST: Final = 0x80  # 5512-447, 3.1: to the meter
START_RESPONSE: Final = 0x40  # 5512-447, 3.1: from the meter
STOP: Final = 0x0D
ACK_BYTE: Final = 0x06  # 5512-447, 3.1: sent alone, without start and stop byte
ESCAPE: Final = 0x1B

# 5512-447, 3.1: each of these is sent as the escape byte and its complement, in the CRC too.
_RESERVED: Final = (ESCAPE, ACK_BYTE, STOP, START_RESPONSE, START_REQUEST)
_STUFFED: Final = tuple((bytes([byte]), bytes([ESCAPE, byte ^ 0xFF])) for byte in _RESERVED)
_PLAIN: Final[Mapping[bytes, bytes]] = MappingProxyType(
    {bytes([byte ^ 0xFF]): bytes([byte]) for byte in _RESERVED}
)
_ESCAPE_BYTE: Final = bytes([ESCAPE])

_DIRECTIONS: Final[Mapping[int, Direction]] = MappingProxyType(
    {START_REQUEST: "request", START_RESPONSE: "response"}
)
_SHORTEST_CONTENT: Final = 4  # address, CID, two bytes of CRC

# No source limits an answer with rows of a logger. 460 days of 31 bytes are 14 KiB, and of all 43 registers
# that a logger of a 603 holds 60 KiB.
MAX_FRAME_LENGTH: Final = 1 << 16

_IDLE = re.compile(rb"\x00+")
_START = re.compile(rb"[\x40\x80]")
_FRAME_END = re.compile(rb"[\x0d\x40\x80]")


class Frame(NamedTuple):
    """A frame whose checksum was right. ``payload`` is what stands between CID and CRC, un-stuffed."""

    direction: Direction
    address: int
    cid: int
    payload: bytes

    def encode(self) -> bytes:
        """The bytes on the wire. Raises ForbiddenCommandError for a request that a reader never sends."""
        start = START_REQUEST if self.direction == "request" else START_RESPONSE
        return encode_frame(start, self.address, self.cid, self.payload)


@dataclass(frozen=True, slots=True)
class Ack:
    """The meter's acknowledgement of a command that has no answer: one byte 06, not a frame."""


def encode_frame(
    start: int, address: int, cid: int, payload: bytes = b"", allowed: AllowList = READING
) -> bytes:
    """The bytes on the wire of a request (start 80h) or a response (start 40h).

    ``allowed`` is which requests there can be. Raises ForbiddenCommandError for another one, and ValueError
    for another start byte, or when address or CID is not a byte.
    """
    if start not in _DIRECTIONS:
        raise ValueError(f"a frame starts with 80h or 40h, not {start:02X}h")
    if start == START_REQUEST:
        allowed.check(cid, payload)
    content = bytes((address, cid)) + payload
    content += crc_hqx(content, 0).to_bytes(2, "big")
    # The escape byte goes first; no complement is a reserved byte, so the order of the others is free.
    for plain, stuffed in _STUFFED:
        if plain in content:
            content = content.replace(plain, stuffed)
    return b"%c%b\r" % (start, content)


def decode_frame(raw: bytes) -> Frame:
    """The frame that ``raw`` holds, from its start byte to its stop byte.

    Raises FrameError; its reason is ``incomplete`` (start or stop byte missing), ``stuffing``, ``length``
    or ``checksum``.
    """
    direction = _DIRECTIONS.get(raw[0]) if raw else None
    if direction is None or raw[-1] != STOP:
        raise IncompleteError("incomplete", "a frame starts with 80h or 40h and ends with 0Dh", raw)
    content = raw[1:-1]
    if _ESCAPE_BYTE in content:
        content = _unstuffed(content, raw)
    # A CRC over the content and its own CRC is zero.
    if crc_hqx(content, 0) or len(content) < _SHORTEST_CONTENT:
        raise _content_error(content, raw)
    return Frame(direction, content[0], content[1], content[2:-2])


def content_so_far(raw: bytes) -> bytes:
    """Address, CID and payload of a frame that has begun and not ended, without stuffing.

    What cannot be is left out: the frame as a whole will tell.
    """
    first, *escaped = raw[1:].split(_ESCAPE_BYTE)
    return first + b"".join([_PLAIN.get(part[:1], b"") + part[1:] for part in escaped])


def _unstuffed(content: bytes, raw: bytes) -> bytes:
    """One pass from left to right: what follows an escape byte is never looked at as an escape again."""
    first, *escaped = content.split(_ESCAPE_BYTE)
    parts = [first]
    for part in escaped:
        plain = _PLAIN.get(part[:1])
        if plain is None:
            follower = part[:1].hex().upper() + "h" if part else "another escape byte or the stop byte"
            raise FrameError("stuffing", f"1Bh is followed by {follower}: a byte changed on the line", raw)
        parts += (plain, part[1:])
    return b"".join(parts)


def _content_error(content: bytes, raw: bytes) -> FrameError:
    if len(content) < _SHORTEST_CONTENT:
        return FrameError(
            "length", f"{len(content)} bytes between start and stop; address, CID and CRC alone are 4", raw
        )
    received = content[-2:].hex().upper()
    calculated = crc_hqx(content[:-2], 0)
    return ChecksumError(
        "checksum", f"CRC {received} received, {calculated:04X} calculated: damaged on the line", raw
    )


class FrameReader:
    """Finds frames in a stream: bytes go in by ``receive_data``, frames come out by ``next_frame``.

    A stray 00 between frames is ignored, and a 06 there is an acknowledgement; other bytes between frames are
    skipped and counted in ``skipped_bytes``. A start byte inside a frame says that the frame was cut, since
    inside it would have been stuffed. No frame grows beyond ``max_frame_length`` bytes.
    """

    def __init__(self, max_frame_length: int = MAX_FRAME_LENGTH) -> None:
        self.skipped_bytes = 0
        self._max_frame_length = max_frame_length
        self._buffer = bytearray()
        # In a buffer that begins with a start byte: up to where no end has been found.
        self._scanned = 1
        # Nothing but 00 and 06 since the last frame. A 06 among other skipped bytes is no acknowledgement.
        self._between_frames = True

    @property
    def pending(self) -> bytes:
        """The bytes of a frame that has begun and not ended, or bytes not yet looked at."""
        return bytes(self._buffer)

    def receive_data(self, received: bytes) -> None:
        """Take bytes from the line, in pieces of any size."""
        self._buffer += received

    def next_frame(self) -> Frame | Ack | None:
        """The next frame or acknowledgement; None when more bytes are needed.

        Raises FrameError for a damaged frame, and has then moved beyond it: call again. Its reason is
        ``checksum``, ``stuffing``, ``length`` (too short, too long) or ``incomplete`` (another one started).
        """
        buffer = self._buffer
        if not buffer or buffer[0] not in _DIRECTIONS:
            acknowledgement = self._hunt()
            if acknowledgement is not None or not buffer:
                return acknowledgement
        limit = self._max_frame_length
        end = _FRAME_END.search(buffer, self._scanned, limit)
        if end is None:
            if len(buffer) >= limit:
                raw = self._take(limit)
                self._between_frames = False
                raise FrameError("length", f"no stop byte within {limit} bytes", raw)
            self._scanned = len(buffer)
            return None
        position = end.start()
        if buffer[position] != STOP:
            raw = self._take(position)
            raise IncompleteError("incomplete", "another frame starts before this one has ended", raw)
        return decode_frame(self._take(position + 1))

    def discard(self) -> bytes:
        """Forget a frame that has begun and not ended (after a timeout, say) and return its bytes."""
        return self._take(len(self._buffer))

    def _take(self, length: int) -> bytes:
        """Remove the frame, or what there is of it, from the buffer."""
        raw = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._scanned = 1
        self._between_frames = True
        return raw

    def _hunt(self) -> Ack | None:
        """Move to the next start byte, or to the end when there is none, or past one acknowledgement."""
        buffer = self._buffer
        if self._between_frames:
            idle = _IDLE.match(buffer)
            if idle:
                del buffer[: idle.end()]
            if buffer and buffer[0] == ACK_BYTE:
                del buffer[0]
                return Ack()
        start = _START.search(buffer)
        length = start.start() if start else len(buffer)
        if length:
            self.skipped_bytes += length - buffer.count(0, 0, length)
            self._between_frames = False
            del buffer[:length]
        return None
