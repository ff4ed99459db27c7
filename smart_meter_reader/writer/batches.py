"""Takes a lane's messages in batches into the database: fetch, one transaction, acknowledge, tell the edges.

A message that the database refuses does not stop the others: each is then tried alone. The engine counts its
deliveries, even those of which a writer died; the limit is ours, since a message that the engine itself gave
up would stay in the stream for good, and nobody would see it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import nats.errors
from nats.aio.msg import Msg
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.fleet.connection import NatsLink
from smart_meter_reader.fleet.streams import Lane
from smart_meter_reader.fleet.subjects import dead_subject, written_subject
from smart_meter_reader.fleet.written import WrittenTold, encode_told, ranges_of
from smart_meter_reader.log import Seldom
from smart_meter_reader.network.cancelled import raise_if_cancelled
from smart_meter_reader.sinks.spooled.destination import SlowError
from smart_meter_reader.writer.arrivals import Arrival, arrival
from smart_meter_reader.writer.database import Database, RefusedRowsError
from smart_meter_reader.writer.figures import LaneFigures
from smart_meter_reader.writer.settings import WriterSettings
from smart_meter_reader.writer.transaction import Edge, Mix

_log = logging.getLogger(__name__)

FETCH_SECONDS: Final = 5.0
# Until they are asked again who refuse at once, hundreds of times a second.
_REFUSED_SECONDS: Final = 1.0
# Until a message that the database has refused comes again.
_AGAIN_SECONDS: Final = 5.0
REASON: Final = "Smr-Reason"
_LONGEST_REASON: Final = 200


class LaneWriter:
    """Writes what one stream holds, until cancelled. Raises SinkError when servers or database are away."""

    def __init__(
        self, lane: Lane, link: NatsLink, database: Database, settings: WriterSettings, figures: LaneFigures
    ) -> None:
        self._lane = lane
        self._link = link
        self._streams: JetStreamContext = link.streams
        self._database = database
        self._settings = settings
        self._figures = figures
        self._said = Seldom()

    async def run(self) -> None:
        lane = self._lane
        try:
            await self._require_consumer()
        except (nats.errors.Error, TimeoutError) as error:
            raise SinkError(
                "stream_unanswered", f"stream {lane.stream}: no answer in time, or no right to ask"
            ) from error
        waiting = await self._streams.pull_subscribe_bind(durable=lane.consumer, stream=lane.stream)
        while True:
            raise_if_cancelled()
            await self._link.up()
            try:
                messages = await waiting.fetch(self._settings.fetch, timeout=FETCH_SECONDS)
            except TimeoutError:
                continue  # nothing came
            except nats.errors.Error:
                await self._look_why()
                continue
            if messages:
                try:
                    await self._write(messages)
                except nats.errors.Error as error:
                    # What is committed and not acknowledged comes again, and changes nothing.
                    raise SinkError("nats_lost", f"the connection to the servers is lost: {error}") from error

    async def _require_consumer(self) -> None:
        """Raises NeedsAPersonError where there is none, and what the library raises where nobody says so."""
        lane = self._lane
        try:
            await self._streams.consumer_info(lane.stream, lane.consumer)
        except NotFoundError as error:
            raise NeedsAPersonError(
                "stream_missing",
                f"the servers have no stream {lane.stream} with a consumer {lane.consumer}: "
                "`smart-meter-reader writer --prepare` makes them, with a key that may",
            ) from error

    async def _look_why(self) -> None:
        """The servers refuse, and at once: they elect a leader, or somebody has removed the stream."""
        await asyncio.sleep(_REFUSED_SECONDS)
        with suppress(nats.errors.Error, TimeoutError):  # it is asked for again
            await self._require_consumer()

    async def _write(self, messages: Sequence[Msg]) -> None:
        begun = time.monotonic()
        good: list[tuple[Msg, Arrival]] = []
        for message in messages:
            try:
                found = arrival(message.subject, message.headers or {}, message.data)
            except ValueError as error:
                await self._bury(message, str(error))
            else:
                good.append((message, found))
        if good:
            await self._write_good(good)
        self._figures.note_batch(time.monotonic() - begun)

    async def _write_good(self, good: Sequence[tuple[Msg, Arrival]]) -> None:
        try:
            await self._commit(good)
        except RefusedRowsError:
            await self._write_each(good)
        except SlowError:
            if len(good) == 1:
                raise
            middle = len(good) // 2
            await self._write_good(good[:middle])
            await self._write_good(good[middle:])

    async def _write_each(self, good: Sequence[tuple[Msg, Arrival]]) -> None:
        """One of them is refused: find out which, and write the others."""
        for message, found in good:
            try:
                await self._commit([(message, found)])
            except RefusedRowsError as error:
                if message.metadata.num_delivered >= self._settings.max_deliver:
                    await self._bury(message, error.detail, found)
                else:
                    self._figures.refused += 1
                    await message.nak(delay=_AGAIN_SECONDS)

    async def _commit(self, good: Sequence[tuple[Msg, Arrival]]) -> None:
        written = await self._database.write([found for _, found in good])
        for message, _ in good:
            # Not waited for: what is not acknowledged comes again, and changes nothing.
            await message.ack()
        self._figures.note_written(len(good), written)
        for mix in written.mixes:
            self._tell_mix(mix)
        await self._tell(written.sequences, {})

    def _tell_mix(self, mix: Mix) -> None:
        if (more := self._said.more(mix.meter, time.monotonic())) is not None:
            tenant, site, meter = mix.meter
            _log.error(
                "two devices tell readings of %s at %s/%s by turns, %s and %s: they mix in the database, "
                "where `device` tells them apart from now on; give one another name, or another site%s",
                meter,
                tenant,
                site,
                mix.one,
                mix.other,
                more,
            )

    async def _tell(
        self, written: Mapping[Edge, Sequence[int]], refused: Mapping[Edge, Sequence[int]]
    ) -> None:
        for tenant, site, edge in {**written, **refused}:
            key = (tenant, site, edge)
            told = WrittenTold(
                edge, tuple(ranges_of(written.get(key, ()))), tuple(ranges_of(refused.get(key, ())))
            )
            await self._link.client.publish(written_subject(tenant, site), encode_told(told))

    async def _bury(self, message: Msg, why: str, found: Arrival | None = None) -> None:
        """Keep it among the dead letters, and take it out of the stream; not the one without the other."""
        told = {**(message.headers or {}), REASON: _for_header(why)}
        # It would be taken for the one that is in the stream already.
        told.pop("Nats-Msg-Id", None)
        try:
            await self._streams.publish(dead_subject(message.subject), message.data, headers=told)
        except (nats.errors.Error, TimeoutError) as error:
            if self._said.again("not buried", time.monotonic()):
                _log.error("the stream of dead letters takes none: %s; what belongs there comes again", error)
            await message.nak(delay=_AGAIN_SECONDS)
            return
        self._figures.dead += 1
        if (more := self._said.more(f"dead {why}"[:80], time.monotonic())) is not None:
            _log.error("dead letter: a message on %s cannot be written: %s%s", message.subject, why, more)
        if found is not None and found.origin.edge is not None and found.origin.sequence is not None:
            edge = found.subject.tenant, found.subject.site, found.origin.edge
            await self._database.refuse({edge: (found.origin.sequence,)})
            await self._tell({}, {edge: (found.origin.sequence,)})
        await message.term()


def _for_header(text: str) -> str:
    """One line of printable ASCII."""
    return "".join(each if " " <= each <= "~" else "?" for each in text)[:_LONGEST_REASON]
