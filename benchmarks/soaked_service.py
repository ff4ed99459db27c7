"""The service inside a soak run: counts what passes the guard, and tells its size on a pipe.

Run by ``soak`` as a process of its own, in the directory of the settings; the argument is the number of the
pipe's descriptor. One JSON object a line: ``rss`` (kB), ``descriptors``, ``tasks``, ``sent`` (readings that
the clients published), ``passed`` (those that the guard let through), ``rejected`` (single values that it
held back), ``damaged`` (frames that the clients refused), ``dropped`` and ``left`` (by sink), ``messages``
(taken by all sinks).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from smart_meter_reader import app
from smart_meter_reader.cli.settings import load_settings
from smart_meter_reader.log import set_up_logging
from smart_meter_reader.messages import Message
from smart_meter_reader.messages.receipts import Receipts
from smart_meter_reader.pipeline.router import SinkQueue, route

SAMPLE_SECONDS = 5.0


class Counts:
    """What has passed the router, and the queues behind it."""

    def __init__(self) -> None:
        self.readings: Counter[str] = Counter()
        self.queues: dict[str, SinkQueue] = {}

    async def route(
        self,
        central: asyncio.Queue[Message | None],
        queues: dict[str, SinkQueue],
        guard: Callable[[Message], list[Message]],
        unjudged: Callable[[Message, BaseException], list[Message]],
        receipts: Receipts,
    ) -> None:
        """As the router does, with every message counted before and behind the guard."""
        self.queues = queues

        def counted(message: Message) -> list[Message]:
            passed = guard(message)
            self.readings["sent"] += message["type"] == "reading"
            self.readings["passed"] += sum(each["type"] == "reading" for each in passed)
            self.readings["rejected"] += _values(message) - sum(map(_values, passed))
            return passed

        await route(central, queues, counted, unjudged, receipts)

    def sample(self, service: app.Service) -> dict[str, object]:
        """The numbers of this moment."""
        status = Path("/proc/self/status").read_text()
        return {
            "rss": int(status.partition("VmRSS:")[2].split()[0]),
            "descriptors": len(list(Path("/proc/self/fd").iterdir())),
            "tasks": len(asyncio.all_tasks()),
            **self.readings,
            "damaged": sum(meter.client.health.get("damaged_frames", 0) for meter in service.meters),
            "dropped": {name: queue.dropped for name, queue in self.queues.items()},
            "left": {name: len(queue) for name, queue in self.queues.items()},
            "messages": sum(queue.accepted for queue in self.queues.values()),
        }


def _values(message: Message) -> int:
    return len(message["measurements"]) if message["type"] == "reading" else 0


async def run(pipe: int) -> int:
    """Run the environment ``soak`` until SIGTERM."""
    settings = load_settings(environment="soak").settings
    set_up_logging(settings.log_level)
    counts = Counts()
    vars(app)["route"] = counts.route
    service = app.Service(settings)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, service.stop)
    with os.fdopen(pipe, "w", buffering=1) as output:

        async def tell() -> None:
            while True:
                print(json.dumps(counts.sample(service)), file=output)
                await asyncio.sleep(SAMPLE_SECONDS)

        telling = asyncio.create_task(tell())
        code = await service.run()
        telling.cancel()
        print(json.dumps(counts.sample(service)), file=output)
    return code


if __name__ == "__main__":
    sys.exit(asyncio.run(run(int(sys.argv[1]))))
