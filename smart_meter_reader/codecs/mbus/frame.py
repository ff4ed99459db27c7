"""M-Bus frames on the wire: the single character, short and long frames, and finding them in a stream.

Sources: EN 13757-2, 5.3 to 5.5 (frame formats, checksum, C field); The M-Bus: A Documentation, version 4.8
(m-bus.com), chapter 5. A control frame is a long one without user data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, NamedTuple, TypeAlias

from smart_meter_reader.exceptions import (
    ChecksumError,
    ForbiddenCommandError,
    FrameError,
    IncompleteError,
)

# EN 13757-2, 5.3 (format class FT 1.2 of IEC 60870-5-1).
ACK: Final = 0xE5
START_SHORT: Final = 0x10
START_LONG: Final = 0x68
STOP: Final = 0x16
MAX_FRAME_LENGTH: Final = 261  # 68 L L 68, at most 255 octets, checksum, 16

# EN 13757-2, 5.5: the C field. Bit 6 says that it comes from the primary station (the reader).
SND_NKE: Final = 0x40
REQ_UD1: Final = 0x5A
REQ_UD2: Final = 0x5B
SND_UD: Final = 0x53
FCB: Final = 0x20  # frame count bit
PRIMARY: Final = 0x40
_SHORT_CONTROLS: Final = frozenset({SND_NKE, REQ_UD1, REQ_UD2, REQ_UD1 | FCB, REQ_UD2 | FCB})
# RSP_UD with any of its bits 5 (access demand) and 4 (data flow control).
RSP_UD: Final = 0x08
RSP_UD_CONTROLS: Final = frozenset({0x08, 0x18, 0x28, 0x38})

# EN 13757-2, 5.7.5 (addresses).
SELECTED, ANY = 253, 254
LAST_PRIMARY: Final = 250

# EN 13757-7, 5 (secondary addressing): the only thing that a reader sends besides short frames.
SELECT: Final = 0x52
_SELECTION_LENGTH: Final = 8

_SHORT_LENGTH: Final = 5
_OVERHEAD: Final = 6  # of a long frame: both starts, both lengths, checksum, stop
_SHORTEST_CONTENT: Final = 3  # C, A, CI
_START = re.compile(rb"[\x10\x68]")


@dataclass(frozen=True, slots=True)
class SingleCharacter:
    """The single character E5: understood."""

    def encode(self) -> bytes:
        """The byte on the wire."""
        return bytes([ACK])


class ShortFrame(NamedTuple):
    """A request of the reader: C field and address."""

    control: int
    address: int

    def encode(self) -> bytes:
        """The five bytes on the wire. Raises ValueError for a C field that no short frame has."""
        if self.control not in _SHORT_CONTROLS:
            raise ValueError(f"{self.control:02X}h is no C field of a short frame")
        return bytes((START_SHORT, *self, (self.control + self.address) & 0xFF, STOP))


class LongFrame(NamedTuple):
    """A frame whose checksum was right: C field, address, CI field, and the octets that CI is about."""

    control: int
    address: int
    ci: int
    payload: bytes

    @property
    def from_reader(self) -> bool:
        """Whether it goes to a meter."""
        return bool(self.control & PRIMARY)

    def encode(self) -> bytes:
        """The bytes on the wire.

        Raises ForbiddenCommandError for what a reader never sends, which is all that sets anything in a
        meter; ValueError for more than 252 octets.
        """
        if self.from_reader and not self._selects:
            raise ForbiddenCommandError(
                "forbidden_command", f"M-Bus CI {self.ci:02X}h changes a meter: it is never sent"
            )
        content = bytes((self.control, self.address, self.ci)) + self.payload
        length = len(content)
        if length > MAX_FRAME_LENGTH - _OVERHEAD:
            raise ValueError(f"{length} octets do not fit into one frame")
        head = bytes((START_LONG, length, length, START_LONG))
        return head + content + bytes((sum(content) & 0xFF, STOP))

    @property
    def _selects(self) -> bool:
        return (
            self.control & ~FCB == SND_UD
            and self.ci == SELECT
            and self.address == SELECTED
            and len(self.payload) == _SELECTION_LENGTH
        )


Frame: TypeAlias = SingleCharacter | ShortFrame | LongFrame


class _NoFrame(Enum):
    """What stands where a frame could begin, other than one."""

    NO_FRAME = auto()
    UNDECIDED = auto()  # until more bytes have come


class FrameReader:
    """Finds frames in a stream: bytes go in by ``receive_data``, frames come out by ``next_frame``.

    An E5 is a frame only where no other bytes came since the last one. Bytes between frames are skipped and
    counted in ``skipped_bytes``. After a damaged frame the search goes on behind its first byte, so that a
    whole one inside what a cut one claimed is found. Never are more than 261 bytes waited for.
    """

    def __init__(self) -> None:
        self.skipped_bytes = 0
        self._buffer = bytearray()
        self._between_frames = True
        self._ended = False
        self._told = 0  # so many of the next bytes were told as those of a damaged frame

    @property
    def pending(self) -> bytes:
        """The bytes not yet used up."""
        return bytes(self._buffer)

    def receive_data(self, received: bytes) -> None:
        """Take bytes from the line, in pieces of any size."""
        self._buffer += received
        self._ended = False

    def finish(self) -> None:
        """Nothing more comes (a pause, the end of a capture): what has begun will not end."""
        self._ended = True

    def next_frame(self) -> Frame | None:
        """The next frame; None when more bytes are needed.

        Raises FrameError for a damaged frame: call again. Its reason is ``checksum``, ``incomplete``,
        ``length`` (its two length octets differ, or tell fewer than three), ``start`` (the second 68 is
        another byte) or ``stop``.
        """
        buffer = self._buffer
        while buffer:
            if self._between_frames and buffer[0] == ACK:
                self._take(1)
                return SingleCharacter()
            start = _START.search(buffer)
            if start is None:
                self._skip(len(buffer))
                break
            self._skip(start.start())
            found = self._short_frame() if buffer[0] == START_SHORT else self._long_frame()
            if found is _NoFrame.UNDECIDED and not self._ended:
                break
            if not isinstance(found, _NoFrame):
                return found
            self._skip(1)
        return None

    def _short_frame(self) -> ShortFrame | _NoFrame:
        buffer = self._buffer
        if len(buffer) >= 2 and buffer[1] not in _SHORT_CONTROLS:
            return _NoFrame.NO_FRAME
        if len(buffer) < _SHORT_LENGTH:
            return _NoFrame.UNDECIDED
        if buffer[4] != STOP:
            return _NoFrame.NO_FRAME
        self._check((buffer[1] + buffer[2]) & 0xFF, _SHORT_LENGTH)
        raw = self._take(_SHORT_LENGTH)
        return ShortFrame(raw[1], raw[2])

    def _long_frame(self) -> LongFrame | _NoFrame:
        buffer = self._buffer
        if len(buffer) < 4:
            return _NoFrame.UNDECIDED
        lengths = {buffer[1], buffer[2]}
        if len(lengths) == 2 or buffer[3] != START_LONG:
            return self._damaged_head(lengths)
        length = buffer[1]
        total = length + _OVERHEAD
        if length < _SHORTEST_CONTENT:
            return self._too_short(length, total)
        if len(buffer) < total:
            if self._ended and buffer[4:5] != b"\x68":
                raise self._incomplete(len(buffer), f"{total - len(buffer)} bytes are missing at its end")
            return _NoFrame.UNDECIDED
        calculated = self._sum(length)
        if calculated != buffer[total - 2] and buffer[4] == START_LONG:
            return _NoFrame.NO_FRAME  # noise that is a 68 as well, before a frame of 68h octets
        if buffer[total - 1] != STOP:
            if calculated == buffer[total - 2]:
                raise FrameError(
                    "stop", f"{buffer[total - 1]:02X}h where 16h ends a frame", self._give_up(total)
                )
            raise self._incomplete(total, "it does not end where its length says: bytes were lost")
        self._check(calculated, total)
        raw = self._take(total)
        return LongFrame(raw[4], raw[5], raw[6], raw[7:-2])

    def _too_short(self, length: int, total: int) -> _NoFrame:
        """Raises FrameError for what is a frame from begin to end, but without C, address or CI."""
        if len(self._buffer) < total:
            return _NoFrame.UNDECIDED
        if self._buffer[total - 1] != STOP:
            return _NoFrame.NO_FRAME
        detail = f"a length of {length}, and no frame has fewer than {_SHORTEST_CONTENT} octets"
        raise FrameError("length", detail, self._give_up(total))

    def _damaged_head(self, lengths: set[int]) -> _NoFrame:
        """Raises FrameError for a head with one wrong octet when all the rest of that frame fits."""
        buffer = self._buffer
        if len(lengths) == 2 and buffer[3] != START_LONG:
            return _NoFrame.NO_FRAME
        for length in lengths:
            total = length + _OVERHEAD
            if length < _SHORTEST_CONTENT:
                continue
            if len(buffer) < total:
                if not self._ended:
                    return _NoFrame.UNDECIDED
                continue
            if buffer[total - 1] == STOP and self._sum(length) == buffer[total - 2]:
                raise FrameError(
                    "length" if len(lengths) == 2 else "start",
                    "the two length octets differ"
                    if len(lengths) == 2
                    else f"{buffer[3]:02X}h in the place of the second 68h",
                    self._give_up(total),
                )
        return _NoFrame.NO_FRAME

    def _sum(self, length: int) -> int:
        return sum(self._buffer[4 : 4 + length]) & 0xFF

    def _check(self, calculated: int, total: int) -> None:
        received = self._buffer[total - 2]
        if received != calculated:
            raise ChecksumError(
                "checksum",
                f"checksum {received:02X} received, {calculated:02X} calculated: damaged on the line",
                self._give_up(total),
            )

    def _incomplete(self, length: int, detail: str) -> IncompleteError:
        return IncompleteError("incomplete", detail, self._give_up(length))

    def _give_up(self, length: int) -> bytes:
        """The bytes of a damaged frame; only its first one is used up."""
        raw = bytes(self._buffer[:length])
        self._told = max(self._told, length)
        self._skip(1)
        return raw

    def _take(self, length: int) -> bytes:
        """Remove a whole frame from the buffer."""
        raw = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._between_frames = True
        self._told = 0
        return raw

    def _skip(self, length: int) -> None:
        """Pass over bytes of no frame; those of a damaged one were told already."""
        if length:
            self.skipped_bytes += max(0, length - self._told)
            self._told = max(0, self._told - length)
            self._between_frames = False
            del self._buffer[:length]
