"""What waits for the broker: a bounded ring of messages of which each one counts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from smart_meter_reader.mqtt.message import MqttMessage


class Ring:
    """First in, first out; when full, the oldest goes and is counted."""

    def __init__(self, size: int) -> None:
        self.dropped = 0
        self._size = size
        self._messages: deque[MqttMessage] = deque()

    def __len__(self) -> int:
        return len(self._messages)

    def append(self, message: MqttMessage) -> None:
        self._messages.append(message)
        self._shorten()

    def give_back(self, messages: Iterable[MqttMessage]) -> None:
        """Put messages that were taken, and not delivered, before the others; oldest first."""
        self._messages.extendleft(reversed(list(messages)))
        self._shorten()

    def take(self) -> MqttMessage:
        return self._messages.popleft()

    def _shorten(self) -> None:
        while len(self._messages) > self._size:
            self._messages.popleft()
            self.dropped += 1
