"""The meter's clock beside this computer's: what it is off by, and whether that still holds. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

# Once a day, where a reading a day comes some seconds earlier or later than a day after the last one.
_AGAIN = timedelta(hours=23)
# By more than this no clock is put right by little steps: it was set.
_SET = 60.0
# Where nothing sets this computer's clock for so long, somebody keeps it by hand.
_BY_HAND = 86_400.0
# So often its clock is asked for in vain before what it stamped is taken as it is.
_MOST_UNANSWERED = 3


class ComparedClocks:
    """``error``: how far the meter's clock is ahead. Instants are seconds of a clock that nobody sets.

    A Raspberry Pi begins with the time at which it was switched off, and learns the right one from the
    network: what the meter's clock was off by until then it never was.
    """

    def __init__(self) -> None:
        self.error = timedelta(0)
        self._serial_number = ""
        self._compared: tuple[datetime, float] | None = None
        self._unanswered = 0
        self._begun: float | None = None

    def meet(self, serial_number: str) -> None:
        """This meter answers: what the clock of another one was off by is not its concern."""
        if serial_number != self._serial_number:
            self._serial_number = serial_number
            self.error, self._compared, self._unanswered = timedelta(0), None, 0

    def are_due(self, now: datetime, instant: float) -> bool:
        """Whether they are to be compared: once a day, and when this computer's was set."""
        if self._compared is None or abs(now - self._compared[0]) >= _AGAIN:
            return True
        return self.were_set(now, instant)

    def note(self, now: datetime, instant: float, error: timedelta | None) -> None:
        """At ``now`` they were compared: the meter's was ahead by ``error``; None: it does not tell."""
        if error is not None:
            self.error, self._unanswered = error, 0
        elif self.were_set(now, instant):
            self.error = timedelta(0)
        self._compared = now, instant

    def give_up(self) -> bool:
        """Once more the meter's clock was asked for in vain; whether it was often enough."""
        self._unanswered += 1
        return self._unanswered >= _MOST_UNANSWERED

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


def drift_sentence(error: timedelta) -> str:
    """What a person is to know of a clock that is ahead by ``error``; "" where nothing is put right by it."""
    if abs(error) <= timedelta(minutes=30):
        return ""
    minutes = round(error / timedelta(minutes=1))
    how = f"{abs(minutes)} min {'ahead' if minutes > 0 else 'behind'}"
    return f"its clock is {how}: the times of its loggers are put right by that"
