"""What all MQTT sinks share: presenters say what to publish, this runs them over connections."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from smart_meter_reader.messages import Message
from smart_meter_reader.mqtt.connection import Connection
from smart_meter_reader.mqtt.message import MqttMessage, Presenter
from smart_meter_reader.mqtt.outages import Outages
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.rooms import Room, left_out, outcome
from smart_meter_reader.sinks.base import Sink

__all__ = ["MqttMessage", "MqttSink", "Presenter"]

_log = logging.getLogger(__name__)

FAULT_BACKOFF = Backoff(1.0, 60.0)
# Together for all connections of a sink: what waits is delivered, and farewells are acknowledged.
FINISH_SECONDS = 2.0
# A run that takes one reading may not even have connected by then: name lookup, TCP, TLS, CONNECT.
FINISH_ONCE_SECONDS = 12.0
# So many connections are opened at once, each in a thread: a host that is down keeps a thread for seconds.
OPENED_AT_ONCE = 8
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class _Pair:
    presenter: Presenter
    connection: Connection


class MqttSink(Sink, ABC):
    """Base of the MQTT sinks: a presenter on a connection, or one such pair per meter.

    A connection has one will. So a convention that wants a will per meter (Homie) sets ``per_meter``; its
    pairs are made when a meter's first message arrives.
    """

    per_meter: ClassVar[bool] = False

    def __init__(self, name: str, settings: BrokerSettings) -> None:
        self.name = name
        self._settings = settings
        self._stays_available = False
        self._pairs: dict[str, _Pair] = {}
        self._room = Room(f"sink {name}")
        self._jitter = random.Random()  # noqa: S311 - spreads retries, protects nothing
        self._outages = Outages()
        self._turns = asyncio.Semaphore(OPENED_AT_ONCE)

    @abstractmethod
    def presenter(self, meter: str) -> Presenter:
        """A new presenter: of this meter with ``per_meter``, else of all (``meter`` is then "")."""

    @abstractmethod
    def retained_topics(self, meter: str) -> tuple[str, ...]:
        """The topic filters under which everything lies that this sink has retained for a meter."""

    def is_ours(self, meter: str, topic: str, payload: bytes) -> bool:
        """Whether a retained message found under ``retained_topics`` was published by this sink."""
        return True

    def harmless_payload(self, meter: str, topic: str) -> str:
        """What can be published to a topic of a meter that does not exist, for trial, and disturbs nobody."""
        return meter

    @property
    def history_size(self) -> int:
        """How many messages with ``keep`` wait at most while the broker is away."""
        return 0

    @property
    def internal_errors(self) -> int:
        """How often this program failed in a message or a connection."""
        return self._room.errors

    @property
    def delivered(self) -> bool:
        """Whether, after ``run``, the broker has acknowledged everything and refused nothing."""
        return all(pair.connection.delivered for pair in self._pairs.values())

    def stay_available(self) -> None:
        """Leave meters as available at the stop as they are; see ``Sink``."""
        self._stays_available = True

    def share_outages(self, outages: Outages) -> None:
        """Tell failures of the broker together with other sinks; see ``Sink``."""
        self._outages = outages

    async def run(self, messages: AsyncIterator[Message]) -> None:
        """Deliver messages until there are no more, then say farewell, all in bounded time."""
        async with asyncio.TaskGroup() as group:
            tasks = {key: self._start(group, pair) for key, pair in self._pairs.items()}
            if not self.per_meter and not tasks:
                tasks[""] = self._start(group, self._add(""))
            async for message in messages:
                key = self._key(message)
                pair = self._pairs.get(key) or self._add(key)
                if key not in tasks:
                    tasks[key] = self._start(group, pair)
                pair.connection.take(self._presented(pair.presenter, message))
                await pair.connection.room()
            await self._finish(tasks.values())

    def preview(self, messages: Iterable[Message]) -> Iterator[tuple[str, MqttMessage]]:
        """What would be published for these messages, each with its occasion; without a connection."""
        presenters: dict[str, Presenter] = {}
        for message in messages:
            key = self._key(message)
            if key not in presenters:
                presenters[key] = self.presenter(key)
                if will := presenters[key].will:
                    yield "last will", will
                yield from (("connect", told) for told in presenters[key].announce())
            yield from ((message["type"], told) for told in presenters[key].present(message))
        for presenter in presenters.values():
            yield from (("stop", told) for told in presenter.farewell())

    def _key(self, message: Message) -> str:
        return message["meter"] if self.per_meter else ""

    def _add(self, key: str) -> _Pair:
        presenter = self.presenter(key)
        name = f"sink {self.name}, {key}" if key else f"sink {self.name}"
        connection = Connection(
            name,
            self._settings,
            self._client_id(key),
            presenter,
            self.history_size,
            outages=self._outages,
            turns=self._turns,
            room=self._room,
        )
        self._pairs[key] = _Pair(presenter, connection)
        return self._pairs[key]

    def _client_id(self, key: str) -> str:
        """Unique: two clients with one id would throw each other out again and again."""
        parts = [self._settings.client_id or "smart-meter-reader", self.name, key]
        if not self._settings.client_id:
            parts.append(os.urandom(4).hex())
        return "-".join(part for part in parts if part)

    def _presented(self, presenter: Presenter, message: Message) -> list[MqttMessage]:
        return self._room.contain(partial(presenter.present, message), [], left_out(message))

    def _start(self, group: asyncio.TaskGroup, pair: _Pair) -> asyncio.Task[None]:
        return group.create_task(self._keep_up(pair.connection), name=pair.connection.name)

    async def _keep_up(self, connection: Connection) -> None:
        """Run a connection until it has finished; a fault of this program in it costs the others nothing."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            error = await outcome(connection.run, connection.name)
            if error is None:
                return
            self._room.note(error, f"the connection of {connection.name} is made anew")
            if connection.finishing:
                return
            failures = 1 if loop.time() - started > FAULT_BACKOFF.longest else failures + 1
            await asyncio.sleep(FAULT_BACKOFF.wait(failures, self._jitter))

    async def _finish(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        waiting = set(tasks)
        for pair in self._pairs.values():
            pair.connection.finish()
        if waiting:
            seconds = FINISH_ONCE_SECONDS if self._stays_available else FINISH_SECONDS
            _, hanging = await asyncio.wait(waiting, timeout=seconds)
            if hanging:
                names = ", ".join(sorted(task.get_name() for task in hanging)[:_MOST_NAMED])
                more = f" and {len(hanging) - _MOST_NAMED} more" if len(hanging) > _MOST_NAMED else ""
                _log.warning("%s%s: the broker did not take everything in time", names, more)
            for task in hanging:
                task.cancel()
