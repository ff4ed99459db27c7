"""A sink that stores in a database elsewhere: messages into the spool, and from there in batches.

While the database is away messages still leave the queue, so that none is dropped there. Why it is away is
told as the supervisor of sinks would, and it is tried again as seldom.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

from smart_meter_reader.exceptions import LoginRefusedError, NeedsAPersonError, SinkError
from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import Message
from smart_meter_reader.messages.receipts import SinkReceipts
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.rooms import Room, left_out
from smart_meter_reader.sinks.base import Sink
from smart_meter_reader.sinks.spooled.clock import BelievedClock
from smart_meter_reader.sinks.spooled.destination import (
    Destination,
    LaterError,
    SlowError,
    TooLargeError,
)
from smart_meter_reader.sinks.spooled.pasts import SpooledPasts
from smart_meter_reader.sinks.spooled.rows import MessageRows, RowMaker, decode
from smart_meter_reader.sinks.spooled.settings import StoringSettings
from smart_meter_reader.sinks.waiting import set_within
from smart_meter_reader.spool.entries import Spooled
from smart_meter_reader.spool.spool import Spool

_log = logging.getLogger(__name__)

# How many rows go together, and how many entries are looked at for them.
MOST_ROWS = 2000
_MOST_ENTRIES = 200
# Many logins with a wrong password may get our address banned.
_BACKOFF: Mapping[type[SinkError], Backoff] = {
    LoginRefusedError: Backoff(300.0, 900.0),
    NeedsAPersonError: Backoff(5.0, 300.0),
    SinkError: Backoff(1.0, 60.0),
}
# How long the last attempt may take at the stop, which has 2.5 s; of a run for one reading, which has 10 s.
_LAST_SECONDS = 1.5
_LAST_SECONDS_ONCE = 9.0


SINCE = "since"
"""The key in the memory of a sink under which the first reading of each meter stands."""


def since_of(memory: Mapping[str, Any]) -> dict[str, datetime]:
    """The times of the first readings in such a memory. Raises ValueError."""
    told = memory.get(SINCE, {})
    if not isinstance(told, dict):
        raise ValueError(f"{SINCE} is no table")
    found = {str(meter): datetime.fromisoformat(str(time)) for meter, time in told.items()}
    if any(time.tzinfo is None for time in found.values()):
        raise ValueError("a time without its zone")
    return found


class SpooledSink(Sink):
    """The common part of these sinks; ``connected`` is theirs."""

    def __init__(self, name: str, settings: StoringSettings) -> None:
        self.name = name
        self._settings = settings
        self._room = Room(f"sink {name}")
        self._rows = RowMaker(settings.every)
        self._clock = BelievedClock(name, settings.clock)
        self._pasts = SpooledPasts(name)
        self._spool = Spool(name, settings.spool_file(name), settings.spool_limits, self._pasts.lost)
        self._seldom, self._refusals = Seldom(), Seldom()
        self._jitter = random.Random()  # noqa: S311 - spreads retries, protects nothing
        self._stopping = asyncio.Event()
        self._last_seconds = _LAST_SECONDS
        self._most_rows = self._cap = MOST_ROWS
        self._failures = 0
        self._delivered = True
        self._since: dict[str, datetime] = {}  # by meter, of the first reading that was stored
        self.refused = 0
        """How many entries the database did not take whole."""

    @abstractmethod
    def connected(self) -> AbstractAsyncContextManager[Destination]:
        """The database, for as long as it answers. Raises SinkError on entering."""

    @property
    def takes_past(self) -> bool:
        return self._settings.takes_past

    def take_receipts(self, receipts: SinkReceipts) -> None:
        self._pasts.receipts = receipts

    @property
    def internal_errors(self) -> int:
        return self._room.errors

    @property
    def delivered(self) -> bool:
        return self._delivered

    @property
    def backlog(self) -> tuple[int, int]:
        state = self._spool.state
        return state.waiting, state.age_seconds or 0

    @property
    def memory(self) -> Mapping[str, Any]:
        """From when on each meter is stored here: what was before is a matter of `history push`."""
        return {SINCE: {meter: time.isoformat() for meter, time in self._since.items()}}

    def recall(self, memory: Mapping[str, Any], meters: Sequence[str]) -> None:
        self._since = since_of(memory)

    def stay_available(self) -> None:
        """A run for one reading has more time at its end."""
        self._last_seconds = _LAST_SECONDS_ONCE

    async def run(self, messages: AsyncIterator[Message]) -> None:
        self._delivered = False
        self._stopping.clear()
        await self._spool.open()
        try:
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(self._spool.keep(), name=f"{self.name} spool")
                sending = group.create_task(self._send_on(), name=f"{self.name} sends")
                async for message in messages:
                    await self._hear(message)
                self._stopping.set()
                await asyncio.wait([sending], timeout=self._last_seconds)
                sending.cancel()
                keeping.cancel()
        finally:
            await self._spool.close()
        if len(self._clock):
            _log.warning(
                "sink %s: %d messages are lost: the clock was not believed", self.name, len(self._clock)
            )
        left = self._spool.state.depth
        self._delivered = not left and not len(self._clock)
        if left:
            kept = "kept for the next start" if self._settings.spool_file(self.name) else "lost"
            _log.warning("sink %s: %d entries are not delivered, and %s", self.name, left, kept)

    async def _hear(self, message: Message) -> None:
        if message["type"] != "past":
            for each in self._clock.passed(message):
                await self._take(each)
        elif self._clock.is_believed(message["time"]):
            await self._take(message)
        else:  # its times were corrected by our clock
            self._pasts.receipts.lose(message.get("receipt", ""))

    async def _take(self, message: Message) -> None:
        if message["type"] == "reading":
            self._since.setdefault(message["meter"], message["time"])
        entries = self._room.contain(lambda: self._rows.entries(message), None, left_out(message))
        if message["type"] == "past" and "receipt" in message:
            if entries is None:
                self._pasts.receipts.lose(message["receipt"])
            else:
                self._pasts.expect(message["receipt"], [entry.id for entry in entries])
        if entries:
            await self._spool.add(entries)

    async def _send_on(self) -> None:
        """Deliver, and wait between attempts, until there is nothing left at the stop."""
        while True:
            last = self._stopping.is_set()
            try:
                async with self.connected() as destination:
                    while await self._more_comes():
                        while self._spool.state.waiting:
                            await self._send(destination)
                    return
            except SinkError as error:
                pause = self._tell(error)
            if last:
                return
            await set_within(self._stopping, pause)

    async def _more_comes(self) -> bool:
        """Wait until there is something to send, and gather; False when there is nothing at the stop."""
        if not self._spool.state.waiting:
            async with asyncio.TaskGroup() as group:
                waits = [
                    group.create_task(self._spool.ready(), name="waits for entries"),
                    group.create_task(self._stopping.wait(), name="waits for the stop"),
                ]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for each in waits:
                    each.cancel()
        await set_within(self._stopping, self._settings.write_every.total_seconds())
        return bool(self._spool.state.waiting)

    async def _send(self, destination: Destination) -> None:
        chosen, batch = self._batch(await self._spool.oldest(_MOST_ENTRIES))
        if not chosen:
            return
        count = sum(map(len, batch))
        try:
            refused = await destination.store(batch)
        except TooLargeError as error:
            self._cap = self._most_rows = max(1, count // 2)
            if len(chosen) > 1:
                return
            refused = {0: error.detail}
        except SlowError:
            self._most_rows = max(1, count // 2)
            raise
        except SinkError:
            raise
        except Exception as error:  # noqa: BLE001 - one entry that we cannot send must not stop all others
            self._room.note(error, "its entries are sent one by one, and one that fails again is left out")
            self._most_rows = 1
            if len(chosen) > 1:
                return
            refused = {0: "it cannot be sent"}
        self._most_rows = min(self._cap, 2 * self._most_rows)
        self._settle(chosen, refused)
        self._tell_back()

    def _batch(self, found: Sequence[Spooled]) -> tuple[list[Spooled], list[MessageRows]]:
        """The first entries that go together, at least one. What is no entry of ours is told and left out."""
        chosen: list[Spooled] = []
        batch: list[MessageRows] = []
        count = 0
        for each in found:
            try:
                rows = decode(each.entry.body)
            except ValueError as error:
                self._settle([each], {0: f"it is damaged ({error})"})
                continue
            count += len(rows)
            if chosen and count > self._most_rows:
                break
            chosen.append(each)
            batch.append(rows)
        return chosen, batch

    def _settle(self, chosen: Sequence[Spooled], refused: Mapping[int, str]) -> None:
        """These are stored, or never will be, which is told."""
        self._spool.done(each.sequence for each in chosen)
        self._pasts.stored(each.entry.id for each in chosen)
        for place, why in refused.items():
            entry = chosen[place].entry
            self.refused += 1
            if (more := self._refusals.more("refused", time.monotonic())) is not None:
                _log.warning(
                    "sink %s: of what %s told at %s something is refused, and left out for good: %s%s",
                    self.name,
                    entry.kind,
                    entry.time.isoformat(" ", "seconds"),
                    why,
                    more,
                )

    def _tell(self, error: SinkError) -> float:
        """Say why nothing is stored; how long to wait before the next attempt."""
        self._failures += 1
        more = self._seldom.more(error.reason, time.monotonic())
        level = logging.DEBUG if more is None else logging.WARNING
        _log.log(
            level, "sink %s: %s; what is not stored is kept meanwhile%s", self.name, error.detail, more or ""
        )
        if isinstance(error, LaterError):
            return error.seconds
        backoff = next(each for kind, each in _BACKOFF.items() if isinstance(error, kind))
        return backoff.wait(self._failures, self._jitter)

    def _tell_back(self) -> None:
        if self._failures:
            self._failures = 0
            self._seldom.forget()
            waiting = self._spool.state.waiting
            _log.info("sink %s: it is stored again; %d entries wait for their turn", self.name, waiting)
