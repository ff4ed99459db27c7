"""Publishes from the spool over two lanes: what is new at once, and what is too late for that, oldest first.

Of one meter one message is on its way at a time and lane, so that their order is that in which they came. A
lane that is refused, or not answered, pauses longer and longer: while the servers elect a leader they answer
at once, thousands of times, that there is none.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import nats.errors
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, NoStreamResponseError

from smart_meter_reader.fleet.connection import REQUEST_SECONDS, NatsLink
from smart_meter_reader.fleet.envelope import headers
from smart_meter_reader.fleet.subjects import LetterKind, Subject
from smart_meter_reader.log import Seldom
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.network.cancelled import raise_if_cancelled
from smart_meter_reader.sinks.nats.settings import NatsSinkSettings
from smart_meter_reader.spool.entries import Spooled
from smart_meter_reader.spool.spool import Spool

_log = logging.getLogger(__name__)

# A reading that could not be published for so long goes with the back-log: newer ones do not wait for it.
FRESH_SECONDS: Final = 60.0
BACKOFF: Final = Backoff(0.25, 20.0)
_PAGE: Final = 64
# So many are looked through at once for new ones, behind an outage.
_SCAN: Final = 1000
# JetStream's words for a stream that takes no more (server/errors.json): bytes, messages, of the stream, the
# account or the disk.
_FULL: Final = frozenset({10023, 10047, 10054, 10077, 10122})


class _NeverTakenError(Exception):
    """The engine will never take this message."""


class Lanes:
    """The two lanes of one sink.

    ``published`` is called with each entry that the engine has, ``lost`` with each that it will never take.
    """

    def __init__(
        self,
        name: str,
        settings: NatsSinkSettings,
        spool: Spool,
        published: Callable[[Spooled], None],
        lost: Callable[[Spooled], None],
    ) -> None:
        self.failures = 0
        """How many attempts the engine has not taken."""
        self.given_up = 0
        """How many messages can never be published, and are lost."""
        self.full = False
        """Whether the last attempt was refused because a stream is full."""
        self._name = name
        self._settings = settings
        self._spool = spool
        self._published = published
        self._lost = lost
        self._cursor = 0  # what is above is new; what is below and still waiting belongs to the back-log
        self._new = asyncio.Event()
        self._late = asyncio.Event()
        self._jitter = random.Random()  # noqa: S311 - spreads retries, protects nothing
        self._said = Seldom()

    def wake(self) -> None:
        """Something was put into the spool, or is waiting again."""
        self._new.set()
        self._late.set()

    async def send_new(self, link: NatsLink) -> None:
        """The lane of what is new, until cancelled."""
        streams, failures = link.streams, 0
        while True:
            await link.up()
            self._new.clear()
            found = await self._spool.oldest(_SCAN, after=self._cursor)
            if not found:
                await self._new.wait()
                continue
            fresh = [each for each in found if _is_fresh(each)][:_PAGE]
            looked_at = fresh[-1] if len(fresh) == _PAGE else found[-1]
            refused = await self._send(streams, fresh, late=False)
            # What was refused is tried again, together with what came behind it.
            self._cursor = refused[0] - 1 if refused else looked_at.sequence
            self._late.set()
            failures = await self._pause(failures, refused)

    async def send_late(self, link: NatsLink) -> None:
        """The lane of the back-log and of meters' memories, until cancelled."""
        streams, failures = link.streams, 0
        while True:
            await link.up()
            self._late.clear()
            waiting = await self._spool.oldest(_PAGE)
            page = [each for each in waiting if each.sequence <= self._cursor or is_past(each)]
            if not page:
                await self._late.wait()
                continue
            failures = await self._pause(failures, await self._send(streams, page, late=True))

    async def _pause(self, failures: int, refused: Sequence[int]) -> int:
        if not refused:
            return 0
        await asyncio.sleep(BACKOFF.wait(failures + 1, self._jitter))
        return failures + 1

    async def _send(self, streams: JetStreamContext, page: Sequence[Spooled], *, late: bool) -> list[int]:
        """Publish a page; the sequences that the engine did not take, which wait again."""
        queues: dict[str, list[Spooled]] = {}
        for each in page:
            queues.setdefault(each.entry.kind, []).append(each)
        open_ones = {each.sequence for each in page}
        self._spool.sent(open_ones)
        try:
            async with asyncio.TaskGroup() as group:
                for queue in queues.values():
                    group.create_task(self._send_in_order(streams, queue, open_ones, late=late))
        finally:
            self._spool.again(open_ones)
        return sorted(open_ones)

    async def _send_in_order(
        self, streams: JetStreamContext, queue: Sequence[Spooled], open_ones: set[int], *, late: bool
    ) -> None:
        for spooled in queue:
            raise_if_cancelled()
            try:
                taken = await self._publish(streams, spooled, late=late)
            except _NeverTakenError as error:
                self._give_up(spooled, str(error))
            else:
                if not taken:
                    return
                self._published(spooled)
            open_ones.discard(spooled.sequence)

    async def _publish(self, streams: JetStreamContext, spooled: Spooled, *, late: bool) -> bool:
        """Whether the engine has taken it. Raises _NeverTakenError."""
        settings, entry = self._settings, spooled.entry
        try:
            kind, meter, fence = read_spool_kind(entry.kind)
        except ValueError as error:
            raise _NeverTakenError(str(error)) from error
        kind = "history" if late and kind == "reading" else kind
        subject = Subject(settings.tenant, settings.site, kind, meter)
        told = headers(entry.id, settings.edge, spooled.sequence, fence)
        try:
            await streams.publish(str(subject), entry.body, timeout=REQUEST_SECONDS, headers=told)
        except nats.errors.MaxPayloadError as error:
            size = len(entry.body)
            raise _NeverTakenError(f"{size} bytes are more than the servers take at once") from error
        except (nats.errors.Error, TimeoutError, OSError) as error:
            self._note(error)
            return False
        self.full = False
        return True

    def _give_up(self, spooled: Spooled, why: str) -> None:
        """It will never be taken, and must not hold up those behind it."""
        self.given_up += 1
        self._spool.done([spooled.sequence])
        self._lost(spooled)
        if self._said.again("given up", time.monotonic()):
            _log.error("sink %s: a message is lost: %s; %d since the start", self._name, why, self.given_up)

    def _note(self, error: Exception) -> None:
        self.failures += 1
        self.full = isinstance(error, APIError) and error.err_code in _FULL
        if self.full:
            self._tell("full", "a stream of the servers is full and takes no more: do the writers run?")
        elif isinstance(error, APIError):
            self._tell(f"refused {error.err_code}", f"the servers refuse readings: {error.description}")
        elif isinstance(error, NoStreamResponseError):
            self._tell(
                "no_stream", "no server answers for the streams: they elect a leader, or nobody made any"
            )
        else:
            self._tell("no_answer", "the servers do not answer in time, or let this key publish nothing here")

    def _tell(self, what: str, sentence: str) -> None:
        more = self._said.more(what, time.monotonic())
        if more is not None:
            _log.warning("sink %s: %s; what is not taken is kept%s", self._name, sentence, more)


def spool_kind(kind: LetterKind, meter: str, fence: int | None) -> str:
    """How the spool tells entries apart: what is needed for subject and headers."""
    return f"{kind}.{meter}" if fence is None else f"{kind}.{meter}.{fence}"


def read_spool_kind(text: str) -> tuple[LetterKind, str, int | None]:
    """The same read again. Raises ValueError for what ``spool_kind`` never wrote."""
    parts = text.split(".")
    if len(parts) not in (2, 3):
        raise ValueError(f"the spool has an entry of the kind {text!r:.40}")
    subject = Subject("", "", _kind(parts[0]), parts[1])
    return subject.kind, subject.source, int(parts[2]) if len(parts) == 3 else None


def _kind(word: str) -> LetterKind:
    match word:
        case "reading" | "status" | "info" | "event" | "history":
            return word
    raise ValueError(f"the spool has an entry of the kind {word!r:.40}")


def is_past(spooled: Spooled) -> bool:
    """Whether it is a row of a meter's memory."""
    return spooled.entry.kind.startswith("history.")


def _is_fresh(spooled: Spooled) -> bool:
    age = (datetime.now(UTC) - spooled.entry.time).total_seconds()
    return age < FRESH_SECONDS and not is_past(spooled)
