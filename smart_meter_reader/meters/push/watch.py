"""Watches a line on which a meter sends by itself: its interval, what was lost, when the line counts as dead.

No clock in it: whoever calls says what time it is, in seconds of the event loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar, Final

from smart_meter_reader.exceptions import (
    DamagedCipherError,
    DecryptionError,
    FrameError,
    NoTelegramError,
    ReplayedError,
    WrongMeterError,
)

_INTERVALS: Final = 6
# An interval is believed when it is this long: telegrams that were waiting in a buffer come at once.
_SHORTEST_INTERVAL: Final = 0.5


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a good telegram, in seconds, where the settings do not say it."""

    unknown: float  # before anything is known of the meter's interval, and the most
    shortest: float
    for_one: float  # where a person waits for a single telegram

    def over(self, interval: float) -> float:
        """With a meter of this interval; 0: not known."""
        if not interval:
            return self.unknown
        return min(self.unknown, max(self.shortest, _INTERVALS * interval))


@dataclass(slots=True)
class Losses:
    """The telegrams that were lost since the last summary: how many of each kind, as that is told."""

    kinds: Counter[str] = field(default_factory=Counter)
    damaged: int = 0  # by what happened to their bytes, not for lack of a key
    replayed: int = 0

    @property
    def cause_of_whole(self) -> str:
        """The cause where all of them arrived whole; "" where some were damaged."""
        if self.damaged:
            return ""
        if self.replayed == self.kinds.total():
            return "the meter sent them twice, or something on the line repeats what was recorded"
        return "they arrived whole; check the keys"


class LineWatch(ABC):
    """Counts what comes of one open line. ``timeout``: the patience that the settings want.

    ``interval`` is the meter's own, in seconds; 0 until it is known, by two telegrams or from before.
    ``for_one``: somebody waits for a single telegram, and wants to know soon why none comes.
    """

    waits: ClassVar[Patience]

    def __init__(
        self, port: str, opened: float, timeout: float | None, interval: float = 0.0, *, for_one: bool = False
    ) -> None:
        self.interval = interval
        self.received = 0  # bytes since the last whole frame
        self._port = port
        self._opened = opened
        self._timeout = timeout
        self._for_one = for_one
        self._last_good: float | None = None
        self._last_frame: float | None = None  # a whole frame, also one that cannot be decrypted
        self._good = 0
        self._lost = self._no_losses()
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
        self._last_good = now
        self._note_frame(now)
        self._good += 1

    def note_damaged(self, error: FrameError) -> None:
        """A frame or telegram that was given up."""
        self._lost.kinds[error.reason] += 1
        self._lost.damaged += 1

    def note_closed(self, now: float, error: DecryptionError) -> None:
        """A whole frame that could not be decrypted: the line is well."""
        self._note_frame(now)
        self._lost.kinds[error.reason] += 1
        self._lost.damaged += isinstance(error, DamagedCipherError)
        self._lost.replayed += isinstance(error, ReplayedError)

    def _note_frame(self, now: float) -> None:
        self._last_frame = now
        self._excused = None
        self.received = 0

    # --- signs of life ---

    @property
    def usual_interval(self) -> float:
        """The meter's interval in whole seconds; one as long as that is not known."""
        return max(1.0, float(round(self.interval)))

    @property
    def patience(self) -> float:
        """Seconds without a good telegram after which the line counts as dead."""
        if self._timeout is not None:
            return self._timeout
        return self._patience_for_one if self._for_one else self.waits.over(self.interval)

    @property
    def _patience_for_one(self) -> float:
        return self.waits.for_one

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

    @abstractmethod
    def death(self, unrecognised: bytes, now: float) -> NoTelegramError | WrongMeterError:
        """Why nothing good comes. ``unrecognised`` are the last bytes that belonged to no telegram."""

    def _nothing_good(self, now: float) -> str:
        waited = now - self._opened if self._for_one else self.patience
        return f"no good telegram for {waited:.0f} s on {self._port}"

    # --- what is told ---

    @property
    def tally(self) -> str:
        """What has come, for a person who waits for a telegram."""
        if spoilt := self._spoilt:
            return f"{spoilt} came damaged"
        return f"{self.received} bytes came, no telegram yet" if self.received else "not a byte came yet"

    @property
    def _spoilt(self) -> int:
        """How many came that were telegrams once."""
        return self._lost.damaged

    def next_summary(self, every: float) -> float:
        """When the next summary may be due."""
        return self._summed_up + every

    def sum_up(self, now: float, every: float) -> str:
        """One line on what went wrong since the last one; "" when nothing did or it is too early."""
        if now - self._summed_up < every:
            return ""
        elapsed, self._summed_up = now - self._summed_up, now
        kinds_lost, good = self._lost.kinds, self._good
        lost = kinds_lost.total()
        text = ""
        if lost:
            kinds = ", ".join(f"{count} {reason}" for reason, count in kinds_lost.most_common())
            text = (
                f"{lost} of {lost + good} telegrams in {elapsed:.0f} s were lost "
                f"({100 * lost / (lost + good):.0f} %: {kinds}): {self._cause(good)}"
            )
        self._begin_count()
        return text

    def _begin_count(self) -> None:
        self._lost, self._good = self._no_losses(), 0

    def _no_losses(self) -> Losses:
        return Losses()

    @abstractmethod
    def _cause(self, good: int) -> str:
        """What probably cost the telegrams that are lost, beside so many good ones."""
