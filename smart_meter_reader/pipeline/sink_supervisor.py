"""Runs the sinks, restarts them with backoff, and tells why: the same once an hour."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import Message
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.pipeline.retries import backoff_for
from smart_meter_reader.rooms import Room, explained_error, outcome
from smart_meter_reader.sinks.base import Sink

_log = logging.getLogger(__name__)


class SinkSupervisor:
    """Runs one sink until its queue ends; whatever it raises restarts that sink only."""

    def __init__(self, sink: Sink, messages: AsyncIterator[Message]) -> None:
        self.sink = sink
        self._messages = messages
        self._jitter = random.Random()  # noqa: S311 - spreads retries, protects nothing
        self._room = Room(f"sink {sink.name}")
        self._said = Seldom()
        self.restarts = 0

    @property
    def internal_errors(self) -> int:
        """How often this program failed in it, also where that cost single messages only."""
        return self._room.errors + self.sink.internal_errors

    async def run(self) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            error = await outcome(lambda: self.sink.run(self._messages), self.sink.name)
            if error is None:
                return
            backoff = self._tell(error)
            self.restarts += 1
            # A sink that ran for a while before it failed starts a new row of failures.
            failures = 1 if loop.time() - started > backoff.longest else failures + 1
            del error  # with all that its frames hold
            await asyncio.sleep(backoff.wait(failures, self._jitter))

    def _tell(self, error: BaseException) -> Backoff:
        """Say why the sink ended; how to wait before it is started again."""
        refused = explained_error(error, SinkError)
        if refused is None:
            self._room.note(error, "it is started again, the others go on; what it was at may be lost to it")
            return backoff_for(error)
        more = self._said.more(refused.reason, asyncio.get_running_loop().time())
        level = logging.DEBUG if more is None else logging.WARNING
        _log.log(level, "sink %s: %s%s", self.sink.name, refused.detail, more or "")
        return backoff_for(refused)
