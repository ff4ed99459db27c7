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
from smart_meter_reader.meters.push.known import TOLD_IN_AN_HOUR
from smart_meter_reader.meters.push.session import PushSession
from smart_meter_reader.meters.sml.heard import HeardMeters
from smart_meter_reader.meters.sml.settings import SmlSettings
from smart_meter_reader.meters.sml.watch import SmlWatch
from smart_meter_reader.transport import Transport

_log = logging.getLogger(__name__)


class SmlSession(PushSession[SmlWatch]):
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
        opened = asyncio.get_running_loop().time()
        watch = SmlWatch(settings.port, opened, settings.patience, wanted=settings.wanted, for_one=once)
        super().__init__(heard.meter, settings, transport, publish, health, watch, once=once)
        self._heard = heard
        self._reader = FrameReader()
        self._told_checksum = False
        self._complaints = Seldom(different=TOLD_IN_AN_HOUR)
        self._due_by_name: dict[str, float] = {}
        heard.begin()

    def publish_next(self) -> None:
        """Publish the next telegram of each meter whatever the interval."""
        self._due_by_name.clear()

    @property
    def _line_reader(self) -> FrameReader:
        return self._reader

    def _feed(self, received: bytes) -> None:
        self._reader.receive_data(received)

    async def _take(self, now: float) -> bool:
        """Deal with whatever became complete; True when something was published."""
        newest: dict[str, tuple[ValueList, ToldValues]] = {}
        published = False
        while True:
            try:
                frame = self._reader.next_frame()
            except FrameError as error:
                self._note_damaged(error)
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
            due = self._due_by_name.get(name, now)
            if self._is_due(due, now):
                await self._publish_one(values, told)
                self._due_by_name[name] = self._due_after(due, now)
                published = True
        return published

    def _good(self, frame: SmlFrame, now: float) -> list[tuple[str, ValueList, ToldValues]]:
        """What the meters that are read say in a frame, each with its name."""
        self._turns.count(1, 0)
        if frame.checksum == "kermit" and not self._told_checksum:
            self._told_checksum = True
            _log.info("%s: its checksum is CRC-16/Kermit, as Holley's of some firmware", self._meter)
        found = []
        stranger = ""
        for message in frame.messages:
            values = message.values
            if values is None:
                continue
            read = self._heard.read(values)
            if read is None:
                stranger = self._heard.stranger or stranger
                continue
            count_reading(self._health, datetime.now(UTC))
            self._complain(values, read[1], now)
            found.append((read[0], values, read[1]))
        if stranger and not found:
            self._watch.note_stranger(stranger)
        else:
            self._watch.note_good(now)
        self._tell_news()
        return found

    def _complain(self, values: ValueList, told: ToldValues, now: float) -> None:
        for code in values.unread:
            if self._complaints.first(code, now):
                _log.info("%s: %s has no value that makes sense and is left out", self._meter, code)
        for reason in told.contradictory:
            if self._complaints.first(reason, now):
                _log.info(
                    "%s: %s, which makes no sense beside its export, and is left out", self._meter, reason
                )
        for quantity in told.corrected:
            if self._complaints.first(f"corrected {quantity}", now):
                _log.info(
                    "%s: this meter's firmware tags its power as signed though it is not: %s is corrected "
                    "while the export total stands",
                    self._meter,
                    quantity,
                )

    async def _publish_one(self, values: ValueList, told: ToldValues) -> None:
        time = datetime.now(UTC)
        for message in self._heard.messages(values, told, time, self._published_every, self._health):
            await self._publish(message)
        self._tell_news()

    def _tell_news(self) -> None:
        for sentence in self._heard.take_news():
            _log.info("%s: %s", self._meter, sentence)
