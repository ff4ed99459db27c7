"""Waits for connections to a broker to deliver and say farewell, and leaves behind those that do not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

_log = logging.getLogger("smart_meter_reader.sinks.mqtt_sink")

_MOST_NAMED = 3


async def all_parted(tasks: Iterable[asyncio.Task[None]], seconds: float) -> None:
    """Wait so long for the connections' tasks; then name those that hang, and cancel them."""
    waiting = set(tasks)
    if not waiting:
        return
    _, hanging = await asyncio.wait(waiting, timeout=seconds)
    if hanging:
        names = ", ".join(sorted(task.get_name() for task in hanging)[:_MOST_NAMED])
        more = f" and {len(hanging) - _MOST_NAMED} more" if len(hanging) > _MOST_NAMED else ""
        _log.warning("%s%s: the broker did not take everything in time", names, more)
    for task in hanging:
        task.cancel()
