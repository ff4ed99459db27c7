"""When a polled meter is read: its schedules, looked at by the wall clock, and "read now"."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from smart_meter_reader.meters.poll_plan import Group, LastDay, Plan
from smart_meter_reader.settings.durations import format_duration

_log = logging.getLogger(__name__)

# The wall clock may be set while we sleep (a Pi without a clock, at boot): look at it again this often.
_LOOK_AT_CLOCK = 30.0
# After an outage the port proves itself by a reading, but one that comes and goes does not cost the battery.
_PROOF_PAUSE = timedelta(minutes=5)
_BATTERY_LIMIT = timedelta(minutes=5)


class PollTimes:
    """The times of one meter's readings, across reconnections."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.requests = LastDay()
        self.wake_ups = LastDay()
        self.shortest_period = min(group.schedule.period for group in groups)
        self._plan = Plan(groups)
        self._asked_now = False
        self._sleep: asyncio.Timeout | None = None
        self._last_two = deque([datetime.min.replace(tzinfo=UTC)], maxlen=2)

    def read_now(self) -> None:
        """Make a reading due."""
        self._asked_now = True
        if self._sleep is not None:
            self._sleep.reschedule(asyncio.get_running_loop().time())

    def prove_soon(self) -> None:
        """A connection was made anew: the meter is online again with a reading, which need not wait.

        Every second time it does wait, so that a port that comes and goes does not cost the battery.
        """
        pause = min(_PROOF_PAUSE, self.shortest_period)
        now = datetime.now(UTC)
        # Not later than a pause from now: the clock may have been put back since.
        self._plan.bring_forward(min(max(now, self._last_two[0] + pause), now + pause))

    @property
    def asked_now(self) -> bool:
        """Whether a reading was asked for: by a person, or by the guard, which doubts the last one."""
        return self._asked_now

    async def wait_until_due(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        """Wait for the next reading's time; ``meanwhile`` runs until then, and its errors come out."""
        while not self._asked_now:
            now = datetime.now(UTC)
            wait = (self._plan.next_due(now) - now).total_seconds()
            if wait <= 0:
                return
            try:
                async with asyncio.timeout(min(wait, _LOOK_AT_CLOCK)) as self._sleep:
                    await meanwhile()
            except TimeoutError:
                continue  # time to look at the clock again
            finally:
                self._sleep = None

    def registers_due(self, now: datetime) -> list[int]:
        """The registers of all groups that are due, each once."""
        return self._plan.registers_due(now, first_too=self._asked_now)

    def period_of(self, register: int) -> timedelta:
        """The time between two readings of a register."""
        return self._plan.period_of(register)

    def mark_read(self, now: datetime) -> None:
        """The reading that was due at ``now`` has been taken."""
        self._asked_now = False
        self._last_two.append(now)
        self._plan.mark_read(now)


class Complaints:
    """Warnings about one meter, each said once."""

    def __init__(self, meter: str) -> None:
        self._meter = meter
        self._said: set[str] = set()

    def say(self, what: str) -> None:
        """Warn, unless this was said before."""
        if what not in self._said:
            self._said.add(what)
            _log.warning("%s: %s", self._meter, what)

    def warn_of_battery(self, period: timedelta) -> None:
        """Warn of readings so frequent that they empty the meter's battery."""
        if period < _BATTERY_LIMIT:
            self.say(
                f"a reading every {format_duration(period)} empties the meter's battery before its time: "
                "choose 5min or more, or set mains_powered = true"
            )
