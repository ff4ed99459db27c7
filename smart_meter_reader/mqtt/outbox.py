"""Messages between publish and acknowledgement: a window of them on the way, the others in line."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from smart_meter_reader.mqtt.message import MqttMessage

# So many messages are on their way at once, unless the broker allows fewer.
WINDOW = 100
# Whoever can wait does so while more than this are in line; what comes after is kept where it is counted.
ROOM = 1000


class Outbox:
    """Sends in order, at most ``window`` at a time. ``send`` returns the packet identifier."""

    def __init__(self, send: Callable[[MqttMessage], int]) -> None:
        self.window = WINDOW
        self.progress = 0  # acknowledgements so far
        self._send = send
        self._sent: dict[int, MqttMessage] = {}
        self._in_line: deque[MqttMessage] = deque()
        self._empty = asyncio.Event()
        self._empty.set()
        self._room = asyncio.Event()
        self._room.set()
        self._last_progress = time.monotonic()

    def __len__(self) -> int:
        return len(self._sent) + len(self._in_line)

    @property
    def in_line(self) -> int:
        """How many wait for others to be acknowledged first."""
        return len(self._in_line)

    @property
    def messages(self) -> list[MqttMessage]:
        """All without acknowledgement, oldest first."""
        return [*self._sent.values(), *self._in_line]

    @property
    def stalled(self) -> float:
        """Seconds without an acknowledgement while some were awaited."""
        return time.monotonic() - self._last_progress if self._sent else 0.0

    def wait_anew(self) -> None:
        """The time until now does not count as stalled: this process stood still."""
        self._last_progress = time.monotonic()

    def put(self, message: MqttMessage) -> None:
        if not self._sent:
            self._last_progress = time.monotonic()
            self._empty.clear()
        if self._in_line or len(self._sent) >= self.window:
            self._in_line.append(message)
            if len(self._in_line) > ROOM:
                self._room.clear()
        else:
            self._sent[self._send(message)] = message

    def has_sent(self, packet_identifier: int) -> bool:
        """Whether a message of that identifier is on its way."""
        return packet_identifier in self._sent

    def acknowledged(self, packet_identifier: int) -> MqttMessage | None:
        """The message that the broker has taken or refused; the next in line goes on its way.

        None when none of that identifier is on its way.
        """
        message = self._sent.pop(packet_identifier, None)
        if message is None:
            return None
        self.progress += 1
        self._last_progress = time.monotonic()
        if self._in_line:
            following = self._in_line.popleft()
            self._sent[self._send(following)] = following
            if len(self._in_line) <= ROOM:
                self._room.set()
        if not self._sent:
            self._empty.set()
        return message

    def give_up(self) -> None:
        """Whoever waits for the outbox to be empty, or for room in it, waits no longer."""
        self._empty.set()
        self._room.set()

    async def empty(self) -> None:
        await self._empty.wait()

    async def room(self) -> None:
        """Wait while the line is long: the broker, or this computer, does not keep up."""
        await self._room.wait()
