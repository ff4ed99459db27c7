"""Many edges in one process, by simulation: publishes as the sink `nats` does, until it is acknowledged.

usage: python -m benchmarks.fleet_publisher FOLDER (with edge.json, as fleet_million writes it). Notes each
reading in the journal when the servers have acknowledged it. It has no spool and hears no writer: of what an
edge costs, a real one beside it tells.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import nats
import nats.errors
from nats.js.client import JetStreamContext

from smart_meter_reader.fleet.envelope import Letter, headers, letters
from smart_meter_reader.fleet.subjects import Subject, inbox_prefix
from tests.fleet.fed_edge import reading

MOST_IN_FLIGHT = 500
RETRY_SECONDS = 0.5


def made(told: dict[str, Any]) -> Iterator[Letter]:
    """The readings of all meters in turn; each is of the moment in which it is taken."""
    for number in range(told["readings"]):
        message = reading(f"m{number % told['meters']}", number, datetime.now(UTC))
        yield from letters(message, "tenant-a/site-1", f"s{number % told['meters']}")


async def publish(
    streams: JetStreamContext, letter: Letter, sequence: int, edge: str, journal: TextIO
) -> None:
    """Until it is acknowledged."""
    subject = str(Subject("tenant-a", "site-1", letter.kind, letter.meter))
    told = headers(letter.id, edge, sequence)
    while True:
        try:
            await streams.publish(subject, letter.body, timeout=5, headers=told)
        except (nats.errors.Error, TimeoutError, OSError):
            await asyncio.sleep(RETRY_SECONDS)
        else:
            journal.write(f"{letter.meter} {letter.time:%Y-%m-%dT%H:%M:%S.%f}\n")
            return


async def main(place: Path) -> None:
    told = json.loads((place / "edge.json").read_text())
    urls = [f"nats://{server}" for server in told["servers"]]
    prefix = inbox_prefix("tenant-a", "site-1")
    client = await nats.connect(
        urls, nkeys_seed_str=told["nkey"], inbox_prefix=prefix, max_reconnect_attempts=-1, error_cb=_expected
    )
    streams, free = client.jetstream(), asyncio.Semaphore(MOST_IN_FLIGHT)
    began = time.monotonic()
    with (place / "journal").open("a", buffering=1) as journal:
        async with asyncio.TaskGroup() as group:
            for sequence, letter in enumerate(made(told), 1):
                await free.acquire()
                task = group.create_task(publish(streams, letter, sequence, told["edge"], journal))
                task.add_done_callback(lambda _: free.release())
                await asyncio.sleep(max(0.0, began + sequence / told["rate"] - time.monotonic()))
    await asyncio.Event().wait()


async def _expected(error: Exception) -> None:
    """Servers are restarted; what is not acknowledged is published again."""


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
