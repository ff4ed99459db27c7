"""What a client reads in a recording: python -m tests.recordings.recorded NAME.rec writes NAME.json."""

from __future__ import annotations

import asyncio
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.json_text import dumps
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.replay import ReplayClient, ReplaySettings

FOLDER = Path(__file__).parents[1] / "data" / "recordings"
METER = "meter"
# What depends on when and where it is replayed.
_LEFT_OUT = frozenset({"time", "health", "interval"})


async def read_recording(file: Path) -> list[Any]:
    """Every message of the client, without its time; last the reason why it ended early, if it did."""
    found: list[Any] = []

    async def note(message: Message) -> None:
        found.append(
            json.loads(dumps({key: value for key, value in message.items() if key not in _LEFT_OUT}))
        )

    client = ReplayClient(METER, ReplaySettings(file=file, speed=Decimal(0)))
    try:
        async with asyncio.timeout(120):
            await client.run(note)
    except ExplainedError as error:
        found.append({"ended": error.reason})
    return found


def expected_file(recording: Path) -> Path:
    """Where the expected messages of a recording stand."""
    return recording.with_suffix(".json")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        recording = FOLDER / name
        messages = asyncio.run(read_recording(recording))
        expected_file(recording).write_text(json.dumps(messages, indent=1, ensure_ascii=False) + "\n")
