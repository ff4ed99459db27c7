"""Named tasks of the service: begun in its group, ended in their time, and left behind if they do not end."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine

from smart_meter_reader.console import EXIT_OK

_log = logging.getLogger(__name__)


def start_task(
    group: asyncio.TaskGroup, name: str, work: Coroutine[object, object, object]
) -> asyncio.Task[object]:
    """Begin a task by the name under which it is told of."""
    return group.create_task(work, name=name)


async def cancel(tasks: list[asyncio.Task[object]], seconds: float) -> None:
    """Cancel tasks, and wait so long for them; those that do not end are named."""
    for task in tasks:
        task.cancel()
    if tasks:
        _, hanging = await asyncio.wait(tasks, timeout=seconds)
        for task in hanging:
            _log.warning("%s takes long to stop", task.get_name())


def leave() -> None:
    """End the process without what does not stop."""
    _log.error("something does not stop; leaving it behind")
    logging.shutdown()
    os._exit(EXIT_OK)
