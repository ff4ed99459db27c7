"""Frames out of a stream: HDLC, M-Bus framing, or none; damaged ones told, the rest survived.

Each octet may begin a frame. One that turns out to be none is left behind, and looking goes on with the octet
after it: so a frame of which a part got lost costs no other. What is looked at for a frame is bounded by the
longest one, so that the work grows with what arrives and no faster.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple, TypeAlias

from smart_meter_reader.codecs.dlms.framing import mbus_frame, unframed
from smart_meter_reader.codecs.dlms.framing.hdlc import (
    FLAG,
    FORMAT,
    HdlcFrame,
    HdlcHeader,
    read_body,
    read_header,
)
from smart_meter_reader.codecs.dlms.framing.mbus_frame import MbusFrame
from smart_meter_reader.codecs.dlms.framing.unframed import UnframedFrame, UnframedProgress
from smart_meter_reader.exceptions import ChecksumError, FrameError, IncompleteError

Framing = Literal["hdlc", "mbus", "none"]

# A flag behind which another one stands begins no frame. E6 begins an LLC: outside of any frame that of one
# whose head was damaged.
_STARTS = re.compile(rb"\x7e(?!\x7e)|[\x68\x0f\xe6]")
_FRAMED_STARTS = re.compile(rb"\x7e(?!\x7e)|[\x68\xe6]")
_LLC: Final = b"\xe6\xe7\x00"
# What follows it in a push: a notification, the same encrypted, a block of one.
_PUSHED: Final = b"\x0f\xdb\xe0"
# What stands before it: flag, format, two addresses, control, HCS.
_LONGEST_HEAD: Final = 14
_SHORTEST_HEAD: Final = 7  # without the flag
_HEAD = re.compile(rb"\x7e[\xa0-\xaf].{6,12}\Z", re.DOTALL)
# What is kept of what belonged to no frame, for whoever has to say what the line carries.
_KEPT: Final = 2048
# Octets that were dealt with are let go in such pieces.
_COMPACT: Final = 4096

Framed: TypeAlias = HdlcFrame | MbusFrame | UnframedFrame


class ArrivedFrame(NamedTuple):
    """A whole frame. ``gap``: something that was no frame stood before it, so that one may be missing."""

    frame: Framed
    gap: bool


class _Damaged(NamedTuple):
    """A frame by its head, which is none by its end."""

    error: FrameError


class FrameReader:
    """Bytes in by ``receive_data``, frames out by ``next_frame``; some 8 KiB kept at most."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._place = 0  # where the next frame is looked for
        self._gap = False
        self._framed = False  # whether a frame with a checksum came: then nothing comes without one
        self._told = False  # whether the damage of the frame at ``_place`` is told already
        self._header: HdlcHeader | None = None  # of the frame at ``_place``, while its end has not come
        self._progress: UnframedProgress | None = None
        self._finished = False
        self._recent = bytearray()
        self.skipped = 0
        self.examined = 0

    @property
    def unrecognised(self) -> bytes:
        """The last 2 KiB that belonged to no frame, and what waits for its end."""
        return bytes(self._recent + self._received[self._place :])[-_KEPT:]

    def receive_data(self, received: bytes) -> None:
        """Take bytes in, in pieces of any size."""
        self._received += received

    def finish(self) -> None:
        """Tell that the stream has ended: a frame whose end has not come will have none."""
        self._finished = True

    def next_frame(self) -> ArrivedFrame | None:
        """The next frame, None when more bytes are needed.

        Raises FrameError for a frame with a damaged head or a wrong end: ``checksum``, or ``truncated`` once
        the stream has ended. The reader has then gone on already.
        """
        while True:
            starts = _FRAMED_STARTS if self._framed else _STARTS
            found = starts.search(self._received, self._place)
            self._skip_to(len(self._received) if found is None else found.start())
            if found is None:
                return None
            outcome = self._look()
            if outcome == "more":
                if not self._finished:
                    return None
                outcome = self._cut()
            if outcome == "no":
                self._skip_to(self._place + 1)
                continue
            if isinstance(outcome, _Damaged):
                self._skip_to(self._place + 1)
                self._gap = self._told = True
                raise outcome.error
            return self._deliver(outcome)

    def _look(self) -> Framed | _Damaged | Literal["more", "no"]:
        """What begins at the place."""
        first = self._received[self._place]
        if first == FLAG:
            return self._look_at_hdlc()
        if first == mbus_frame.START:
            return self._look_at_mbus()
        if first == _LLC[0]:
            return self._look_at_llc()
        return self._look_at_unframed()

    def _look_at_hdlc(self) -> Framed | _Damaged | Literal["more", "no"]:
        header = self._header
        if header is None:
            self.examined += 13
            found = read_header(self._received, self._place)
            if found == "more":
                return found
            self._told = self._told and self._received[self._place + 1] & 0xF0 != FORMAT
            if found == "no":
                return found
            header = self._header = found
        frame = read_body(self._received, self._place, header)
        if frame == "more":
            return frame
        self._header = None
        self.examined += header.length
        if frame != "no":
            return frame
        end = self._place + header.length + 2
        return _Damaged(
            ChecksumError(
                "checksum",
                f"an HDLC frame of {header.length} octets has a wrong check sequence (FCS) or closing flag",
                bytes(self._received[self._place : end]),
            )
        )

    def _look_at_llc(self) -> _Damaged | Literal["more", "no"]:
        """What an LLC outside of any frame tells: that one was sent, whose flag, length or HCS is damaged.

        Other programs print notifications with it, and without frames: then no head stands before it.
        """
        place = self._place
        found = bytes(self._received[place : place + len(_LLC) + 1])
        if found[: len(_LLC)] != _LLC[: len(found)]:
            return "no"
        if len(found) <= len(_LLC):
            return "more"
        before = bytes(self._received[max(0, place - _LONGEST_HEAD) : place])
        head = _HEAD.search(before)
        lost_flag = self._framed and len(before.rpartition(bytes([FLAG]))[2]) >= _SHORTEST_HEAD
        if self._told or found[-1] not in _PUSHED or not (head or lost_flag):
            return "no"
        given_up = before if head is None else before[head.start() :]
        return _Damaged(
            ChecksumError(
                "checksum",
                "an HDLC frame has a wrong head check sequence (HCS), or no flag: its head was damaged",
                given_up + found,
            )
        )

    def _look_at_mbus(self) -> Framed | _Damaged | Literal["more", "no"]:
        frame = mbus_frame.read_frame(self._received, self._place)
        if isinstance(frame, MbusFrame):
            self.examined += len(frame.raw)
        if frame != "damaged":
            return frame
        end = self._place + mbus_frame.LONGEST
        self.examined += mbus_frame.LONGEST
        return _Damaged(
            ChecksumError(
                "checksum",
                "an M-Bus frame has a wrong head, checksum or end",
                bytes(self._received[self._place : end]),
            )
        )

    def _look_at_unframed(self) -> Framed | Literal["more", "no"]:
        place = self._place
        if self._progress is None:
            if self._received[max(0, place - 3) : place] == _LLC:
                return "no"  # in an HDLC frame of which the head or the end was damaged
            self.examined += 1
            begun = unframed.begin_unframed(self._received, place)
            if isinstance(begun, str):
                return begun
            self._progress = begun
        while self._progress.remaining:
            before = self._progress.place
            further = unframed.go_on(self._received, self._progress)
            if isinstance(further, str):
                if further == "no":
                    self._progress = None
                return further
            self.examined += further.place - before
            self._progress = further
        end, self._progress = self._progress.place, None
        return UnframedFrame(bytes(self._received[place:end]))

    def _cut(self) -> _Damaged | Literal["no"]:
        """What a frame is whose end never came: told where its head was sure."""
        sure = self._header is not None or self._progress is not None
        self._header = self._progress = None
        if not sure:
            return "no"
        cut = bytes(self._received[self._place :])
        return _Damaged(IncompleteError("truncated", f"a frame ends after {len(cut)} octets", cut))

    def _deliver(self, frame: Framed) -> ArrivedFrame:
        closing = 1 if isinstance(frame, HdlcFrame) else 0  # it may open the next frame
        self._place += len(frame.raw) - closing
        gap, self._gap, self._told = self._gap, False, False
        self._framed = self._framed or not isinstance(frame, UnframedFrame)
        self._recent.clear()
        self._compact()
        return ArrivedFrame(frame, gap)

    def _skip_to(self, place: int) -> None:
        """Leave behind what begins no frame; flags between frames are nothing."""
        left = self._received[self._place : place]
        if left.strip(b"\x7e"):
            self._gap = True
            self.skipped += len(left)
            self._recent += left
            del self._recent[:-_KEPT]
        self._place = place
        self._compact()

    def _compact(self) -> None:
        if self._place < _COMPACT:
            return
        # The octets before tell an HDLC frame's inside.
        del self._received[: self._place - _LONGEST_HEAD]
        self._place = _LONGEST_HEAD


def framing_of(frame: Framed) -> Framing:
    """How a frame is delimited."""
    if isinstance(frame, HdlcFrame):
        return "hdlc"
    return "mbus" if isinstance(frame, MbusFrame) else "none"
