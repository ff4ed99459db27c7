"""Watches what arrives at a head: counts, error rate with its likely cause, and signs of life.

No clock in it: whoever calls says what time it is, in seconds of the event loop.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from smart_meter_reader.codecs.p1 import garbage as others
from smart_meter_reader.codecs.sml.garbage import EXPLANATIONS, recognise
from smart_meter_reader.exceptions import ChecksumError, FrameError, NoTelegramError

# Telegrams come every one to four seconds; a minute is the patience before anything is known.
_UNKNOWN_PATIENCE: Final = 60.0
_INTERVALS: Final = 6
_SHORTEST_PATIENCE: Final = 15.0
# Where a person waits for one telegram.
_ONE_PATIENCE: Final = 15.0
# An interval is believed when it is this long: telegrams that were waiting in a buffer come at once.
_SHORTEST_INTERVAL: Final = 0.5
_USUAL: Final = 1.0
_MANY: Final = 0.5
_ENOUGH: Final = 3
# What else is told for sure; the rest of P1's words are about its cable.
_NAMED: Final = frozenset({"hdlc", "mbus"})


class SmlWatch:
    """One connection's line. ``interval`` is the meter's own, in seconds, 0 until two telegrams came.

    ``for_one``: somebody waits for a single telegram, and wants to know soon why none comes.
    """

    def __init__(self, port: str, opened: float, timeout: float | None, *, for_one: bool = False) -> None:
        self.interval = 0.0
        self.received = 0  # bytes since the last whole frame
        self._port = port
        self._opened = opened
        self._timeout = timeout
        self._for_one = for_one
        self._last_good: float | None = None
        self._good = 0
        self._lost: Counter[str] = Counter()
        self._spoilt = 0  # since the last good one, over all summaries
        self._endless = 0  # of these, what did not end as it has to
        self._summed_up = opened
        self._excused: float | None = None

    def note_good(self, now: float) -> None:
        """A telegram whose checksum is right."""
        if self._last_good is not None and now - self._last_good >= _SHORTEST_INTERVAL:
            spacing = now - self._last_good
            # A gap left by a damaged telegram must not pass for the meter's interval.
            self.interval = spacing if not self.interval else min(spacing, 1.2 * self.interval)
        self._last_good = now
        self._excused = None
        self.received = 0
        self._spoilt = self._endless = 0
        self._good += 1

    def note_damaged(self, error: FrameError) -> None:
        """A telegram that was lost."""
        self._lost[error.reason] += 1
        self._spoilt += 1
        self._endless += not isinstance(error, ChecksumError)

    @property
    def usual_interval(self) -> float:
        """The meter's interval in whole seconds; one as long as that is not known."""
        return max(_USUAL, float(round(self.interval)))

    @property
    def patience(self) -> float:
        """Seconds without a good telegram after which the line counts as dead."""
        if self._timeout is not None:
            return self._timeout
        if self._for_one:
            return _ONE_PATIENCE
        if not self.interval:
            return _UNKNOWN_PATIENCE
        return min(_UNKNOWN_PATIENCE, max(_SHORTEST_PATIENCE, _INTERVALS * self.interval))

    @property
    def deadline(self) -> float:
        """When the line is dead if nothing good comes."""
        since = self._opened if self._last_good is None else self._last_good
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
        if self._endless >= _ENOUGH and self._endless == self._spoilt:
            # A poor head loses other bytes than 1A as well.
            return NoTelegramError(
                "no_control", f"{since}, only such as begin and never end: {EXPLANATIONS['no_control']}"
            )
        if self._spoilt:
            return NoTelegramError(
                "checksum",
                f"{since}, only damaged ones: move the head a little until its LEDs face those of the meter "
                "(`align` helps), keep sunlight off, and see that nothing else reads the port",
            )
        if not self.received:
            return NoTelegramError(
                "silence",
                f"{since}, and not a byte: check that the head sits on the meter's LED with its cable down, "
                "that it is the info interface on the front, and that the meter has power",
            )
        kind = recognise(unrecognised)
        if kind == "unknown":
            other = others.recognise(unrecognised)
            if other in _NAMED:
                return NoTelegramError(other, f"{since}: {others.EXPLANATIONS[other]}")
            return NoTelegramError(
                "garbage",
                f"{since}: {EXPLANATIONS[kind]}; sunlight on the head, another speed, or a meter that "
                "does not send SML (`scan` tells)",
            )
        return NoTelegramError(kind, f"{since}: {EXPLANATIONS[kind]}")

    @property
    def tally(self) -> str:
        """What has come, for a person who waits for a telegram."""
        if self._spoilt:
            return f"{self._spoilt} came damaged"
        return f"{self.received} bytes came, no telegram yet" if self.received else "not a byte came yet"

    def next_summary(self, every: float) -> float:
        """When the next summary may be due."""
        return self._summed_up + every

    def sum_up(self, now: float, every: float) -> str:
        """One line on what went wrong since the last one; "" when nothing did or it is too early."""
        if now - self._summed_up < every:
            return ""
        elapsed, self._summed_up = now - self._summed_up, now
        lost, good = self._lost, self._good
        self._lost, self._good = Counter(), 0
        total = lost.total()
        if not total:
            return ""
        kinds = ", ".join(f"{count} {reason}" for reason, count in lost.most_common())
        share = total / (total + good)
        cause = (
            "move the head a little (`align` shows how it sits), and see that nothing else reads the port"
            if share < _MANY
            else "the head hardly hears the meter: turn its cable down, and move it (`align`)"
        )
        return (
            f"{total} of {total + good} telegrams in {elapsed:.0f} s were lost "
            f"({100 * share:.0f} %: {kinds}): {cause}"
        )
