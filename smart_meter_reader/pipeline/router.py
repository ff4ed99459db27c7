"""The router: central queue -> one bounded queue per sink, in which the meters take turns."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping

from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import STANDBY, Message
from smart_meter_reader.messages.receipts import NO_RECEIPTS, Receipts
from smart_meter_reader.pipeline.waiting import Ranking, Waiting
from smart_meter_reader.rooms import Room
from smart_meter_reader.sinks.base import Sink

_log = logging.getLogger(__name__)

# How often at most a sink's losses are logged; the count of what was lost in between is in the line.
DROP_WARNING_SECONDS = 60.0
# Of each meter that waits there is room for its newest info, status and reading, whatever the size.
_ALWAYS_ROOM = 3


class SinkQueue:
    """The bounded queue of one sink, to be iterated by that sink's task.

    Each meter's messages come out in their order, and the meters take turns: what one gives once a day does
    not wait behind another that sends hundreds. A full queue drops the oldest message of the meter that has
    most in it; but never the newest status and the newest info of a meter, for a sink that missed them would
    show a wrong state, or a meter without a name. What is dropped is counted by its kind. Iteration ends
    after ``close()`` when all that was put has been taken.

    Only with ``takes_past`` is a ``past`` put into it, only with ``takes_standby`` that a meter is left to
    another machine; ``lose`` is called with the receipt of one that is
    dropped.
    """

    def __init__(
        self,
        sink: str,
        size: int,
        *,
        takes_past: bool = False,
        takes_standby: bool = False,
        lose: Callable[[str], None] = lambda receipt: None,
    ) -> None:
        self.sink = sink
        self.accepted = 0
        self.dropped_by_kind: Counter[str] = Counter()
        self._takes_past = takes_past
        self._takes_standby = takes_standby
        self._lose = lose
        self._size = size
        self._length = 0
        self._waiting: dict[str, Waiting] = {}  # by meter, the one whose turn it is first; none empty
        self._lengths = Ranking()  # of those with more than one; a full queue has such, and most have none
        self._wake = asyncio.Event()
        self._closed = False
        self._unreported: Counter[str] = Counter()
        self._warnings = Seldom(seconds=DROP_WARNING_SECONDS)

    def __len__(self) -> int:
        return self._length

    @property
    def dropped(self) -> int:
        """How many messages were dropped since the start."""
        return self.dropped_by_kind.total()

    def put(self, message: Message) -> None:
        """Append without waiting; the sink's trouble never reaches the router.

        A closed queue takes nothing: its sink has ended for good.
        """
        if message["type"] == "past" and not self._takes_past:
            return
        if message["type"] == "status" and message["reason"] == STANDBY and not self._takes_standby:
            return
        if self._closed:
            self._tell_lost(message)
            return
        meter = message["meter"]
        waiting = self._waiting.get(meter)
        if waiting is None:
            waiting = self._waiting[meter] = Waiting()
        else:
            self._lengths.place(meter, len(waiting) + 1)
        waiting.put(message)
        self._length += 1
        self.accepted += 1
        while self._length > max(self._size, _ALWAYS_ROOM * len(self._waiting)):
            self._drop_one()
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
        waiting = self._waiting.pop(meter)
        message = waiting.take()
        if waiting:
            self._waiting[meter] = waiting  # behind the others
            self._rank(meter, waiting)
        self._length -= 1
        return message

    def _rank(self, meter: str, waiting: Waiting) -> None:
        self._lengths.place(meter, len(waiting) if len(waiting) > 1 else 0)

    def _drop_one(self) -> None:
        """Make room at the cost of the meter that has most: more than the three that it may keep."""
        meter = self._lengths.first
        waiting = self._waiting[meter]
        message = waiting.drop()
        kind = message["type"]
        self._rank(meter, waiting)
        self._length -= 1
        self._tell_lost(message)
        self.dropped_by_kind[kind] += 1
        self._unreported[kind] += 1
        if self._warnings.again("dropped", asyncio.get_running_loop().time()):
            _log.warning(
                "sink %s does not keep up: %s dropped (oldest first), %d since the start",
                self.sink,
                _counted(self._unreported),
                self.dropped,
            )
            self._unreported.clear()

    def _tell_lost(self, message: Message) -> None:
        if message["type"] == "past" and "receipt" in message:
            self._lose(message["receipt"])

    def report_remaining_drops(self) -> None:
        """Log the drops that the rate limit has kept back; called once, at the stop."""
        if self._unreported:
            _log.warning("sink %s: %s were dropped", self.sink, _counted(self._unreported, "more "))
            self._unreported.clear()


def queue_for(sink: Sink, size: int, receipts: Receipts) -> SinkQueue:
    """The queue of a sink, which tells the receipts what it drops of a past."""
    return SinkQueue(
        sink.name,
        size,
        takes_past=sink.takes_past,
        takes_standby=sink.takes_standby,
        lose=receipts.of(sink.name).lose,
    )


_WORDS = {
    "reading": ("reading", "readings"),
    "past": ("window of a meter's memory", "windows of a meter's memory"),
    "status": ("older status", "older statuses"),
    "info": ("older identity", "older identities"),
}


def _counted(counts: Counter[str], more: str = "") -> str:
    words = [
        f"{counts[kind]} {more}{names[counts[kind] != 1]}" for kind, names in _WORDS.items() if counts[kind]
    ]
    return " and ".join(words)


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
    receipts: Receipts = NO_RECEIPTS,
) -> None:
    """Pass every message from ``central`` through ``guard`` to each sink's queue until None arrives.

    Then all sink queues are closed, so that each sink delivers what it has and ends. ``unjudged`` says what
    is to be published instead of a message on which the guard itself fails: no message ends the routing.
    A past that does not pass is lost in ``receipts``: its client may bring it again.
    """
    while (message := await central.get()) is not None:
        try:
            passed = guard(message)
        except BaseException as error:  # noqa: BLE001 - one meter's message must not take the others along
            passed = unjudged(message, error)
        if message["type"] == "past" and not any(each["type"] == "past" for each in passed):
            receipts.lose(message.get("receipt", ""))
        for each in passed:
            for queue in queues.values():
                queue.put(each)
    for queue in queues.values():
        queue.close()
