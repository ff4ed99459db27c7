"""What polled meters share: when they are read (schedules by the wall clock, "read now"), limits, counts."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from smart_meter_reader.exceptions import TransportError, WrongMeterError
from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import METER_REPORTS, Health, Info, Publish, Reply, Status
from smart_meter_reader.meters.base import Client, PolledSettings, count_in, count_reading
from smart_meter_reader.meters.conversation import LineCounters
from smart_meter_reader.meters.info_codes import CODES, InfoCodes
from smart_meter_reader.meters.poll_plan import Group, LastDay, Plan, Spacing
from smart_meter_reader.network import stalls
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.settings.durations import format_duration
from smart_meter_reader.settings.schedule import Schedule
from smart_meter_reader.text import is_same_serial

_log = logging.getLogger(__name__)

# The wall clock may be set while we sleep (a Pi without a clock, at boot): look at it again this often.
_LOOK_AT_CLOCK = 30.0
# After an outage the port proves itself by a reading, but one that comes and goes does not cost the battery.
_PROOF_PAUSE = timedelta(minutes=5)
_BATTERY_LIMIT = timedelta(minutes=5)
# Of readings that are asked for beside the schedule; where there is no battery, as fast as the meter answers.
BATTERY_DISTANCE = timedelta(minutes=5)
NO_DISTANCE = timedelta(0)


class PollTimes:
    """The times of one meter's readings, across reconnections."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.requests = LastDay()
        self.wake_ups = LastDay()
        self.shortest_period = min(group.schedule.period for group in groups)
        self.spacing = Spacing(BATTERY_DISTANCE)
        self._plan = Plan(groups)
        self._doubted = False
        self._requested = False
        self._first_in_poll = True  # whether the poll under way reads the first group
        self._sleep: asyncio.Timeout | None = None
        self._last_two = deque([datetime.min.replace(tzinfo=UTC)], maxlen=2)

    def follow(self, groups: Sequence[Group]) -> None:
        """Read at the times of these groups from now on, which are due at once."""
        self.shortest_period = min(group.schedule.period for group in groups)
        self._plan = Plan(groups)

    def read_now(self) -> None:
        """Make a reading due, since the last one is doubted."""
        self._doubted = True
        self._wake()

    def request(self, now: datetime) -> Reply:
        """Make a reading due because a person asks for it, unless that is too soon after the last time."""
        free_at = self.spacing.free_at(now)
        if free_at > now:
            return _too_soon(self.spacing.least, free_at)
        if self._requested:
            return Reply(False, "under_way", "it is being read for an earlier request already")
        self.spacing.take(now)
        self._requested = True
        self._wake()
        return Reply(taken=True)

    def _wake(self) -> None:
        # One that is just ending wakes by itself, and asyncio refuses to set its time anew.
        if self._sleep is not None and not self._sleep.expired():
            self._sleep.reschedule(asyncio.get_running_loop().time())

    def prove_soon(self) -> None:
        """A connection was made anew: the meter is online again with a reading, which need not wait.

        Every second time it does wait, so that a port that comes and goes does not cost the battery.
        """
        # A request that failed with the last connection has had its answer: why the meter is offline.
        self._requested = False
        pause = min(_PROOF_PAUSE, self.shortest_period)
        now = datetime.now(UTC)
        # Not later than a pause from now: the clock may have been put back since.
        self._plan.bring_forward(min(max(now, self._last_two[0] + pause), now + pause))

    @property
    def doubted(self) -> bool:
        """Whether the next reading is wanted since the last one is doubted: it may be another meter's."""
        return self._doubted

    async def wait_until_due(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        """Wait for the next reading's time; ``meanwhile`` runs until then, and its errors come out."""
        while not (self._doubted or self._requested):
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

    def seconds_left(self) -> float:
        """How long until the next reading; 0 when one is wanted already."""
        if self._doubted or self._requested:
            return 0.0
        now = datetime.now(UTC)
        return (self._plan.next_due(now) - now).total_seconds()

    def registers_due(self, now: datetime) -> list[int]:
        """The registers of all groups that are due, each once."""
        asked = self._doubted or self._requested
        self._first_in_poll = asked or self._plan.first_is_due(now)
        return self._plan.registers_due(now, first_too=asked)

    def period_of(self, register: int) -> timedelta:
        """The time between two readings of a register."""
        return self._plan.period_of(register)

    def mark_read(self, now: datetime) -> None:
        """The reading that was due at ``now`` has been taken."""
        self._doubted = False
        # What is asked for during a reading has its answer in it, unless that is of other registers.
        self._requested = self._requested and not self._first_in_poll
        self._last_two.append(now)
        self._plan.mark_read(now)


def _too_soon(least: timedelta, free_at: datetime) -> Reply:
    detail = (
        f"a reading was asked for less than {format_duration(least)} ago, and each costs some of the meter's "
        f"battery: it is possible again at {free_at:%H:%M:%S} UTC (read_now_distance)"
    )
    return Reply(False, "read_too_soon", detail, free_at)


_Settings = TypeVar("_Settings", bound=PolledSettings)


class PolledClient(Client, Generic[_Settings]):
    """What clients of polled meters share: the times, the limit of a poll, the counts, the complaints."""

    answers_requests = True

    def __init__(self, meter: str, settings: _Settings, groups: Sequence[Group]) -> None:
        self.meter = meter
        # Told from the beginning, as all that can be asked for.
        self.health: Health = {"valid_readings": 0, "read_now_used": 0, "read_now_refused": 0}
        self.longest_attempt = settings.poll_timeout.total_seconds()
        self._settings = settings
        self._schedule: Schedule = settings.interval
        self._times = PollTimes(groups)
        self._counters = LineCounters()
        self._counted = LineCounters()
        self._complaints = Seldom()
        self._info_codes = InfoCodes()

    @property
    def doing(self) -> str:
        return self._counters.doing or super().doing

    def read_now(self) -> None:
        self._times.read_now()

    def request_reading(self) -> Reply:
        wanted = self._settings.read_now_distance
        self._times.spacing.least = self._gentle_distance if wanted is None else wanted
        return self._times.request(datetime.now(UTC))

    @property
    def _gentle_distance(self) -> timedelta:
        """How far apart readings that are asked for should be, as far as is known of the meter."""
        return BATTERY_DISTANCE

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
        if expected is not None and not is_same_serial(number, str(expected)):
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
            "interval": max(1, round(self._schedule.period.total_seconds())),
        }

    def _reject(self, sentences: Sequence[str]) -> None:
        """Count values that are left out, and tell each once."""
        if sentences:
            count_in(self.health, "rejected_values", len(sentences))
        for sentence in sentences:
            self._warn_once(sentence)

    def _explained(
        self, measurements: Mapping[str, Measurement], model: str, wanted: Collection[str] = ()
    ) -> dict[str, Measurement]:
        """A reading with its info code in words, and without what was not measured for what that says.

        ``wanted``: the only quantities that are published, and those words only with a code among them
        or where they say why a value is missing; empty for all.
        """
        judged = {
            key: each for key, each in measurements.items() if not wanted or key in wanted or key in CODES
        }
        explained, left_out = self._info_codes.judge(judged, model)
        self._reject(left_out)
        if not wanted:
            return explained
        in_words = left_out or not CODES.isdisjoint(wanted)
        return {
            key: each for key, each in explained.items() if key in wanted or (in_words and key not in CODES)
        }

    def _reported(self, now: datetime) -> Status | None:
        """The status that says what the meter reports of itself, when that has changed."""
        news = self._info_codes.news()
        if news is None:
            return None
        _log.info("%s: %s", self.meter, news or "the meter reports nothing any more")
        return {
            "type": "status",
            "meter": self.meter,
            "time": now,
            "state": "online",
            "reason": METER_REPORTS if news else "",
            "detail": news or "readings arrive",
            "health": {**self.health},
        }

    async def _publish_reading(self, measurements: dict[str, Measurement], publish: Publish) -> None:
        now = datetime.now(UTC)
        count_reading(self.health, now)
        self._count_line()
        if (status := self._reported(now)) is not None:
            await publish(status)
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
        distance = self._settings.read_now_distance
        if distance is not None and distance < BATTERY_DISTANCE:
            self._warn_once(
                f"read_now_distance = {format_duration(distance)} lets whoever asks for readings empty the "
                "meter's battery: choose 5min or more, or set mains_powered = true"
            )
