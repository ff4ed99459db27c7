"""Does the meter answer, and are its keys there?"""

from __future__ import annotations

import typing
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

from smart_meter_reader.cli.read.one_reading import one_reading
from smart_meter_reader.cli.read.other_meter import other_meter
from smart_meter_reader.console.checks import Check, ok, unavailable, warning
from smart_meter_reader.drivers import imported
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.registry import meter_driver
from smart_meter_reader.settings.keys import setting_values
from smart_meter_reader.settings.loading import LoadedSettings, MeterSettings
from smart_meter_reader.settings.schema import Secret, keys_of


def check_keys(subject: str, meter: MeterSettings, loaded: LoadedSettings) -> Iterator[Check]:
    """Which keys of the meter are set, and where; not what they are. Loading has judged their form."""
    values = setting_values(meter.driver)
    for name, key in keys_of(type(meter.driver)).items():
        if Secret not in (key.annotation, *typing.get_args(key.annotation)):
            continue
        secret = values[name]
        if secret is None or not secret.reveal():
            yield ok(subject, f"no {name} is set; only encrypted telegrams need it")
        else:
            origin = loaded.origins.get(("meters", meter.name, name))
            where = f" in {origin.source}" if origin else ""
            yield ok(subject, f"{name} is set{where}, and of the right form")


async def check_reading(
    subject: str, meter: MeterSettings, patience: float, tell: Callable[[str], None]
) -> AsyncIterator[Check]:
    """Take one reading, as the service would; ``tell`` gets what it is at.

    Where there is none, who else is at the port.
    """
    seen: list[Message] = []

    async def note(message: Message) -> None:
        seen.append(message)

    client: Client = imported(meter_driver(meter.client).client)(meter.name, meter.driver)
    missed = await one_reading(client, note, patience, tell)
    if missed is not None:
        yield unavailable(subject, f"no reading ({missed.error.reason}): {missed.error.by_hand}")
        if meter_driver(meter.client).reads_port:
            said = await other_meter(meter.client, meter.driver.reads_from, missed, tell)
            if said:
                yield warning(subject, said)
    for check in _seen(subject, meter, seen):
        yield check


def _seen(subject: str, meter: MeterSettings, seen: Sequence[Message]) -> Iterator[Check]:
    for message in seen:
        if message["type"] == "info" and message["meter"] == meter.name:
            who = " ".join(filter(None, (message.get("manufacturer", ""), message.get("model", "meter"))))
            number = message.get("serial_number")
            yield ok(subject, f"{who} answers" + (f", serial number {number}" if number else ""))
        elif message["type"] == "reading":
            behind = "" if message["meter"] == meter.name else f" of {message['meter']}"
            count = len(message["measurements"])
            yield ok(subject, f"one reading{behind}: {count} value{'' if count == 1 else 's'}")
