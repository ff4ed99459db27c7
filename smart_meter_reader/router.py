"""The router: central queue -> one bounded queue per sink, in which the meters take turns."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping

from smart_meter_reader.messages import Message
from smart_meter_reader.rooms import Room

_log = logging.getLogger(__name__)

# How often at most a sink's losses are logged; the count of what was lost in between is in the line.
DROP_WARNING_SECONDS = 60.0


class SinkQueue:
    """The bounded queue of one sink, to be iterated by that sink's task.

    Each meter's messages come out in their order, and the meters take turns: what one gives once a day does
    not wait behind another that sends hundreds. A full queue drops at the cost of the meter that has most in
    it: its oldest *reading*, and only where it has none its oldest status, since a sink that missed the
    newest would show a wrong state. Both are counted. Iteration ends after ``close()`` when all that was put
    has been taken.
    """

    def __init__(self, sink: str, size: int) -> None:
        self.sink = sink
        self.dropped = 0
        self.accepted = 0
        self._size = size
        self._length = 0
        self._waiting: dict[str, deque[Message]] = {}  # by meter, the one whose turn it is first; none empty
        self._wake = asyncio.Event()
        self._closed = False
        self._unreported = 0
        self._last_warning = float("-inf")

    def __len__(self) -> int:
        return self._length

    def put(self, message: Message) -> None:
        """Append without waiting; the sink's trouble never reaches the router.

        A closed queue takes nothing: its sink has ended for good.
        """
        if self._closed:
            return
        if self._length >= self._size:
            self._drop_oldest()
        self._waiting.setdefault(message["meter"], deque()).append(message)
        self._length += 1
        self.accepted += 1
        self._wake.set()

    def close(self) -> None:
        """No more messages come; what is queued is still delivered."""
        self._closed = True
        self._wake.set()

    def __aiter__(self) -> SinkQueue:
        return self

    async def __anext__(self) -> Message:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        meter = next(iter(self._waiting))
        messages = self._waiting.pop(meter)
        message = messages.popleft()
        if messages:
            self._waiting[meter] = messages  # behind the others
        self._length -= 1
        return message

    def _drop_oldest(self) -> None:
        """Make room at the cost of the meter that fills the queue: a reading if it has any here.

        Else a status, of which the newer ones stay: what they say is what counts.
        """
        messages = max(self._waiting.values(), key=len)
        kinds = [message["type"] for message in messages]
        kind = next(kind for kind in ("reading", "status", "info") if kind in kinds)
        del messages[kinds.index(kind)]
        if not messages:
            self._waiting = {meter: left for meter, left in self._waiting.items() if left}
        self._length -= 1
        self._count_drop()

    def _count_drop(self) -> None:
        self.dropped += 1
        self._unreported += 1
        now = asyncio.get_running_loop().time()
        if now - self._last_warning >= DROP_WARNING_SECONDS:
            _log.warning(
                "sink %s does not keep up: %d readings dropped (oldest first), %d since the start",
                self.sink,
                self._unreported,
                self.dropped,
            )
            self._last_warning = now
            self._unreported = 0

    def report_remaining_drops(self) -> None:
        """Log the drops that the rate limit has kept back; called once, at the stop."""
        if self._unreported:
            _log.warning("sink %s: %d more readings were dropped", self.sink, self._unreported)
            self._unreported = 0


Filter = Callable[[Message], list[Message]]
Unjudged = Callable[[Message, BaseException], list[Message]]


def held_back(message: Message, error: BaseException) -> list[Message]:
    """What is published of a message on which the guard failed: nothing, and it is logged."""
    Room("guard").note(error, f"a {message['type']} of the meter {message['meter']} is held back")
    return []


async def route(
    central: asyncio.Queue[Message | None],
    queues: Mapping[str, SinkQueue],
    guard: Filter,
    unjudged: Unjudged = held_back,
) -> None:
    """Pass every message from ``central`` through ``guard`` to each sink's queue until None arrives.

    Then all sink queues are closed, so that each sink delivers what it has and ends. ``unjudged`` says what
    is to be published instead of a message on which the guard itself fails: no message ends the routing.
    """
    while (message := await central.get()) is not None:
        try:
            passed = guard(message)
        except BaseException as error:  # noqa: BLE001 - one meter's message must not take the others along
            passed = unjudged(message, error)
        for each in passed:
            for queue in queues.values():
                queue.put(each)
    for queue in queues.values():
        queue.close()
