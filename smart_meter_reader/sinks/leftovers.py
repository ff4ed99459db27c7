"""What an earlier run left at the broker: meters that are gone from the settings, topics that were changed.

Only what the broker still has is told, so that what was cleared stays silent, and nothing is made anew there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from smart_meter_reader.messages import Current, Message
from smart_meter_reader.mqtt.message import Command, MqttMessage

_log = logging.getLogger(__name__)

# More of them no household has: who changes names all day long has the oldest forgotten.
MOST_TREES = 10
MOST_METERS = 500


@dataclass(slots=True)
class Tree:
    """Where a sink published: its topics by key, and the meters, each with the one that carries it or ""."""

    broker: str
    service: str
    topics: dict[str, str]
    meters: dict[str, str] = field(default_factory=dict)

    def is_at(self, other: Tree) -> bool:
        """Whether both are the same place."""
        return (self.broker, self.service, self.topics) == (other.broker, other.service, other.topics)

    def remember(self, message: Message) -> None:
        """Something is published of the meter of a message."""
        name = message["meter"]
        via = message.get("via", "") if message["type"] == "info" else self.meters.get(name, "")
        if len(self.meters) < MOST_METERS or name in self.meters:
            self.meters[name] = via

    def without_gone(self, configured: Iterable[str]) -> dict[str, str]:
        """Take out, and give back, the meters that are in the settings or behind one that is."""
        there = frozenset(configured)
        stay = {name: via for name, via in self.meters.items() if name in there or via in there}
        self.meters = {name: via for name, via in self.meters.items() if name not in stay}
        return stay

    def encode(self) -> dict[str, Any]:
        """As JSON has it."""
        place = {"broker": self.broker, "service": self.service, "topics": self.topics}
        return {**place, "meters": self.meters}


def decode_trees(memory: Mapping[str, Any]) -> list[Tree]:
    """The reverse, of {"trees": [...]}. Raises ValueError for anything that ``encode`` does not give."""
    trees = memory.get("trees", [])
    if not isinstance(trees, list):
        raise ValueError("a list is missing")
    return [_decode(tree) for tree in trees[:MOST_TREES]]


def _decode(tree: Any) -> Tree:
    if not isinstance(tree, dict):
        raise ValueError("a table is missing")
    topics, meters = _texts(tree.get("topics")), _texts(tree.get("meters"))
    broker, service = tree.get("broker"), tree.get("service")
    if not isinstance(broker, str) or not isinstance(service, str) or len(meters) > MOST_METERS:
        raise ValueError("a text is missing")
    if any(not name or set(name) & set("/+#$") for name in meters):
        raise ValueError("a meter's name that is none")
    return Tree(broker, service, topics, meters)


def _texts(content: Any) -> dict[str, str]:
    if not isinstance(content, dict) or not all(isinstance(text, str) for text in content.values()):
        raise ValueError("a table of texts is missing")
    return content


@dataclass(frozen=True, slots=True)
class Leftover:
    """One meter in one tree: where it shows, what says that it is gone, and the command that removes it."""

    tree: Tree
    meter: str
    traces: tuple[str, ...]
    farewell: MqttMessage
    why: str
    command: str
    last_words: tuple[MqttMessage, ...] = ()  # what else is to stand there, where it is still ours:
    owner: str = ""  # then this is in one of the traces; the meter may live on in another environment


class LeftoverPresenter:
    """Looks for leftovers, says of each that it is gone, and tells it."""

    will: MqttMessage | None = None
    watched: tuple[str, ...] = ()

    def __init__(self, sink: str, leftovers: Sequence[Leftover]) -> None:
        self._sink = sink
        self._leftovers = leftovers
        self._by_topic = {topic: each for each in leftovers for topic in each.traces}
        self.subscriptions = tuple(self._by_topic)
        self.commands: Mapping[str, Command] = {}
        self.found: dict[str, bytes] = {}  # what stands there, by topic
        self.connected = asyncio.Event()
        self._told: set[int] = set()

    def present(self, message: Current) -> list[MqttMessage]:
        """No message concerns it."""
        return []

    def announce(self) -> list[MqttMessage]:
        """Of what was found and does not say so, that it is gone."""
        self.connected.set()
        gone = [message for topic in self.found if (message := self._due(topic)) is not None]
        self.found.update((message.topic, message.octets) for message in gone)
        return gone

    def farewell(self) -> list[MqttMessage]:
        """Nothing is there that could leave."""
        return []

    def received(self, topic: str, payload: bytes) -> bool:
        """Take what the broker has retained; whether there is something to say."""
        left = self._by_topic.get(topic)
        if left is None or not payload:
            return False
        if id(left) not in self._told:
            self._told.add(id(left))
            _log.warning(
                "sink %s: the meter %s %s and is still at the broker; remove it with `%s`",
                self._sink,
                left.meter,
                left.why,
                left.command,
            )
        self.found[topic] = payload
        return any(self._due(each) for each in left.traces if each in self.found)

    def cleared(self) -> list[Leftover]:
        """Those of which the broker has nothing any more."""
        return [each for each in self._leftovers if not any(topic in self.found for topic in each.traces)]

    def _due(self, topic: str) -> MqttMessage | None:
        """What is to take the place of what was found there; None when it may stay."""
        left = self._by_topic[topic]
        if topic == left.farewell.topic:
            return left.farewell if self.found[topic] == b"online" else None
        owned = any(left.owner.encode() in self.found.get(each, b"") for each in left.traces)
        words = (each for each in left.last_words if owned and each.topic == topic)
        return next((each for each in words if each.octets != self.found[topic]), None)
