"""For `mqtt preview`: what the service would put on its queue for a reading of one's own meter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from smart_meter_reader.cli.decode.auto import likeliest
from smart_meter_reader.cli.read.one_reading import Missed, one_reading
from smart_meter_reader.cli.read.patience import patience_for
from smart_meter_reader.console.capture import read_capture
from smart_meter_reader.drivers import imported
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.registry import meter_driver, meter_drivers
from smart_meter_reader.meters.replay import build_recorded
from smart_meter_reader.pipeline.supervisor import MeterSupervisor
from smart_meter_reader.recordings.player import Player, load_recording
from smart_meter_reader.recordings.text import MAGIC, Burst, Recording
from smart_meter_reader.settings.loading import MeterSettings
from smart_meter_reader.transport import opening_by

# A telegram without a checksum is published when another one has borne it out.
_TIMES = 3
_BETWEEN = 1000
# The largest capture that is looked at; a telegram has a thousandth of it.
_LARGEST = 16_000_000


async def read_messages(meter: MeterSettings, tell: Callable[[str], None]) -> list[Message] | Missed:
    """What one reading of the meter, at its port, would be on the queue."""
    client: Client = imported(meter_driver(meter.client).client)(meter.name, meter.driver)
    return await _told(client, patience_for(meter.driver, None), tell)


async def captured_messages(
    meter: MeterSettings, file: Path, recording: Recording, tell: Callable[[str], None]
) -> list[Message] | Missed:
    """What the recorded meter would be on the queue, in the place of ``meter``.

    With the settings of ``meter``, if it sends by itself: its channels, names and keys count. One that is
    asked answers what it was asked in the recording.
    """
    driver = meter_driver(meter.client)
    client: Client
    if driver.listens:
        client = imported(driver.client)(meter.name, meter.driver)
    else:
        client = build_recorded(meter.name, recording, file)
    with opening_by(Player(recording, speed=0.0).open):
        return await _told(client, patience_for(meter.driver, None), tell)


def load_capture(file: Path) -> Recording:
    """A recording, or a file with telegrams of a meter that sends by itself, as its own recording.

    Raises click.UsageError, and TransportError for a recording that cannot be used.
    """
    try:
        content = file.read_bytes() if file.stat().st_size <= _LARGEST else b""
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read: {error.strerror}") from None
    if MAGIC.encode() in content:
        return load_recording(file)
    captured = read_capture((str(file),))
    family = likeliest(captured, [driver for driver in meter_drivers().values() if driver.sniff])
    client = next((name for name, driver in meter_drivers().items() if driver is family), "")
    if not client or not meter_driver(client).listens:
        what = f"is {family.title}, whose meters are asked" if family else "is of no protocol that is known"
        raise click.UsageError(
            f"{file} {what}: `smart-meter-reader record` makes a recording that can be previewed"
        )
    bursts = [Burst(number * _BETWEEN, "<", captured) for number in range(_TIMES)]
    return Recording(tuple(bursts), client)


async def _told(client: Client, patience: float, tell: Callable[[str], None]) -> list[Message] | Missed:
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    # It adds the statuses that a reading implies, as in the service.
    missed = await one_reading(client, MeterSupervisor(client, keep).publish, patience, tell)
    return messages if missed is None else missed
