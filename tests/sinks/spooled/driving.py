"""A sink that stores elsewhere at work, and the rows that it should have stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from smart_meter_reader.messages import Message, Past, Reading
from smart_meter_reader.sinks.spooled.sink import SpooledSink
from tests.history.homes import reading
from tests.peers.feed import Feed

PATIENCE = 60.0
T0 = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())


class SinkFeed(Feed):
    """The queue of a sink, which can say when all that was put is stored."""

    def __init__(self, sink: SpooledSink) -> None:
        super().__init__()
        self._sink = sink

    async def stored(self) -> None:
        """Wait until the sink has taken everything, and keeps nothing any more."""
        await until(self._queue.empty)
        await asyncio.sleep(0.05)  # what was taken last may not be in the spool yet
        await until(lambda: not self._sink._spool.state.depth)


@asynccontextmanager
async def running(sink: SpooledSink) -> AsyncIterator[SinkFeed]:
    """The sink at work; ended in order."""
    queue = SinkFeed(sink)
    task = asyncio.create_task(sink.run(queue.messages()))
    try:
        yield queue
        queue.end()
        async with asyncio.timeout(PATIENCE):
            await task
    finally:
        task.cancel()


async def until(condition: Callable[[], object], what: object = "") -> None:
    """Wait for something."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)


def readings(begin: int, end: int, meter: str = "heat") -> list[Reading]:
    """A reading each minute, with two values that tell its number."""
    return [
        reading(
            T0 + 60 * number,
            {"heat_energy": (f"{number}.{number:03}", "MWh"), "flow_temperature": (f"{number}.5", "°C")},
            meter,
        )
        for number in range(begin, end)
    ]


def rows_of(messages: Iterable[Message]) -> list[tuple[str, str, str, int, Decimal]]:
    """Meter, quantity, unit, time in ns and value of what these messages told, in order."""
    found = set()
    for message in messages:
        if message["type"] == "reading":
            told = [(message["time"], message["measurements"])]
        elif message["type"] == "past":
            told = [(row["measured_at"], row["measurements"]) for row in message["rows"]]
        else:
            continue
        for time, measurements in told:
            for key, each in measurements.items():
                when = each.get("measured_at", time)
                microseconds = (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
                value = each["value"]
                if not isinstance(value, str):
                    found.add((message["meter"], key, each["unit"], microseconds * 1000, Decimal(value)))
    return sorted(found)


def past(since: int, until: int, receipt: str = "") -> Past:
    """A row each hour before ``T0``, rising by one."""
    return {
        "type": "past",
        "meter": "heat",
        "time": datetime.now(UTC),
        "logger": "hour",
        "receipt": receipt,
        "rows": tuple(
            {
                "measured_at": datetime.fromtimestamp(T0 - 10_000_000 + number * 3600, UTC),
                "measurements": {"heat_energy": {"value": Decimal(number), "unit": "kWh"}},
            }
            for number in range(since, until)
        ),
    }
