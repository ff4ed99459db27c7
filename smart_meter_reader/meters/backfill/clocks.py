"""The meter's clock beside this computer's: what it is off by, and whether that still holds. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

_AGAIN = timedelta(days=1)
# By more than this no clock is put right by little steps: it was set.
_SET = 60.0
# Where nothing sets this computer's clock for so long, somebody keeps it by hand.
_BY_HAND = 86_400.0


class ComparedClocks:
    """``error``: how far the meter's clock is ahead. Instants are seconds of a clock that nobody sets.

    A Raspberry Pi begins with the time at which it was switched off, and learns the right one from the
    network: what the meter's clock was off by until then it never was.
    """

    def __init__(self) -> None:
        self.error = timedelta(0)
        self._compared: tuple[datetime, float] | None = None
        self._begun: float | None = None

    def are_due(self, now: datetime, instant: float) -> bool:
        """Whether they are to be compared: once a day, and when this computer's was set."""
        if self._compared is None or abs(now - self._compared[0]) >= _AGAIN:
            return True
        return self.were_set(now, instant)

    def begin(self, now: datetime, instant: float) -> None:
        """They are being compared now."""
        if self.were_set(now, instant):
            self.error = timedelta(0)
        self._compared = now, instant

    def were_set(self, now: datetime, instant: float) -> bool:
        """Whether this computer's is another one than when it was compared with the meter's."""
        if self._compared is None:
            return False
        at, since = self._compared
        return abs((now - at).total_seconds() - (instant - since)) > _SET

    def are_believed(self, instant: float, *, synchronised: bool | None) -> bool:
        """Whether this computer's is right, as far as can be known."""
        self._begun = instant if self._begun is None else self._begun
        return synchronised is not False or instant - self._begun > _BY_HAND
