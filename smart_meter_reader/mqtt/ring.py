"""What waits for the broker: a bounded ring of messages of which each one counts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from smart_meter_reader.mqtt.message import MqttMessage


class Ring:
    """First in, first out; when full, the topic that has most in it loses its oldest, which is counted.

    So a meter that is read once an hour does not lose its readings to one that sends every second.
    """

    def __init__(self, size: int, lose: Callable[[MqttMessage], object] = lambda message: None) -> None:
        """``lose`` is told of each that is dropped."""
        self.dropped = 0
        self._size = size
        self._lose = lose
        self._length = 0
        self._by_topic: dict[str, deque[tuple[int, MqttMessage]]] = {}  # with their places; none is empty
        self._first = self._last = 0  # the places given so far, at either end

    def __len__(self) -> int:
        return self._length

    def append(self, message: MqttMessage) -> None:
        self._last += 1
        self._by_topic.setdefault(message.topic, deque()).append((self._last, message))
        self._length += 1
        self._shorten()

    def give_back(self, messages: Iterable[MqttMessage]) -> None:
        """Put messages that were taken, and not delivered, before the others; oldest first."""
        for message in reversed(list(messages)):
            self._first -= 1
            self._by_topic.setdefault(message.topic, deque()).appendleft((self._first, message))
            self._length += 1
        self._shorten()

    def take(self) -> MqttMessage:
        return self._oldest_of(min(self._by_topic.values(), key=lambda waiting: waiting[0][0]))

    def _shorten(self) -> None:
        while self._length > self._size:
            self._lose(self._oldest_of(max(self._by_topic.values(), key=len)))
            self.dropped += 1

    def _oldest_of(self, waiting: deque[tuple[int, MqttMessage]]) -> MqttMessage:
        _, message = waiting.popleft()
        if not waiting:
            del self._by_topic[message.topic]
        self._length -= 1
        return message
