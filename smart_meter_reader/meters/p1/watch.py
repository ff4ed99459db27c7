"""Watches what arrives on a P1 line: why telegrams are lost, and what else the bytes are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from smart_meter_reader.codecs.p1.framing.plain import reads_well
from smart_meter_reader.codecs.p1.garbage import EXPLANATIONS, OTHER_FRAMES, Garbage, recognise
from smart_meter_reader.exceptions import (
    ChecksumError,
    DecryptionError,
    FrameError,
    IncompleteError,
    MalformedError,
    NoTelegramError,
    OtherProtocolError,
)
from smart_meter_reader.meters.push.watch import LineWatch, Losses, Patience

# So many telegrams that came to nothing are no accident.
_ENOUGH_SPOILT = 3
# What may come behind the last frame before silence: a line end, and the filling bytes of EasyMeter's Q3D.
_REST = 64
_SPOILT = (ChecksumError, IncompleteError, MalformedError)  # what was a telegram once


@dataclass(slots=True)
class _P1Losses(Losses):
    spoilt: int = 0  # of the damaged ones, what was a telegram once, and not just anything on the line
    shorter: int = 0  # of these, what bytes are missing from
    malformed: int = 0
    legible: int = 0  # with a checksum that does not fit, though every line makes sense
    foreign: str = ""  # why, when frames of another protocol came


class P1Watch(LineWatch):
    """Counts what comes of one open line."""

    # DSMR before 5 sends every ten seconds; six of those are the patience before anything is known. Where a
    # person waits for one telegram: while bytes come, until both speeds have been tried.
    waits: ClassVar = Patience(unknown=60.0, shortest=15.0, for_one=30.0)
    _lost: _P1Losses

    def __init__(
        self, port: str, opened: float, timeout: float | None, interval: float = 0.0, *, for_one: bool = False
    ) -> None:
        super().__init__(port, opened, timeout, interval, for_one=for_one)
        self.kind: Garbage = "unknown"  # what the bytes without a telegram were at last, at any speed
        self._length = 0  # of the last good telegram
        self._lost_before: _P1Losses | None = None  # in a time in which nothing good came
        self._whole = False  # whether a telegram came from its first to its last line, with any checksum
        self._malformed = ""  # what was wrong with the last telegram that had a line without sense

    @property
    def proven(self) -> bool:
        """Whether a whole frame or telegram came, so that speed and format are right."""
        return self._last_frame is not None or self._whole

    def note_good(self, now: float, length: int = 0) -> None:
        """A telegram that can be published; ``length`` in bytes."""
        super().note_good(now)
        self._lost_before = None
        self._length = length

    def note_damaged(self, error: FrameError) -> None:
        super().note_damaged(error)
        lost = self._lost
        lost.spoilt += isinstance(error, _SPOILT)
        lost.shorter += len(error.frame) < self._length
        if isinstance(error, ChecksumError) and reads_well(error.frame):
            lost.legible += 1
            self._whole = True
        if isinstance(error, MalformedError):
            lost.malformed += 1
            self._malformed = error.detail

    def note_unconfirmed(self, now: float) -> None:
        """A telegram without checksum, which the next ones have to bear out: speed and format are right."""
        if self._last_frame is None:
            self._last_frame = now

    def note_contradicted(self) -> None:
        """A telegram without checksum that the others do not bear out."""
        self._lost.kinds["contradicted"] += 1
        self._lost.damaged += 1
        self._lost.spoilt += 1

    def note_closed(self, now: float, error: DecryptionError) -> None:
        super().note_closed(now, error)
        if isinstance(error, OtherProtocolError):
            self._lost.foreign = error.detail

    @property
    def usual_interval(self) -> float:
        """The meter's interval as its specification has it: 1 s, 10 s, or what was measured if longer."""
        if 0 < self.interval < 2:
            return 1.0
        return max(10.0, float(round(self.interval)))

    @property
    def _patience_for_one(self) -> float:
        silent = not self.received and not self.proven
        clear = self._lost.spoilt >= _ENOUGH_SPOILT or self.kind in OTHER_FRAMES
        return self.waits.shortest if silent or clear else self.waits.for_one

    def death(self, unrecognised: bytes, now: float) -> NoTelegramError:
        since = self._nothing_good(now)
        if self.received <= (_REST if self.proven else 0):
            return NoTelegramError(
                "silence",
                f"{since}, and not a byte: check the cable, that the P1 port is switched on, and that its "
                "data request line (RTS) has power",
            )
        # What was summed up a moment ago still tells why nothing good comes.
        for lost in (self._lost, self._lost_before):
            if lost is not None and lost.spoilt:
                cause = _cause_of(lost, good=0, malformed=self._malformed)
                return NoTelegramError("checksum", f"{since}, only damaged ones: {cause}")
        kind = recognise(unrecognised)
        kind = self.kind if kind == "unknown" else kind
        return NoTelegramError("garbage" if kind == "unknown" else kind, f"{since}: {EXPLANATIONS[kind]}")

    @property
    def _spoilt(self) -> int:
        return self._lost.spoilt

    def _no_losses(self) -> _P1Losses:
        return _P1Losses()

    def _begin_count(self) -> None:
        self._lost_before = None if self._good else self._lost
        super()._begin_count()

    def _cause(self, good: int) -> str:
        return _cause_of(self._lost, good, self._malformed)


def _cause_of(lost: _P1Losses, good: int, malformed: str) -> str:
    """``malformed``: what was wrong with the last telegram that had a line without sense."""
    if lost.foreign:
        return lost.foreign
    if cause := lost.cause_of_whole:
        return cause
    if lost.shorter * 2 > lost.damaged:
        return "bytes are missing: another program reads the same port, or this computer is too busy"
    if not good and lost.legible == lost.damaged:
        return (
            "they arrive whole and every line makes sense, but the checksum never fits: bits change on "
            "the way (check the P1 cable and what lies beside it), or the meter computes it wrongly "
            "(a recording, see `record`, shows which)"
        )
    cause = "bytes were changed on the way: check the P1 cable and what lies beside it"
    # Where the meter itself sends such a line, this tells which.
    return f"{cause}; at last, {malformed}" if lost.malformed * 2 > lost.damaged else cause
