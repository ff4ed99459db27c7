"""One open connection to a meter that sends by itself: takes bytes in, keeps time, gives up a dead line."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Generic, Protocol, TypeVar

from smart_meter_reader.exceptions import DecryptionError, FrameError
from smart_meter_reader.messages import Health, Publish
from smart_meter_reader.meters.base import count_in, count_reading
from smart_meter_reader.meters.closed_frames import closed_alert
from smart_meter_reader.meters.push.known import KnownLine
from smart_meter_reader.meters.push.settings import PushSettings
from smart_meter_reader.meters.push.watch import LineWatch
from smart_meter_reader.meters.turns import current_turns
from smart_meter_reader.network import stalls
from smart_meter_reader.transport import LineSettings, Transport

_log = logging.getLogger(__name__)

# A line that brings bytes and no telegram for so long is set to the next one; DSMR 2.2 sends every 10 s.
LINE_TRIAL: Final = 12.0
# One summary of damaged telegrams in this time, however short the interval.
SUMMARY: Final = 60.0

_Watch = TypeVar("_Watch", bound=LineWatch)
_Known = TypeVar("_Known", bound=KnownLine)


class PushReader(Protocol):
    """What turns bytes into telegrams, as far as all of them are alike."""

    @property
    def unrecognised(self) -> bytes:
        """The last bytes that belonged to no telegram."""

    def leave_out_older(self) -> int:
        """Forget all telegrams received but the newest, unread; how many."""


class PushSession(ABC, Generic[_Watch]):
    """Listens on ``transport`` and counts into ``health``; with ``once`` until something was published."""

    def __init__(
        self,
        meter: str,
        settings: PushSettings,
        transport: Transport,
        publish: Publish,
        health: Health,
        watch: _Watch,
        *,
        once: bool,
    ) -> None:
        self._meter = meter
        self._transport = transport
        self._publish = publish
        self._health = health
        self._watch = watch
        self._once = once
        self._has_speed = not settings.port.startswith("socket://")
        self._interval = settings.interval.total_seconds()
        self._loop = asyncio.get_running_loop()
        self._turns = current_turns()
        self._due = self._loop.time()
        self._trial_ends = float("inf")  # of this line, as long as nothing whole came
        self._trial_received = 0

    @property
    def doing(self) -> str:
        """What it is at, for a person who waits."""
        speed = f" at {self._transport.line}" if self._has_speed else ""
        return f"waiting for a telegram{speed}; {self._watch.tally}"

    def publish_next(self) -> None:
        """Publish the next telegram whatever the interval."""
        self._due = self._loop.time()

    async def listen(self) -> None:
        """Read until the line is dead.

        Raises NoTelegramError: silence, damage only, or what the garbage on the line is.
        """
        while True:
            look = min(self._watch.deadline, self._next_look())
            received = await self._transport.read_before(look)
            if received:
                now = await self._receive(received)
                if await self._take(now) and self._once:
                    return
            else:
                now = self._loop.time()
                self._judge_silence(now, stalled=now - look > stalls.LATE_SECONDS)
            if now >= look and (text := self._watch.sum_up(now, self._summary_every)):
                _log.warning("%s: %s", self._meter, text)
            if not self._watch.proven:
                await self._look_at_line(now, heard_all=not received)

    async def _receive(self, received: bytes) -> float:
        """Take bytes in when it is this line's turn, and say when that was.

        Where there is time for a part of the telegrams only, it is for the newest one of each line.
        """
        await self._turns.take()
        overloaded = self._turns.overloaded
        if overloaded:
            received += self._transport.take_arrived()
        self._watch.received += len(received)
        self._trial_received += len(received)
        self._feed(received)
        if overloaded and (left_out := self._line_reader.leave_out_older()):
            count_in(self._health, "left_out", left_out)
            self._turns.count(0, left_out)
        return self._loop.time()

    @property
    @abstractmethod
    def _line_reader(self) -> PushReader:
        """What turns bytes into telegrams."""

    @abstractmethod
    def _feed(self, received: bytes) -> None:
        """Give bytes to the reader."""

    @abstractmethod
    async def _take(self, now: float) -> bool:
        """Deal with whatever became complete; True when something was published."""

    # --- telegrams ---

    def _note_damaged(self, error: FrameError) -> None:
        count_in(self._health, "damaged_frames")
        self._watch.note_damaged(error)
        _log.debug("%s: %s", self._meter, error)

    def _is_due(self, due: float, now: float) -> bool:
        # The one that comes next to the time that was due, and not the first behind it.
        return not self._interval or now >= due - self._watch.interval / 2

    def _due_after(self, due: float, now: float) -> float:
        return max(due, now - self._interval) + self._interval

    @property
    def _published_every(self) -> float:
        return max(self._interval, self._watch.usual_interval)

    # --- the line ---

    def _next_look(self) -> float:
        summary = self._watch.next_summary(self._summary_every)
        return summary if self._watch.proven else min(summary, self._trial_ends)

    @property
    def _summary_every(self) -> float:
        return max(SUMMARY, self._interval)

    def _judge_silence(self, now: float, *, stalled: bool) -> None:
        """All that came is read: raise what there is to say when the line is dead."""
        if now >= self._watch.deadline and not (stalled and self._watch.excuse(now)):
            raise self._watch.death(self._line_reader.unrecognised, now)

    async def _look_at_line(self, now: float, *, heard_all: bool) -> None:
        """Nothing whole has come yet: what to do about the line. ``heard_all``: nothing else lies ready."""

    def _begin_trial(self, now: float) -> None:
        self._extend_trial(now)
        self._trial_received = 0

    def _extend_trial(self, now: float) -> None:
        self._trial_ends = now + LINE_TRIAL

    async def _change_line(self, lines: Sequence[LineSettings], what: str) -> None:
        """To the next of these; ``what`` has not come on the one before."""
        before = self._transport.line
        await self._transport.change_line(lines[(lines.index(before) + 1) % len(lines)])
        _log.info("%s: no %s at %s, trying %s", self._meter, what, before, self._transport.line)


class EncryptedPushSession(PushSession[_Watch], Generic[_Watch, _Known]):
    """The same with a meter that may encrypt, and whose line may have to be found out."""

    def __init__(
        self,
        meter: str,
        settings: PushSettings,
        transport: Transport,
        publish: Publish,
        health: Health,
        watch: _Watch,
        known: _Known,
        *,
        once: bool,
    ) -> None:
        super().__init__(meter, settings, transport, publish, health, watch, once=once)
        self._known = known
        self._failures = 0
        self._alert = ""
        self._begin_trial(self._due)

    def _note_healthy(self, now: float, warning: DecryptionError | None) -> None:
        """After a good telegram, which the watch knows of. ``warning``: what the policy let pass."""
        known = self._known
        known.interval = self._watch.interval
        known.line = self._transport.line
        count_reading(self._health, datetime.now(UTC))
        self._turns.count(1, 0)
        self._failures = 0
        if self._alert:
            self._alert = ""
            self._due = now  # the end of an alert is told by a reading: do not let it wait
        if warning is not None and known.complaints.first(warning.detail, now):
            _log.warning("%s: %s", self._meter, warning.detail)

    async def _note_closed(self, error: DecryptionError, now: float) -> None:
        """A frame that does not open: an alert when it is no single accident; listening goes on."""
        count_in(self._health, "damaged_frames")
        self._watch.note_closed(now, error)
        self._failures += 1
        status = closed_alert(self._meter, error, self._failures, self._health)
        if status is None:
            _log.debug("%s: %s", self._meter, error)
            return
        if status["reason"] != self._alert:  # what was told is told once
            self._alert = status["reason"]
            await self._publish(status)
