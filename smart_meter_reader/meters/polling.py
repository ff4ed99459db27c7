"""What polled meters share: when they are read (schedules by the wall clock, "read now"), limits, counts."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from smart_meter_reader.exceptions import TransportError, WrongMeterError
from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import Health, Info, Publish
from smart_meter_reader.meters.base import Client, PolledSettings, count_reading
from smart_meter_reader.meters.conversation import LineCounters
from smart_meter_reader.meters.poll_plan import Group, LastDay, Plan
from smart_meter_reader.network import stalls
from smart_meter_reader.quantities.measurement import Measurement
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


_Settings = TypeVar("_Settings", bound=PolledSettings)


class PolledClient(Client, Generic[_Settings]):
    """What clients of polled meters share: the times, the limit of a poll, the counts, the complaints."""

    def __init__(self, meter: str, settings: _Settings, groups: Sequence[Group]) -> None:
        self.meter = meter
        self.health: Health = {"valid_readings": 0}
        self.longest_attempt = settings.poll_timeout.total_seconds()
        self._settings = settings
        self._times = PollTimes(groups)
        self._counters = LineCounters()
        self._counted = LineCounters()
        self._complaints = Seldom()

    def read_now(self) -> None:
        self._times.read_now()

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        """Inside is one poll. Raises TransportError ``timeout`` when it takes too long."""
        try:
            async with stalls.timeout(self._settings.poll_timeout.total_seconds()):
                yield
        except TimeoutError:
            limit = format_duration(self._settings.poll_timeout)
            raise TransportError(
                "timeout",
                f"{self._settings.port}: the poll took longer than {limit}; poll_timeout can allow more",
            ) from None
        finally:
            self._count_line()

    def _expect(self, number: str, what: str) -> None:
        """Raise WrongMeterError when the settings expect another number than ``what`` is."""
        expected = self._settings.serial_number
        if expected is not None and number.lstrip("0") != str(expected).lstrip("0"):
            found = f"{what} {number}" if number else f"no {what}"
            raise WrongMeterError(
                "wrong_meter",
                f"{self._settings.port}: a meter with {found} answers, the settings expect {expected}: it is "
                "not read until serial_number is corrected or removed",
            )

    def _new_info(self) -> Info:
        """An info as yet without what the meter says of itself."""
        return {
            "type": "info",
            "meter": self.meter,
            "time": datetime.now(UTC),
            "interval": max(1, round(self._settings.interval.period.total_seconds())),
        }

    async def _publish_reading(self, measurements: dict[str, Measurement], publish: Publish) -> None:
        now = datetime.now(UTC)
        count_reading(self.health, now)
        self._count_line()
        await publish({"type": "reading", "meter": self.meter, "time": now, "measurements": measurements})

    def _count_line(self) -> None:
        """Bring the health up to date with what has passed on the line."""
        now = datetime.now(UTC)
        counters, before, times = self._counters, self._counted, self._times
        times.requests.add(now, counters.requests - before.requests)
        times.wake_ups.add(now, counters.wake_ups - before.wake_ups)
        before.requests, before.wake_ups = counters.requests, counters.wake_ups
        counters.tell(self.health)
        self.health["requests_24h"] = times.requests.total(now)
        self.health["wake_ups_24h"] = times.wake_ups.total(now)

    def _warn_once(self, what: str) -> None:
        if self._complaints.first(what):
            _log.warning("%s: %s", self.meter, what)

    def _warn_of_battery(self) -> None:
        """Warn of readings so frequent that they empty the meter's battery."""
        period = self._times.shortest_period
        if period < _BATTERY_LIMIT:
            self._warn_once(
                f"a reading every {format_duration(period)} empties the meter's battery before its time: "
                "choose 5min or more, or set mains_powered = true"
            )
