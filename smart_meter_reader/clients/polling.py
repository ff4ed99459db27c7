"""When a polled meter is read: its schedule, looked at by the wall clock, and "read now"."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from smart_meter_reader.clients.kamstrup_plan import Group, LastDay, Plan
from smart_meter_reader.schedule import Schedule

# The wall clock may be set while we sleep (a Pi without a clock, at boot): look at it again this often.
_LOOK_AT_CLOCK = 30.0
# After an outage the port proves itself by a reading, but one that comes and goes does not cost the battery.
_PROOF_PAUSE = timedelta(minutes=5)


class PollTimes:
    """The times of one meter's readings, across reconnections."""

    def __init__(self, schedule: Schedule) -> None:
        self.requests = LastDay()
        self.wake_ups = LastDay()
        self._schedule = schedule
        self._plan = Plan([Group((), schedule)])
        self._asked_now = False
        self._sleep: asyncio.Timeout | None = None
        self._last: datetime | None = None

    def read_now(self) -> None:
        """Make a reading due."""
        self._asked_now = True
        if self._sleep is not None:
            self._sleep.reschedule(asyncio.get_running_loop().time())

    def prove_soon(self) -> None:
        """A connection was made anew: the next reading need not wait for its time."""
        if self._last is not None:
            pause = min(_PROOF_PAUSE, self._schedule.period)
            self._plan.bring_forward(max(datetime.now(UTC), self._last + pause))

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

    def mark_read(self) -> None:
        """The reading that was due has been taken."""
        self._asked_now = False
        self._last = now = datetime.now(UTC)
        self._plan.mark_read(now)

    def mark_tried(self) -> None:
        """A reading was tried, well or not; outages are counted from here."""
        self._last = datetime.now(UTC)
