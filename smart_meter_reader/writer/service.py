"""Runs a writer until it is stopped: connections, lanes, answers, figures; begins anew when one ends."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

import nats.errors

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.fleet.connection import NatsLink, linked
from smart_meter_reader.fleet.streams import LANES, StreamLimits, make_streams
from smart_meter_reader.log import Seldom
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.network.cancelled import raise_if_cancelled
from smart_meter_reader.rooms import Room, explained_error, outcome
from smart_meter_reader.writer.batches import LaneWriter
from smart_meter_reader.writer.database import Database
from smart_meter_reader.writer.figures import Figures
from smart_meter_reader.writer.page import FleetPage
from smart_meter_reader.writer.questions import EdgeQuestions
from smart_meter_reader.writer.settings import WriterSettings

_log = logging.getLogger(__name__)

_BACKOFF: Final = Backoff(0.5, 15.0)
_BACKOFF_OF_PERSONS: Final = Backoff(5.0, 60.0)
LOOK_SECONDS: Final = 5.0
# So many without an answer are no election any more.
_SILENT_LOOKS: Final = 3
# Among a million meters the database has to look for the late ones.
AGES_SECONDS: Final = 15.0


async def prepare(settings: WriterSettings) -> list[str]:
    """Make streams, consumers and tables that are not there; a sentence for each. Raises SinkError."""
    limits = StreamLimits(replicas=settings.replicas, most_bytes=settings.stream_mib << 20)
    async with linked("writer --prepare", settings) as link:
        said = list(await make_streams(link.streams, limits))
    database = Database(settings)
    try:
        await database.open()
        return [*said, *await database.prepare()]
    finally:
        await database.close()


class WriterService:
    """One writer."""

    def __init__(self, settings: WriterSettings, say: Callable[[str], None] = lambda told: None) -> None:
        """``say`` is given a sentence whenever it is another one: how the writer is."""
        self.figures = Figures()
        self._settings = settings
        self._database = Database(settings)
        self._say = say
        self._room = Room("writer")
        self._said = Seldom()
        self._jitter = random.Random()  # noqa: S311 - spreads retries, protects nothing

    async def run(self, stop: Awaitable[object]) -> None:
        """Until ``stop``. Raises NeedsAPersonError when the port of the page is taken."""
        page = FleetPage(self._settings, self._database, self.figures)
        if self._settings.port:
            await page.open()
        try:
            async with asyncio.TaskGroup() as group:
                going = group.create_task(self._keep_going(), name="writer")
                await stop
                going.cancel()
        finally:
            await page.close()

    async def _keep_going(self) -> None:
        failures, loop = 0, asyncio.get_running_loop()
        while True:
            started = loop.time()
            error = await outcome(self._session, "writer session")
            self.figures.connected = False
            if error is None:
                continue
            backoff = self._tell(error)
            failures = 1 if loop.time() - started > backoff.longest else failures + 1
            del error
            await asyncio.sleep(backoff.wait(failures, self._jitter))

    async def _session(self) -> None:
        settings, database = self._settings, self._database
        try:
            await database.open()
            await database.check()
            async with linked("writer", settings) as link:
                questions = EdgeQuestions(link, database)
                await questions.listen()
                async with asyncio.TaskGroup() as group:
                    group.create_task(link.ended())
                    for lane in LANES:
                        figures = self.figures.lane(lane.stream)
                        writer = LaneWriter(lane, link, database, settings, figures)
                        group.create_task(writer.run(), name=f"writer of {lane.stream}")
                    group.create_task(self._look_for_ever(link))
        finally:
            await database.close()

    async def _look_for_ever(self, link: NatsLink) -> None:
        """What the metrics tell of streams and meters; the first look is when all was reached."""
        loop, looked, failures = asyncio.get_running_loop(), float("-inf"), 0
        while True:
            raise_if_cancelled()
            try:
                for lane in LANES:
                    info = await link.streams.consumer_info(lane.stream, lane.consumer)
                    figures = self.figures.lane(lane.stream)
                    figures.lag, figures.unacknowledged = info.num_pending, info.num_ack_pending
            except (nats.errors.Error, TimeoutError):
                for each in self.figures.lanes.values():
                    each.lag = each.unacknowledged = None  # while a leader is elected nobody knows
                failures += 1
                if failures == _SILENT_LOOKS:
                    self.figures.connected = False
                    self._say("the NATS servers do not answer; it goes on as soon as they do")
            else:
                failures = 0
                self._note_reached()
            if loop.time() - looked >= AGES_SECONDS:
                looked = loop.time()
                self.figures.counts = await self._database.counts()
                self.figures.ages = await self._database.ages(self._settings.metrics_of_meters)
            await asyncio.sleep(LOOK_SECONDS)

    def _note_reached(self) -> None:
        if not self.figures.connected:
            self.figures.connected = True
            self._said.forget()
            _log.info("writer: servers and database are reached, %d messages wait", self._waiting)
            self._say("writes what comes")

    @property
    def _waiting(self) -> int:
        return sum(each.lag or 0 for each in self.figures.lanes.values())

    def _tell(self, error: BaseException) -> Backoff:
        known = explained_error(error, SinkError)
        if known is None:
            self._room.note(error, "it connects again; what is not written stays in the streams")
            self._say("it connects again after a fault of this program: see the log")
            return _BACKOFF_OF_PERSONS
        self._say(known.detail)
        more = self._said.more(known.reason, asyncio.get_running_loop().time())
        _log.log(logging.DEBUG if more is None else logging.WARNING, "writer: %s%s", known.detail, more or "")
        return _BACKOFF_OF_PERSONS if isinstance(known, NeedsAPersonError) else _BACKOFF
