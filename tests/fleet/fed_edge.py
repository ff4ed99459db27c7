"""An edge as a process: the real sink `nats`, fed with readings of many meters; notes what its spool has.

The sink asks for the next message when it has the one before in its spool, so that a line of the journal
stands for a reading that nothing may take any more. It goes on after a kill -9 where the journal ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from smart_meter_reader.log import set_up_logging
from smart_meter_reader.messages import Message, Reading
from smart_meter_reader.settings.schema import Place, parse
from smart_meter_reader.sinks.nats.settings import NatsSinkSettings
from smart_meter_reader.sinks.nats.sink import NatsSink


def reading(meter: str, number: int, time: datetime) -> Reading:
    return {
        "type": "reading",
        "meter": meter,
        "time": time,
        "measurements": {
            "power": {"value": Decimal(number) / 1000, "unit": "kW"},
            "heat_energy": {"value": Decimal(1000 + number), "unit": "kWh"},
        },
    }


class Feed:
    """The messages of all meters in turn, as often as it is told; then it waits for the stop."""

    def __init__(self, place: Path, told: dict[str, Any], stop: asyncio.Event) -> None:
        self._told = told
        self._stop = stop
        path = place / "journal"
        done = path.read_bytes().count(b"\n") if path.exists() else 0
        self._left = told["readings"] - done
        self._number = done
        self._journal = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def messages(self) -> AsyncIterator[Message]:
        while self._left > 0 and not self._stop.is_set():
            meter = f"m{self._number % self._told['meters']}"
            now = datetime.now(UTC) - timedelta(seconds=self._told["age"])
            yield reading(meter, self._number, now)
            os.write(self._journal, f"{meter} {now:%Y-%m-%dT%H:%M:%S.%f}\n".encode())
            self._number += 1
            self._left -= 1
            await asyncio.sleep(self._told["pace"])
        await self._stop.wait()


async def main(place: Path) -> None:
    told = json.loads((place / "edge.json").read_text())
    settings, problems = parse(NatsSinkSettings, told["settings"], Place({}))
    assert settings is not None, problems
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    sink = NatsSink("nats", settings.named("edge"))
    await sink.run(Feed(place, told, stop).messages())


if __name__ == "__main__":
    set_up_logging("INFO")
    asyncio.run(main(Path(sys.argv[1])))
