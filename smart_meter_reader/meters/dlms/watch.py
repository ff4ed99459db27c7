"""Watches what arrives from a pushing meter: what was lost and why, and when the line counts as dead.

No clock in it: whoever calls says what time it is, in seconds of the event loop.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from smart_meter_reader.codecs.p1.framing.plain import DATA_LINE
from smart_meter_reader.codecs.p1.garbage import other_protocol
from smart_meter_reader.exceptions import (
    DamagedCipherError,
    DecryptionError,
    FrameError,
    NoTelegramError,
)

# EG.D's meters send once a minute; three of those are the patience before anything is known.
_UNKNOWN_PATIENCE: Final = 180.0
_INTERVALS: Final = 6
_SHORTEST_PATIENCE: Final = 30.0
# Where a person waits for one telegram: a meter that sends once a minute is heard.
_ONE_PATIENCE: Final = 75.0
# An interval is believed when it is this long: telegrams that were waiting in a buffer come at once.
_SHORTEST_INTERVAL: Final = 0.5

NOT_A_BYTE: Final = (
    "not a byte: check the cable; that the port is switched on, which in most countries the grid operator "
    "does on request; and the converter: it has to be an M-Bus slave (a receiver), since a master, which "
    "heat meters need, hears nothing here"
)
P1_TEXT: Final = 'these are telegrams of P1 in text: the client "dsmr" reads them'
SML: Final = 'this is SML, as German meters send it at their optical head: the client "sml" reads it'
NO_FRAME: Final = (
    "bytes come, and no whole frame of DLMS in them: check speed and format (baud, format) and both wires"
)


def what_else(received: bytes) -> str:
    """A sentence on what bytes without any frame of DLMS are; "" where nobody knows."""
    if other_protocol(received) == "sml":
        return SML
    return P1_TEXT if DATA_LINE.search(received) else ""


class DlmsLineWatch:
    """Counts what comes of one open line. ``timeout``: the patience that the settings want."""

    def __init__(
        self, port: str, opened: float, timeout: float | None, interval: float = 0.0, *, for_one: bool = False
    ) -> None:
        self.interval = interval  # the meter's own, in seconds; 0: not known
        self.received = 0  # bytes since the last good telegram
        self._port = port
        self._for_one = for_one
        self._opened = opened
        self._timeout = timeout
        self._last_good: float | None = None
        self._last_frame: float | None = None  # a whole frame, also one that cannot be decrypted
        self._lost: Counter[str] = Counter()
        self._damaged = 0
        self._good = 0
        self._last_damage = ""
        self._summed_up = opened
        self._excused: float | None = None  # when a stall ended, if no whole frame has come since

    @property
    def proven(self) -> bool:
        """Whether a whole frame came, so that speed and format are right."""
        return self._last_frame is not None

    def note_good(self, now: float) -> None:
        """A telegram that can be published."""
        if self._last_good is not None and now - self._last_good >= _SHORTEST_INTERVAL:
            spacing = now - self._last_good
            # A gap left by a damaged telegram must not pass for the meter's interval.
            self.interval = spacing if not self.interval else min(spacing, 1.2 * self.interval)
        self._last_good = self._last_frame = now
        self._excused = None
        self.received = 0
        self._good += 1

    def note_damaged(self, error: FrameError) -> None:
        """A frame or telegram that was given up."""
        self._lost[error.reason] += 1
        self._damaged += 1
        self._last_damage = error.detail

    def note_closed(self, now: float, error: DecryptionError) -> None:
        """A whole frame that could not be decrypted: the line is well."""
        self._last_frame = now
        self._excused = None
        self.received = 0
        self._lost[error.reason] += 1
        self._damaged += isinstance(error, DamagedCipherError)

    @property
    def usual_interval(self) -> float:
        """The meter's interval, to whole seconds."""
        return max(1.0, float(round(self.interval)))

    @property
    def patience(self) -> float:
        """Seconds without a good telegram after which the line counts as dead."""
        if self._timeout is not None:
            return self._timeout
        if self._for_one:
            return _ONE_PATIENCE
        if not self.interval:
            return _UNKNOWN_PATIENCE
        return max(_SHORTEST_PATIENCE, min(_UNKNOWN_PATIENCE, _INTERVALS * self.interval))

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
        """Why nothing good comes. ``unrecognised`` are the last bytes that belonged to no frame."""
        since = f"no good telegram for {now - self._opened if self._for_one else self.patience:.0f} s"
        since += f" on {self._port}"
        if not self.received:
            return NoTelegramError("silence", f"{since}, and {NOT_A_BYTE}")
        if self._damaged:
            return NoTelegramError("checksum", f"{since}, only damaged ones: {self._last_damage}")
        other = what_else(unrecognised)
        return NoTelegramError("other_protocol" if other else "garbage", f"{since}: {other or NO_FRAME}")

    @property
    def tally(self) -> str:
        """What has come, for a person who waits for a telegram."""
        if self._damaged:
            return f"{self._damaged} came damaged"
        return f"{self.received} bytes came, no telegram yet" if self.received else "not a byte came yet"

    def next_summary(self, every: float) -> float:
        """When the next summary may be due."""
        return self._summed_up + every

    def sum_up(self, now: float, every: float) -> str:
        """One line on what went wrong since the last one; "" when nothing did or it is too early."""
        if now - self._summed_up < every:
            return ""
        elapsed, self._summed_up = now - self._summed_up, now
        lost, good, damaged = self._lost, self._good, self._damaged
        self._lost, self._good, self._damaged = Counter(), 0, 0
        total = lost.total()
        if not total:
            return ""
        kinds = ", ".join(f"{count} {reason}" for reason, count in lost.most_common())
        cause = _cause(lost, damaged)
        return (
            f"{total} of {total + good} telegrams in {elapsed:.0f} s were lost "
            f"({100 * total / (total + good):.0f} %: {kinds}): {cause}"
        )


def _cause(lost: Counter[str], damaged: int) -> str:
    if not damaged and lost["replayed"] == lost.total():
        return "the meter sent them twice, or something on the line repeats what was recorded"
    if not damaged:
        return "they arrived whole; check the keys"
    if lost["incomplete"] * 2 > damaged:
        return "parts are missing: another program reads the same port, or this computer is too busy"
    return "bytes were changed on the way: check the cable, and the power that the converter gets"
