"""What the service still has to read of the meters' own memory, as it was kept last."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from smart_meter_reader.console.checks import Check, ok
from smart_meter_reader.drivers import imported
from smart_meter_reader.files import read_small
from smart_meter_reader.guard.memory import decode, origin_of
from smart_meter_reader.guard.state import SERVICE_STATE, state_path
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.registry import meter_driver
from smart_meter_reader.settings.loading import MeterSettings


def check_filling(subject: str, meter: MeterSettings, environment: str) -> Iterator[Check]:
    """Tells what is missing; nothing where nothing is, or nothing is known. It opens no port."""
    of_service = {"STATE_DIRECTORY": str(SERVICE_STATE / environment)}
    for path in (state_path(environment, os.environ), state_path(environment, of_service)):
        filling = _filling(path, meter) if path is not None else ""
        if filling:
            yield ok(subject, f"filling history from the meter's own memory: {filling}")
            return


def _filling(path: Path, meter: MeterSettings) -> str:
    client: Client = imported(meter_driver(meter.client).client)(meter.name, meter.driver)
    try:
        known = decode(read_small(path)).get(meter.name)
        origin = origin_of(meter.client, meter.driver.reads_from)
        if known is None or not known.is_of(origin, moved=client.memory_moves):
            return ""
        client.recall(known.client)
    except (OSError, ValueError):  # the service tells of a damaged file, and begins without
        return ""
    return client.filling
