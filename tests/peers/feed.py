"""What stands in for the router before a sink, and waiting for what it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from smart_meter_reader.messages import Message
from tests.peers.mosquitto import PATIENCE


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds; fail when it does not for long."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


class Feed:
    """The queue of a sink: ``put`` messages, ``end`` it as the router does when the service stops."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue()

    def put(self, *messages: Message) -> None:
        for message in messages:
            self._queue.put_nowait(message)

    def end(self) -> None:
        self._queue.put_nowait(None)

    async def messages(self) -> AsyncIterator[Message]:
        while (message := await self._queue.get()) is not None:
            yield message
