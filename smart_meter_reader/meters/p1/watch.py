"""Watches what arrives on a P1 line: counts, error rate with its likely cause, and signs of life.

No clock in it: whoever calls says what time it is, in seconds of the event loop.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from smart_meter_reader.codecs.p1.framing.plain import reads_well
from smart_meter_reader.codecs.p1.garbage import EXPLANATIONS, OTHER_FRAMES, Garbage, recognise
from smart_meter_reader.exceptions import (
    ChecksumError,
    DamagedCipherError,
    DecryptionError,
    FrameError,
    IncompleteError,
    MalformedError,
    NoTelegramError,
    OtherProtocolError,
    ReplayedError,
)

# DSMR before 5 sends every ten seconds; six of those are the patience before anything is known.
_UNKNOWN_PATIENCE = 60.0
_INTERVALS = 6
_SHORTEST_PATIENCE = 15.0
# Where a person waits for one telegram: while bytes come, until both speeds have been tried.
_ONE_PATIENCE = 30.0
# So many telegrams that came to nothing are no accident.
_ENOUGH_SPOILT = 3
# An interval is believed when it is this long: telegrams that were waiting in a buffer come at once.
_SHORTEST_INTERVAL = 0.5
# What may come behind the last frame before silence: a line end, and the filling bytes of EasyMeter's Q3D.
_REST = 64
_SPOILT = (ChecksumError, IncompleteError, MalformedError)  # what was a telegram once


@dataclass(slots=True)
class _Losses:
    """The telegrams that were lost since the last summary: how many of each kind, as that is told."""

    kinds: Counter[str] = field(default_factory=Counter)
    damaged: int = 0  # by what happened to their bytes, not for lack of a key
    spoilt: int = 0  # of these, what was a telegram once, and not just anything on the line
    shorter: int = 0  # of these, what bytes are missing from
    replayed: int = 0
    malformed: int = 0
    legible: int = 0  # with a checksum that does not fit, though every line makes sense
    foreign: str = ""  # why, when frames of another protocol came


class LineWatch:
    """One connection's line. ``interval`` is the meter's own, in seconds, 0 until two telegrams came.

    ``for_one``: somebody waits for a single telegram, and wants to know soon why none comes.
    """

    def __init__(
        self,
        port: str,
        opened: float,
        timeout: float | None,
        interval: float = 0.0,
        *,
        for_one: bool = False,
    ) -> None:
        self.interval = interval
        self._for_one = for_one
        self.received = 0  # bytes since the last whole frame
        self.kind: Garbage = "unknown"  # what the bytes without a telegram were at last, at any speed
        self._port = port
        self._opened = opened
        self._timeout = timeout
        self._last_good: float | None = None
        self._last_frame: float | None = None  # a whole frame, also one that cannot be decrypted
        self._length = 0  # of the last good telegram
        self._lost = _Losses()
        self._lost_before: _Losses | None = None  # in a time in which nothing good came
        self._whole = False  # whether a telegram came from its first to its last line, with any checksum
        self._good = 0
        self._malformed = ""  # what was wrong with the last telegram that had a line without sense
        self._summed_up = opened
        self._excused: float | None = None  # when a stall ended, if no whole frame has come since

    @property
    def proven(self) -> bool:
        """Whether a whole frame or telegram came, so that speed and format are right."""
        return self._last_frame is not None or self._whole

    def note_good(self, now: float, length: int) -> None:
        """A telegram that can be published; ``length`` in bytes."""
        if self._last_good is not None and now - self._last_good >= _SHORTEST_INTERVAL:
            spacing = now - self._last_good
            # A gap left by a damaged telegram must not pass for the meter's interval.
            self.interval = spacing if not self.interval else min(spacing, 1.2 * self.interval)
        self._last_good = self._last_frame = now
        self._excused = None
        self.received = 0
        self._good += 1
        self._lost_before = None
        self._length = length

    def note_damaged(self, error: FrameError) -> None:
        lost = self._lost
        lost.kinds[error.reason] += 1
        lost.damaged += 1
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
        """A whole frame that could not be decrypted: the line is well."""
        self._last_frame = now
        self._excused = None
        self.received = 0
        self._lost.kinds[error.reason] += 1
        self._lost.damaged += isinstance(error, DamagedCipherError)
        self._lost.replayed += isinstance(error, ReplayedError)
        if isinstance(error, OtherProtocolError):
            self._lost.foreign = error.detail

    @property
    def usual_interval(self) -> float:
        """The meter's interval as its specification has it: 1 s, 10 s, or what was measured if longer."""
        if 0 < self.interval < 2:
            return 1.0
        return max(10.0, float(round(self.interval)))

    @property
    def patience(self) -> float:
        """Seconds without a good telegram after which the line counts as dead."""
        if self._timeout is not None:
            return self._timeout
        if self._for_one:
            silent = not self.received and not self.proven
            clear = self._lost.spoilt >= _ENOUGH_SPOILT or self.kind in OTHER_FRAMES
            return _SHORTEST_PATIENCE if silent or clear else _ONE_PATIENCE
        if not self.interval:
            return _UNKNOWN_PATIENCE
        return min(_UNKNOWN_PATIENCE, max(_SHORTEST_PATIENCE, _INTERVALS * self.interval))

    @property
    def deadline(self) -> float:
        """When the line is dead if nothing good comes."""
        since = self._opened if self._last_frame is None else self._last_frame
        return (since if self._excused is None else self._excused) + self.patience

    def excuse(self, now: float) -> bool:
        """After a stall, in which nobody listened, patience begins anew; False when it did so before."""
        if self._excused is not None:
            return False
        self._excused = now
        return True

    def death(self, unrecognised: bytes, now: float) -> NoTelegramError:
        """Why nothing good comes. ``unrecognised`` are the last bytes that belonged to no telegram."""
        waited = now - self._opened if self._for_one else self.patience
        since = f"no good telegram for {waited:.0f} s on {self._port}"
        if self.received <= (_REST if self.proven else 0):
            return NoTelegramError(
                "silence",
                f"{since}, and not a byte: check the cable, that the P1 port is switched on, and that its "
                "data request line (RTS) has power",
            )
        # What was summed up a moment ago still tells why nothing good comes.
        for lost in (self._lost, self._lost_before):
            if lost is not None and lost.spoilt:
                return NoTelegramError("checksum", f"{since}, only damaged ones: {self._cause(lost, good=0)}")
        kind = recognise(unrecognised)
        kind = self.kind if kind == "unknown" else kind
        return NoTelegramError("garbage" if kind == "unknown" else kind, f"{since}: {EXPLANATIONS[kind]}")

    @property
    def tally(self) -> str:
        """What has come, for a person who waits for a telegram."""
        if self._lost.spoilt:
            return f"{self._lost.spoilt} came damaged"
        return f"{self.received} bytes came, no telegram yet" if self.received else "not a byte came yet"

    def next_summary(self, every: float) -> float:
        """When the next summary may be due."""
        return self._summed_up + every

    def sum_up(self, now: float, every: float) -> str:
        """One line on what went wrong since the last one; "" when nothing did or it is too early."""
        if now - self._summed_up < every:
            return ""
        elapsed, self._summed_up = now - self._summed_up, now
        kinds_lost, good = self._lost.kinds, self._good
        total = kinds_lost.total()
        text = ""
        if total:
            kinds = ", ".join(f"{count} {reason}" for reason, count in kinds_lost.most_common())
            text = (
                f"{total} of {total + good} telegrams in {elapsed:.0f} s were lost "
                f"({100 * total / (total + good):.0f} %: {kinds}): {self._cause(self._lost, good)}"
            )
        self._lost_before = None if good else self._lost
        self._lost, self._good = _Losses(), 0
        return text

    def _cause(self, lost: _Losses, good: int) -> str:
        if lost.foreign:
            return lost.foreign
        if not lost.damaged and lost.replayed == lost.kinds.total():
            return "the meter sent them twice, or something on the line repeats what was recorded"
        if not lost.damaged:
            return "they arrived whole; check the keys"
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
        return f"{cause}; at last, {self._malformed}" if lost.malformed * 2 > lost.damaged else cause
