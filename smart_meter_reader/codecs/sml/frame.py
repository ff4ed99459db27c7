"""The transport layer of SML, version 1: from a stream of bytes to frames whose checksum is right.

TR-03109-1 annex IV b, section 8: ``1B1B1B1B 01010101``, the payload, 0 to 3 octets 00, then
``1B1B1B1B 1A nn cc cc``; nn are the octets 00. ``1B1B1B1B`` inside the payload is sent twice. The checksum
covers everything before itself, and what was sent twice as it was sent.

CRC-16/X.25, low octet first. Holley's DTZ541 of some firmware: CRC-16/KERMIT, high octet first, in the
transport and in its messages (volkszaehler/libsml#75). X.25 is tried first. Of 65536 damaged frames one would
fit by chance what its meter does not use; so the other checksum counts only where that of the messages
agrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from smart_meter_reader.codecs.crc16 import crc16_kermit, crc16_x25
from smart_meter_reader.codecs.sml.garbage import EXPLANATIONS, recognise
from smart_meter_reader.codecs.sml.messages import SmlMessage, parse_messages
from smart_meter_reader.exceptions import ChecksumError, FrameError, IncompleteError, MalformedError

Checksum = Literal["x25", "kermit"]

ESCAPE: Final = b"\x1b\x1b\x1b\x1b"
BEGIN: Final = b"\x01\x01\x01\x01"
START: Final = ESCAPE + BEGIN
END: Final = 0x1A
MAX_FRAME_LENGTH: Final = 4096  # telegrams have 200 to 700 octets
_MOST_FILL: Final = 3
_BEHIND_END: Final = 3  # octets behind 1A
_KEPT: Final = 256  # of what belongs to no frame, for whoever wants to know what it is


@dataclass(frozen=True, slots=True)
class SmlFrame:
    """A frame whose checksum is right. ``length`` in octets, with start and end."""

    messages: tuple[SmlMessage, ...]
    checksum: Checksum
    length: int


class FrameReader:
    """Bytes in, frames out. ``checksum`` is the one of the last good frame, "" before there was one."""

    def __init__(self) -> None:
        self.checksum: Checksum | Literal[""] = ""
        self.skipped = 0  # octets that belong to no frame
        self.unrecognised = b""  # the last of them, or of what was given up
        self.looked_at = 0  # octets that were searched, each twice at most
        self._buffer = bytearray()
        self._inside = False  # whether the buffer begins with a start
        self._searched = 0  # no escape begins before this place
        self._escaped = False

    def receive_data(self, received: bytes) -> None:
        """Bytes as they come, cut anywhere."""
        self._buffer += received

    def next_frame(self) -> SmlFrame | None:
        """The next frame; None when it needs more bytes. Raises FrameError for one that is damaged."""
        while self._inside or self._find_start():
            place = self._find_escape()
            if place is None:
                return None
            after = bytes(self._buffer[place + 4 : place + 8])
            if after == ESCAPE:
                self._escaped = True
                self._searched = place + 8
            elif after[0] == END:
                return self._judge(place + 8)
            elif after == BEGIN:
                raise self._given_up(
                    place, IncompleteError, "new_start", "another telegram begins before its end"
                )
            else:
                raise self._given_up(place, MalformedError, "escape", f"{after.hex()} behind 1b1b1b1b")
        return None

    def end_of_data(self) -> None:
        """Nothing follows. Raises IncompleteError where that is the middle of a frame."""
        if self._inside:
            raise self._given_up(len(self._buffer), IncompleteError, "cut", "its end is missing")
        self._skip(len(self._buffer))

    def leave_out_older(self) -> int:
        """Drop all frames that lie here whole but the newest; how many."""
        end = len(self._buffer)
        starts = []
        while (end := self._buffer.rfind(START, 0, end)) >= 0:
            starts.append(end)
        if len(starts) <= 2:
            return 0
        self._drop(starts[1])
        return len(starts) - 2

    def _find_start(self) -> bool:
        start = self._buffer.find(START)
        self.looked_at += len(self._buffer) if start < 0 else start + len(START)
        if start < 0:
            # The begin of a start may be there.
            self._skip(max(0, len(self._buffer) - len(START) + 1))
            return False
        self._skip(start)
        self._inside, self._escaped, self._searched = True, False, len(START)
        return True

    def _find_escape(self) -> int | None:
        """Where the next escape stands with what follows it; None where that has not come yet."""
        length = len(self._buffer)
        place = self._buffer.find(ESCAPE, self._searched)
        self.looked_at += (length if place < 0 else place + len(ESCAPE)) - self._searched
        if max(place, self._searched, length if place < 0 else 0) > MAX_FRAME_LENGTH:
            raise self._given_up(
                max(place, self._searched),
                IncompleteError,
                "too_long",
                f"no end in {MAX_FRAME_LENGTH} octets",
            )
        if place < 0:
            self._searched = max(self._searched, length - len(ESCAPE) + 1)
            return None
        self._searched = place
        return place if length >= place + 8 else None

    def _judge(self, end: int) -> SmlFrame:
        frame = bytes(self._buffer[:end])
        fill = frame[-3]
        covered = frame[:-2]
        by_x25 = crc16_x25(covered) == int.from_bytes(frame[-2:], "little")
        by_kermit = not by_x25 and crc16_kermit(covered) == int.from_bytes(frame[-2:], "big")
        if not by_x25 and not by_kermit:
            raise self._given_up(end, ChecksumError, "checksum", _why_spoilt(frame))
        payload = frame[8:-8]
        if self._escaped:
            payload = payload.replace(ESCAPE + ESCAPE, ESCAPE)
        if fill > _MOST_FILL or fill > len(payload):
            detail = f"it tells of {fill} octets to fill it"
            raise self._given_up(end, MalformedError, "fill", detail, as_sent=True)
        try:
            messages = parse_messages(payload[: len(payload) - fill])
        except MalformedError as error:
            raise self._given_up(end, MalformedError, error.reason, error.detail, as_sent=True) from None
        checksum: Checksum = "x25" if by_x25 else "kermit"
        if not self._trusts(checksum, messages):
            raise self._given_up(end, ChecksumError, "checksum", "that of its messages is another one")
        self.checksum = checksum
        self._drop(end)
        return SmlFrame(messages, checksum, end)

    def _trusts(self, checksum: Checksum, messages: tuple[SmlMessage, ...]) -> bool:
        """Whether a checksum that fits does not do so by chance."""
        if checksum == self.checksum == "x25":
            return True
        if checksum == "kermit":
            return all(message.fits_kermit() for message in messages)
        if self.checksum == "kermit":
            return all(message.fits_x25() for message in messages)
        # That of a message may be wrong, where somebody has made a capture anonymous.
        by_kermit = sum(message.fits_kermit() for message in messages)
        return by_kermit <= sum(message.fits_x25() for message in messages)

    def _given_up(
        self, end: int, error: type[FrameError], reason: str, detail: str, *, as_sent: bool = False
    ) -> FrameError:
        """Drop the frame up to ``end``; a start inside it, behind a cut escape, is another one's.

        ``as_sent``: its checksum is right, so that no other one's is in it.
        """
        frame = bytes(self._buffer[:end])
        inner = frame.rfind(START, len(START))
        self.looked_at += end
        self.unrecognised = frame[-_KEPT:]
        if as_sent:
            self._drop(end)
        else:
            # What stands for the fill and the checksum may be the begin of a start.
            self._drop(max(0, end - _BEHIND_END) if inner < 0 else inner)
        return error(reason, f"a telegram of {end} octets is damaged: {detail}", frame)

    def _skip(self, count: int) -> None:
        self.skipped += count
        if count:
            self.unrecognised = (self.unrecognised + bytes(self._buffer[max(0, count - _KEPT) : count]))[
                -_KEPT:
            ]
        self._drop(count)

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._inside, self._searched, self._escaped = False, 0, False


def _why_spoilt(frame: bytes) -> str:
    kind = recognise(frame)
    return EXPLANATIONS[kind] if kind == "seven_bits" else "octets were lost or changed on the way"
