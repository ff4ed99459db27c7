"""What all MQTT sinks share: presenters say what to publish, this runs them over connections."""

from __future__ import annotations

import asyncio
import os
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from smart_meter_reader.console import PROGRAM
from smart_meter_reader.messages import Message, Past
from smart_meter_reader.messages.receipts import SinkReceipts
from smart_meter_reader.mqtt.connection import Connection
from smart_meter_reader.mqtt.message import MqttMessage, Presenter
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.network.outages import Outages
from smart_meter_reader.rooms import Room, left_out, outcome
from smart_meter_reader.sinks.acknowledged import Acknowledged
from smart_meter_reader.sinks.base import Sink
from smart_meter_reader.sinks.leftovers import (
    MOST_TREES,
    Leftover,
    LeftoverPresenter,
    Tree,
    decode_trees,
)
from smart_meter_reader.sinks.parting import all_parted
from smart_meter_reader.sinks.requests import NOTHING_TO_ASK, Requests

__all__ = ["MqttMessage", "MqttSink", "Presenter"]

FAULT_BACKOFF = Backoff(1.0, 60.0)
# Together for all connections of a sink: what waits is delivered, and farewells are acknowledged.
FINISH_SECONDS = 2.0
# A run that takes one reading may not even have connected by then: name lookup, TCP, TLS, CONNECT.
FINISH_ONCE_SECONDS = 12.0
# So many connections are opened at once, each in a thread: a host that is down keeps a thread for seconds.
OPENED_AT_ONCE = 8
# What the broker has retained follows the subscription at once.
LOOK_SECONDS = 5.0


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
        self._requests = NOTHING_TO_ASK
        self._pairs: dict[str, _Pair] = {}
        self._tree = Tree(settings.address, settings.service, dict(settings.topic_trees))
        self._trees: list[Tree] = []  # of earlier runs
        self._leftovers: LeftoverPresenter | None = None
        self._room = Room(f"sink {name}")
        self._jitter = random.Random()  # noqa: S311 - spreads retries, protects nothing
        self._outages = Outages()
        self._acknowledged = Acknowledged(name)
        self._turns = asyncio.Semaphore(OPENED_AT_ONCE)

    @abstractmethod
    def presenter(self, meter: str) -> Presenter:
        """A new presenter: of this meter with ``per_meter``, else of all (``meter`` is then "")."""

    @abstractmethod
    def retained_topics(self, meter: str) -> tuple[str, ...]:
        """The topic filters under which everything lies that this sink has retained for a meter."""

    def former_topics(self, meter: str) -> tuple[str, ...]:
        """Filters of what this sink would have retained for a meter with other settings: cleared as well."""
        return ()

    @property
    def service_topics(self) -> tuple[str, ...]:
        """Where it says of the service itself how it is; the first of them is the availability."""
        return ()

    @abstractmethod
    def gone(self, meter: str) -> MqttMessage:
        """What says that a meter is not there any more, where the broker keeps whether it is."""

    def last_words(self, meter: str) -> tuple[MqttMessage, ...]:
        """What else is to stand of a meter that is gone; each topic is among its ``traces``."""
        return ()

    def traces(self, meter: str) -> tuple[str, ...]:
        """The topics by which it shows that something is retained for a meter."""
        return (self.gone(meter).topic,)

    def is_ours(self, meter: str, topic: str, payload: bytes) -> bool:
        """Whether a retained message found under ``retained_topics`` was published by this sink."""
        return True

    def harmless_payload(self, meter: str, topic: str) -> str:
        """What can be published to a topic of a meter that does not exist, for trial, and disturbs nobody."""
        return meter

    def past(self, past: Past) -> list[MqttMessage]:
        """What a past becomes, on topics that tell no current value: nothing by default."""
        return []

    @property
    def history_size(self) -> int:
        """How many messages with ``keep`` wait at most while the broker is away."""
        return 0

    @property
    def memory(self) -> Mapping[str, Any]:
        """Where it published what, now and before; of that what the broker still had when it was asked."""
        trees = [self._tree, *(each for each in self._trees if each.meters)]
        return {"trees": [tree.encode() for tree in trees[:MOST_TREES]]} if self._tree.meters else {}

    def recall(self, memory: Mapping[str, Any], meters: Sequence[str]) -> None:
        """Look for what earlier runs left at this broker, as soon as it can be reached; see ``Sink``."""
        self._trees = [tree for tree in decode_trees(memory) if tree.broker == self._tree.broker]
        for tree in self._trees:
            if tree.is_at(self._tree):
                self._tree.meters.update(tree.without_gone(meters))
        left = [self._leftover(tree, meter) for tree in self._trees for meter in tree.meters]
        self._leftovers = LeftoverPresenter(self.name, left) if left else None

    def _leftover(self, tree: Tree, meter: str) -> Leftover:
        own = tree.is_at(self._tree)
        changes: dict[str, Any] = {key: tree.topics[key] for key in self._tree.topics if key in tree.topics}
        former = type(self)(self.name, replace(self._settings, service=tree.service, **changes))
        options = [
            f" --{key.replace('_', '-')} {topic}"
            for key, topic in changes.items()
            if topic != self._tree.topics[key]
        ]
        why = "is no longer in the settings" if own else "was published under other topics before"
        command = f"{PROGRAM} mqtt clear {meter} {self._settings.environment}{''.join(options)}"
        # Topics that did not change are in use.
        traces = [topic for topic in former.traces(meter) if own or topic not in self.traces(meter)]
        words = tuple(each for each in former.last_words(meter) if each.topic in traces)
        owner = next(iter(former.service_topics), "")
        return Leftover(tree, meter, tuple(traces), former.gone(meter), why, command, words, owner)

    async def _look_for_leftovers(self, presenter: LeftoverPresenter) -> None:
        """On a connection of its own, for a moment: of most runs there are none."""
        connection = self._connection("leftovers", presenter)
        running = asyncio.ensure_future(self._keep_up(connection))
        try:
            await presenter.connected.wait()
            await asyncio.sleep(LOOK_SECONDS)
            connection.finish()
            await running
        finally:
            running.cancel()
        for left in presenter.cleared():
            del left.tree.meters[left.meter]

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

    def take_requests_to(self, requests: Requests) -> None:
        """Where to ask for readings; see ``Sink``."""
        self._requests = requests

    def take_receipts(self, receipts: SinkReceipts) -> None:
        """Where to confirm a past; see ``Sink``."""
        self._acknowledged.receipts = receipts

    @property
    def readable(self) -> tuple[str, ...]:
        """The meters of which people can ask for a reading through this sink."""
        return self._requests.meters if self._settings.commands else ()

    async def run(self, messages: AsyncIterator[Message]) -> None:
        """Deliver messages until there are no more, then say farewell, all in bounded time."""
        async with asyncio.TaskGroup() as group:
            tasks = {key: self._start(group, pair) for key, pair in self._pairs.items()}
            if not self.per_meter and not tasks:
                tasks[""] = self._start(group, self._add(""))
            looking = (
                group.create_task(self._look_for_leftovers(self._leftovers)) if self._leftovers else None
            )
            self._leftovers = None
            async for message in messages:
                self._tree.remember(message)
                key = self._key(message)
                pair = self._pairs.get(key) or self._add(key)
                if key not in tasks:
                    tasks[key] = self._start(group, pair)
                pair.connection.take(self._presented(pair.presenter, message))
                await pair.connection.room()
            if looking:
                looking.cancel()
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
            yield from ((message["type"], told) for told in self._messages(presenters[key], message))
        for presenter in presenters.values():
            yield from (("stop", told) for told in presenter.farewell())

    def _key(self, message: Message) -> str:
        return message["meter"] if self.per_meter else ""

    def _add(self, key: str) -> _Pair:
        presenter = self.presenter(key)
        self._pairs[key] = _Pair(presenter, self._connection(key, presenter))
        return self._pairs[key]

    def _connection(self, key: str, presenter: Presenter) -> Connection:
        return Connection(
            f"sink {self.name}, {key}" if key else f"sink {self.name}",
            self._settings,
            self._client_id(key),
            presenter,
            self.history_size,
            outages=self._outages,
            turns=self._turns,
            room=self._room,
            ask=self._requests.request_reading,
            settle=self._acknowledged.settle,
        )

    def _client_id(self, key: str) -> str:
        """Unique: two clients with one id would throw each other out again and again."""
        if self._settings.client_id:
            parts = [self._settings.client_id, self._settings.environment, self.name, key]
        else:
            parts = ["smart-meter-reader", self.name, key, os.urandom(4).hex()]
        return "-".join(part for part in parts if part)

    def _presented(self, presenter: Presenter, message: Message) -> list[MqttMessage]:
        return self._room.contain(partial(self._messages, presenter, message), [], left_out(message))

    def _messages(self, presenter: Presenter, message: Message) -> list[MqttMessage]:
        if message["type"] != "past":
            return presenter.present(message)
        told = self.past(message)
        self._acknowledged.expect(message.get("receipt", ""), len(told))
        return told

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
        for pair in self._pairs.values():
            pair.connection.finish()
        await all_parted(tasks, FINISH_ONCE_SECONDS if self._stays_available else FINISH_SECONDS)
