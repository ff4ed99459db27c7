"""Answers edges that ask what of their messages the database has, as the database says."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Final

import nats.errors
from nats.aio.msg import Msg

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.fleet.connection import NatsLink
from smart_meter_reader.fleet.streams import LANES
from smart_meter_reader.fleet.subjects import ASKED, WRITERS
from smart_meter_reader.fleet.written import MOST_RANGES, WrittenTold, decode_asked, encode_told
from smart_meter_reader.log import Seldom
from smart_meter_reader.writer.database import Database

_log = logging.getLogger(__name__)

# Whether the streams are worked off is asked of the engine at most so often.
_SETTLED_SECONDS: Final = 5.0


class EdgeQuestions:
    """One writer's part in answering; the engine gives each question to one of them."""

    def __init__(self, link: NatsLink, database: Database) -> None:
        self._link = link
        self._database = database
        self._said = Seldom()
        self._settled = False
        self._looked = float("-inf")

    async def listen(self) -> None:
        """From now on, until the connection is closed."""
        await self._link.client.subscribe(ASKED, queue=WRITERS, cb=self._answer)

    async def _answer(self, message: Msg) -> None:
        try:
            _, _, tenant, site, _ = message.subject.split(".")
            edge, asked = decode_asked(message.data)
            # First whether all is done, then what is: a message that was on its way before is in it.
            settled = await self._is_settled()
            written, refused = await self._database.known((tenant, site, edge), asked)
            if max(len(written), len(refused)) > MOST_RANGES:
                settled = False
            told = WrittenTold(edge, tuple(written[:MOST_RANGES]), tuple(refused[:MOST_RANGES]), settled)
            await message.respond(encode_told(told))
        except SinkError:
            pass  # the edge asks again; the writer tells what the database has
        except (ValueError, nats.errors.Error, TimeoutError) as error:
            if self._said.again(type(error).__name__, time.monotonic()):
                _log.warning("a question on %s stays without an answer: %s", message.subject, error)

    async def _is_settled(self) -> bool:
        """Whether no stream had a message that is not written yet, a few seconds ago at most."""
        now = time.monotonic()
        if now - self._looked > _SETTLED_SECONDS:
            self._looked = now
            self._settled = False
            infos = [await self._link.streams.consumer_info(lane.stream, lane.consumer) for lane in LANES]
            self._settled = not any(_left((info.num_pending, info.num_ack_pending)) for info in infos)
        return self._settled


def _left(counts: Iterable[int | None]) -> bool:
    return any(count is None or count > 0 for count in counts)
