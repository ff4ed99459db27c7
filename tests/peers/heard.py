"""What clients publish, kept for a test that waits for it, and clients that run as long as a test does."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from smart_meter_reader.messages import Message, Reading
from smart_meter_reader.meters.base import Client

PATIENCE = 40.0  # seconds until what has to come is given up
BEGINNING = "offline starting"


class Heard:
    """Everything that was published, in order. ``meter`` is whom the questions are about."""

    def __init__(self, meter: str) -> None:
        self.messages: list[Message] = []
        self.log: list[str] = []  # for whoever puts the log's lines here
        self._meter = meter
        self._more = asyncio.Event()

    async def __call__(self, message: Message) -> None:
        self.take(message)

    def take(self, message: Message) -> None:
        self.messages.append(message)
        self._more.set()

    @property
    def readings(self) -> list[Reading]:
        """Of the meter and of those behind it."""
        return [message for message in self.messages if message["type"] == "reading"]

    def of(self, kind: str, meter: str = "") -> list[Any]:
        """The messages of one kind about one meter."""
        meter = meter or self._meter
        return [message for message in self.messages if message["type"] == kind and message["meter"] == meter]

    @property
    def states(self) -> tuple[str, ...]:
        """The states of the meter itself in order, without the one that every meter begins with."""
        states: list[str] = []
        for message in self.of("status"):
            state = f"{message['state']} {message['reason']}".strip()
            if states[-1:] != [state] and state != BEGINNING:
                states.append(state)
        return tuple(states)

    @property
    def counted(self) -> Counter[str]:
        """The counters of the last status."""
        counted: Counter[str] = Counter()
        for message in self.of("status"):
            counted = Counter({key: v for key, v in message.get("health", {}).items() if type(v) is int})
        return counted

    async def until(self, condition: Callable[[], bool], what: str = "condition") -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(
                f"still no {what}: {self.states}, {len(self.readings)} readings, {self.log}"
            ) from None

    async def wait_for(self, count: int, kind: str = "reading", meter: str = "") -> list[Any]:
        """The messages of one kind, once there are so many."""
        await self.until(lambda: len(self.of(kind, meter)) >= count, f"{count} of kind {kind}")
        return self.of(kind, meter)

    async def until_state(self, *states: str) -> None:
        """Wait until these states, in this order, are the last ones."""
        await self.until(lambda: self.states[-len(states) :] == states, f"{states}")

    async def more_readings(self, count: int) -> None:
        """Wait for readings of the meter itself."""
        await self.wait_for(len(self.of("reading")) + count)


@asynccontextmanager
async def running(client: Client) -> AsyncIterator[Heard]:
    """A client alone, without supervisor, until the context ends."""
    heard = Heard(client.meter)
    task = asyncio.create_task(client.run(heard))
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def once(client: Client) -> list[Message]:
    """What a client publishes with one reading."""
    heard = Heard(client.meter)
    await client.run(heard, once=True)
    return heard.messages
