"""Which registers a KMP meter leaves out, and when each is worth asking for again. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

# A register that the meter left out is asked for again after two of its periods, then four, eight, and so on
# up to a day, or four periods where those are longer.
LONGEST_PAUSE = timedelta(days=1)
LONGEST_PAUSE_PERIODS = 4


class Absences:
    """Registers that the meter leaves out, and when each is asked for again.

    One that was answered before may be missing once: that is trouble of this answer, not a lack of the meter.
    """

    def __init__(self) -> None:
        self._answered: set[int] = set()  # the last time it was asked for
        self._misses: dict[int, int] = {}
        self._asked_last: dict[int, tuple[datetime, timedelta]] = {}  # and the pause from then on

    def present(self, registers: Iterable[int], now: datetime) -> list[int]:
        """Those registers that are worth asking for now."""
        return [register for register in registers if not self._pauses(register, now)]

    def note(
        self,
        asked: Iterable[int],
        answered: Mapping[int, object],
        now: datetime,
        period_of: Callable[[int], timedelta],
    ) -> list[int]:
        """Learn from one answer; the registers that were found to be missing for the first time."""
        news = []
        for register in asked:
            if register in answered:
                self._answered.add(register)
                self._misses.pop(register, None)
                self._asked_last.pop(register, None)
                continue
            if register in self._answered:
                self._answered.discard(register)
                continue
            misses = self._misses.get(register, 0) + 1
            self._misses[register] = misses
            if misses == 1:
                news.append(register)
            self._asked_last[register] = now, self._pause(misses, period_of(register))
        return news

    def _pauses(self, register: int, now: datetime) -> bool:
        if register not in self._asked_last:
            return False
        last, pause = self._asked_last[register]
        # A time ahead of now: the clock was put back, and nothing is known of the pause.
        return timedelta(0) <= now - last < pause

    def _pause(self, misses: int, period: timedelta) -> timedelta:
        longest = max(LONGEST_PAUSE, LONGEST_PAUSE_PERIODS * period)
        pause = period
        for _ in range(min(misses, 30)):  # a day of milliseconds is reached before
            pause = min(longest, 2 * pause)
        # Half a period less, so that the poll at the end of the pause is not missed by a second.
        return pause - period / 2

    def forget_pauses(self, but: Collection[int] = ()) -> None:
        """Ask for everything once more (a new connection, another meter); what was told is not told again.

        ``but``: what a meter may fall silent over, so that asking costs a request each time.
        """
        self._asked_last = {register: last for register, last in self._asked_last.items() if register in but}

    def has_answered(self, register: int) -> bool:
        """Whether the meter answered this one when it was asked for the last time."""
        return register in self._answered
