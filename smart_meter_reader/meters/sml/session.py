"""One open connection to a head: reads, publishes, sums up what is lost, gives up a dead line."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from smart_meter_reader.codecs.sml.frame import FrameReader, SmlFrame
from smart_meter_reader.codecs.sml.measure import ToldValues
from smart_meter_reader.codecs.sml.telegram import ValueList
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import Health, Publish
from smart_meter_reader.meters.base import count_reading
from smart_meter_reader.meters.sml.heard import HeardMeters
from smart_meter_reader.meters.sml.settings import SmlSettings
from smart_meter_reader.meters.sml.watch import SmlWatch
from smart_meter_reader.meters.turns import current_turns
from smart_meter_reader.network import stalls
from smart_meter_reader.transport import Transport

_log = logging.getLogger(__name__)

# One summary of damaged telegrams in this time, however short the interval.
_SUMMARY = 60.0
_TOLD_IN_AN_HOUR = 100


class SmlSession:
    """Listens on ``transport`` and counts into ``health``; with ``once`` until something was published."""

    def __init__(
        self,
        settings: SmlSettings,
        transport: Transport,
        publish: Publish,
        health: Health,
        heard: HeardMeters,
        *,
        once: bool = False,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._publish = publish
        self._health = health
        self._heard = heard
        self._once = once
        self._meter = heard.meter
        self._loop = asyncio.get_running_loop()
        self._turns = current_turns()
        now = self._loop.time()
        timeout = None if settings.timeout is None else settings.timeout.total_seconds()
        self._watch = SmlWatch(settings.port, now, timeout, for_one=once)
        self._reader = FrameReader()
        self._told_checksum = False
        self._complaints = Seldom(different=_TOLD_IN_AN_HOUR)
        self._interval = settings.interval.total_seconds()
        self._due: dict[str, float] = {}
        heard.begin()

    @property
    def doing(self) -> str:
        """What it is at, for a person who waits."""
        speed = "" if self._settings.port.startswith("socket://") else f" at {self._transport.line}"
        return f"waiting for a telegram{speed}; {self._watch.tally}"

    async def listen(self) -> None:
        """Read until the line is dead.

        Raises NoTelegramError: silence, damage only, or what the garbage on the line is.
        """
        while True:
            look = min(self._watch.deadline, self._watch.next_summary(self._summary_every))
            received = await self._transport.read_before(look)
            now = self._loop.time()
            if received:
                now = await self._receive(received)
                if await self._take(now) and self._once:
                    return
            elif now >= self._watch.deadline:
                stalled = now - look > stalls.LATE_SECONDS
                if not (stalled and self._watch.excuse(now)):
                    raise self._watch.death(self._reader.unrecognised, now)
            if text := self._watch.sum_up(now, self._summary_every):
                _log.warning("%s: %s", self._meter, text)

    def publish_next(self) -> None:
        """Publish the next telegram of each meter whatever the interval."""
        self._due.clear()

    async def _receive(self, received: bytes) -> float:
        """Take bytes in when it is this line's turn, and say when that was.

        Where there is time for a part of the telegrams only, it is for the newest ones of each line.
        """
        await self._turns.take()
        overloaded = self._turns.overloaded
        if overloaded:
            received += self._transport.take_arrived()
        self._watch.received += len(received)
        self._reader.receive_data(received)
        if overloaded and (left_out := self._reader.leave_out_older()):
            self._health["left_out"] = self._health.get("left_out", 0) + left_out
            self._turns.count(0, left_out)
        return self._loop.time()

    async def _take(self, now: float) -> bool:
        """Deal with whatever became complete; True when something was published."""
        newest: dict[str, tuple[ValueList, ToldValues]] = {}
        published = False
        while True:
            try:
                frame = self._reader.next_frame()
            except FrameError as error:
                self._health["damaged_frames"] = self._health.get("damaged_frames", 0) + 1
                self._watch.note_damaged(error)
                _log.debug("%s: %s", self._meter, error)
                continue
            if frame is None:
                break
            for name, values, told in self._good(frame, now):
                if self._interval:
                    newest[name] = values, told
                else:
                    await self._publish_one(values, told)
                    published = True
        for name, (values, told) in newest.items():
            due = self._due.get(name, now)
            if now >= due - self._watch.interval / 2:
                await self._publish_one(values, told)
                self._due[name] = max(due, now - self._interval) + self._interval
                published = True
        return published

    def _good(self, frame: SmlFrame, now: float) -> list[tuple[str, ValueList, ToldValues]]:
        """What the meters that are read say in a frame, each with its name."""
        self._watch.note_good(now)
        self._turns.count(1, 0)
        if frame.checksum == "kermit" and not self._told_checksum:
            self._told_checksum = True
            _log.info("%s: its checksum is CRC-16/Kermit, as Holley's of some firmware", self._meter)
        found = []
        for message in frame.messages:
            values = message.values
            if values is None or (read := self._heard.read(values)) is None:
                continue
            count_reading(self._health, datetime.now(UTC))
            self._complain(values, read[1], now)
            found.append((read[0], values, read[1]))
        self._tell_news()
        return found

    def _complain(self, values: ValueList, told: ToldValues, now: float) -> None:
        for code in values.unread:
            if self._complaints.first(code, now):
                _log.info("%s: %s has no value that makes sense and is left out", self._meter, code)
        for quantity in told.corrected:
            if self._complaints.first(f"corrected {quantity}", now):
                _log.info(
                    "%s: this meter's firmware tags its power as signed though it is not: %s is corrected "
                    "while the export total stands",
                    self._meter,
                    quantity,
                )

    async def _publish_one(self, values: ValueList, told: ToldValues) -> None:
        interval = max(self._interval, self._watch.usual_interval)
        time = datetime.now(UTC)
        for message in self._heard.messages(values, told, time, interval, self._health):
            await self._publish(message)
        self._tell_news()

    def _tell_news(self) -> None:
        for sentence in self._heard.take_news():
            _log.info("%s: %s", self._meter, sentence)

    @property
    def _summary_every(self) -> float:
        return max(_SUMMARY, self._interval)
