"""Takes what meters tell into the spool, and keeps it until a writer says that the database has it.

The engine's acknowledgement alone deletes nothing: its servers may lose what they have acknowledged. Trouble
with the servers stays in here, for while it lasts the spool has to take what comes.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

import nats.errors
from nats.aio.msg import Msg

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.fleet.connection import REQUEST_SECONDS, NatsLink, ServersAwayError, linked
from smart_meter_reader.fleet.envelope import letters
from smart_meter_reader.fleet.outbound import Unheard
from smart_meter_reader.fleet.subjects import ask_subject, inbox_prefix, written_subject
from smart_meter_reader.fleet.written import WrittenTold, decode_told, encode_asked
from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import Message
from smart_meter_reader.messages.receipts import SinkReceipts
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.network.cancelled import raise_if_cancelled
from smart_meter_reader.network.outages import Outages
from smart_meter_reader.rooms import Room, explained_error, left_out, outcome
from smart_meter_reader.sinks.base import Sink
from smart_meter_reader.sinks.nats.edge_report import EdgeReport
from smart_meter_reader.sinks.nats.lanes import Lanes, is_past, spool_kind
from smart_meter_reader.sinks.nats.settings import NatsSinkSettings
from smart_meter_reader.sinks.spooled.pasts import SpooledPasts
from smart_meter_reader.spool.entries import Spooled, SpoolEntry
from smart_meter_reader.spool.spool import Spool

_log = logging.getLogger(__name__)

_BACKOFF: Final = Backoff(1.0, 30.0)
_BACKOFF_OF_PERSONS: Final = Backoff(30.0, 600.0)
# Writers tell at once; who was away meanwhile asks.
ASK_SECONDS: Final = 30.0
_LONGEST_ASK_SECONDS: Final = 300.0
_PATIENCE_SECONDS: Final = 15.0
FINISH_SECONDS: Final = 1.5
FINISH_ONCE_SECONDS: Final = 12.0
# Of what waits for the database at most so much may be what meters keep themselves as well.
_PAST_SHARE: Final = 0.8


class NatsSink(Sink):
    """Publishes to JetStream from a spool. See the module."""

    def __init__(self, name: str, settings: NatsSinkSettings) -> None:
        self.name = name
        self._settings = settings
        self._place = f"{settings.tenant}/{settings.site}"
        self._room = Room(f"sink {name}")
        self._unheard = Unheard()
        self._pasts = SpooledPasts(name)
        self._past_ids: dict[int, str] = {}  # by sequence, of rows of a past that are on their way
        path = settings.spool_file(name)
        self._spool = Spool(name, path, settings.spool_limits, self._pasts.lost)
        self._lanes = Lanes(name, settings, self._spool, self._note_published, self._note_lost)
        self._report = EdgeReport(name, settings)
        self._serials: dict[str, str] = {}
        self._states: dict[str, tuple[str, str]] = {}
        self._said = Seldom()
        self._jitter = random.Random()  # noqa: S311 - spreads retries, protects nothing
        self._outages = Outages()
        self._once = False
        self._away = False  # the last attempt to connect has failed
        self._progress = asyncio.Event()

    @property
    def internal_errors(self) -> int:
        return self._room.errors

    @property
    def delivered(self) -> bool:
        # What the engine has and the database not is on the disk, and comes there without us.
        return self._spool.state.depth <= len(self._unheard)

    @property
    def backlog(self) -> tuple[int, int]:
        state = self._spool.state
        return state.depth, state.age_seconds or 0

    @property
    def takes_past(self) -> bool:
        return True

    def share_outages(self, outages: Outages) -> None:
        self._outages = outages

    def take_receipts(self, receipts: SinkReceipts) -> None:
        self._pasts.receipts = receipts

    def stay_available(self) -> None:
        self._once = True

    async def run(self, messages: AsyncIterator[Message]) -> None:
        await self._spool.open()
        try:
            async with asyncio.TaskGroup() as group:
                beside = [
                    group.create_task(self._spool.keep(), name=f"{self.name} spool"),
                    group.create_task(self._stay_linked(), name=f"{self.name} link"),
                ]
                async for message in messages:
                    await self._take(message)
                await self._finish()
                for task in beside:
                    task.cancel()
        finally:
            await self._spool.close()

    async def _take(self, message: Message) -> None:
        if message["type"] == "info":
            self._serials[message["meter"]] = message.get("serial_number", "")
        make = partial(self._entries, message)
        nothing: list[SpoolEntry] = []
        entries = self._room.contain(make, nothing, left_out(message))
        if message["type"] == "past":
            receipt = message.get("receipt", "")
            limits, state = self._settings.spool_limits, self._spool.state
            if state.bytes + sum(each.size for each in entries) > _PAST_SHARE * limits.most_bytes:
                self._pasts.receipts.lose(receipt)
                return
            self._pasts.expect(receipt, [each.id for each in entries])
        await self._spool.add(entries)
        if message["type"] == "past" and not self._settings.spool_after:
            # They are on the disk, which is as good.
            self._pasts.stored([each.id for each in entries])
        self._lanes.wake()

    def _entries(self, message: Message) -> list[SpoolEntry]:
        meter = message["meter"]
        if message["type"] == "status":
            # It comes with every change of a counter as well.
            state = message["state"], message["reason"]
            if self._states.get(meter) == state:
                return []
            self._states[meter] = state
        serial = self._serials.get(meter, "")
        fence = None
        if message["type"] == "reading" or message["type"] == "past":
            fence = message.get("lease_revision")
        return [
            SpoolEntry(each.id, each.time, each.body, spool_kind(each.kind, each.meter, fence))
            for each in letters(message, self._place, serial)
        ]

    def _note_published(self, spooled: Spooled) -> None:
        self._unheard.add(spooled.sequence, time.monotonic())
        if is_past(spooled):
            self._past_ids[spooled.sequence] = spooled.entry.id
        self._progress.set()

    def _note_lost(self, spooled: Spooled) -> None:
        # Of a past: the database will never have it, and nobody is to wait for it.
        self._pasts.stored([spooled.entry.id])
        self._progress.set()

    async def _stay_linked(self) -> None:
        """Connect, and again when that ends, for ever."""
        failures, loop = 0, asyncio.get_running_loop()
        while True:
            started = loop.time()
            error = await outcome(self._session, f"{self.name} session")
            if error is None:
                continue
            backoff = self._tell(error)
            failures = 1 if loop.time() - started > backoff.longest else failures + 1
            del error
            await asyncio.sleep(backoff.wait(failures, self._jitter))

    async def _session(self) -> None:
        settings = self._settings
        options = {"inbox_prefix": inbox_prefix(settings.tenant, settings.site)}
        async with linked(f"sink {self.name}", settings, self._outages, **options) as link:
            self._away = False
            if self._said.forget() and self._outages.connected(settings.party, ""):
                _log.info("sink %s: connected to a NATS server", self.name)
            try:
                await link.client.subscribe(written_subject(settings.tenant, settings.site), cb=self._hear)
            except nats.errors.Error as error:
                raise SinkError("nats_lost", f"the connection to the servers is lost: {error}") from error
            async with asyncio.TaskGroup() as group:
                group.create_task(link.ended())
                group.create_task(self._lanes.send_new(link))
                group.create_task(self._lanes.send_late(link))
                group.create_task(self._ask_for_ever(link))
                group.create_task(self._report.keep_telling(link, self._spool, self._lanes, self._unheard))

    def _tell(self, error: BaseException) -> Backoff:
        self._away = True
        self._progress.set()
        known = explained_error(error, SinkError)
        if known is None:
            self._room.note(error, "it connects again; what is not delivered is kept")
            return _BACKOFF_OF_PERSONS
        now = time.monotonic()
        more = self._said.more(known.reason, now)
        # The first time it may have been said of the leases already.
        news = more is not None
        if more == "" and isinstance(known, ServersAwayError):
            news = self._outages.failed(self._settings.party, known, None, now)
        _log.log(
            logging.WARNING if news else logging.DEBUG, "sink %s: %s%s", self.name, known.detail, more or ""
        )
        return _BACKOFF_OF_PERSONS if isinstance(known, NeedsAPersonError) else _BACKOFF

    async def _hear(self, message: Msg) -> None:
        """A writer tells what the database has."""
        try:
            told = decode_told(message.data)
        except ValueError as error:
            if self._said.again("unreadable", time.monotonic()):
                _log.warning("sink %s: a writer says what makes no sense: %s", self.name, error)
            return
        if told.edge == self._settings.edge:
            self._settle(told)

    def _settle(self, told: WrittenTold) -> None:
        written, refused = self._unheard.take(told)
        self._spool.done(written)
        self._spool.done(refused)
        known = (self._past_ids.pop(each, "") for each in (*written, *refused))
        self._pasts.stored([each for each in known if each])
        if refused and self._said.again("refused", time.monotonic()):
            _log.error(
                "sink %s: the database does not take %d messages of this edge: they are kept in the servers' "
                "stream of dead letters, where the writers say why",
                self.name,
                len(refused),
            )

    async def _ask_for_ever(self, link: NatsLink) -> None:
        pause = ASK_SECONDS
        while True:
            raise_if_cancelled()
            await asyncio.sleep(pause)
            before = len(self._unheard)
            await self._ask(link)
            # A database that is away for days is not asked about twice a minute.
            learned = len(self._unheard) < before or not before
            pause = ASK_SECONDS if learned else min(2 * pause, _LONGEST_ASK_SECONDS)

    async def _ask(self, link: NatsLink) -> None:
        """What was told while nobody listened, and what the engine has lost."""
        settings = self._settings
        asked = self._unheard.question(time.monotonic(), _PATIENCE_SECONDS)
        if not asked or not link.is_up:
            return
        subject = ask_subject(settings.tenant, settings.site)
        try:
            answer = await link.client.request(subject, encode_asked(settings.edge, asked), REQUEST_SECONDS)
            told = decode_told(answer.data)
        except (nats.errors.Error, TimeoutError, OSError, ValueError):
            return  # no writer runs; it is asked again
        lost = self._unheard.lost(asked, told)
        self._settle(told)
        if lost:
            _log.warning(
                "sink %s: the servers have lost %d messages that they had taken; they are published again",
                self.name,
                self._spool.again(lost),
            )
            self._lanes.wake()

    async def _finish(self) -> None:
        """Let what waits go out; what does not make it in time stays in the spool."""
        try:
            async with asyncio.timeout(FINISH_ONCE_SECONDS if self._once else FINISH_SECONDS):
                while not self.delivered and not self._away:
                    self._progress.clear()
                    await self._progress.wait()
        except TimeoutError:
            pass  # told below
        if left := self._spool.state.depth - len(self._unheard):
            kept = "kept for the next start" if self._settings.spool_file(self.name) else "lost"
            _log.warning("sink %s: %d messages are not delivered, and %s", self.name, left, kept)
