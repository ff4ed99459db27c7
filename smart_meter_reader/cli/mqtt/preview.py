"""`mqtt preview`: the messages that the MQTT sinks would publish for one reading, without a broker."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import cast

import click

from smart_meter_reader.console import EXIT_OK
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.drivers import MeterDriver
from smart_meter_reader.json_text import dumps_for
from smart_meter_reader.messages import Health, Message, Status
from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.meters.dummy import DummyClient, DummySettings
from smart_meter_reader.meters.registry import meter_driver
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.pipeline.meter_states import NO_TROUBLE


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def preview(environment: str | None, as_json: bool) -> int:
    """Print what the MQTT sinks of ENV would publish for one reading of each meter.

    Exactly the messages, with topic, payload, QoS and retain flag: the last will, what is said after the
    connect, one reading of every meter, and what is said at the stop. Touches no meter and no broker: the
    quantities are those of the settings as far as they name any, the values those of the dummy meter.
    """
    from smart_meter_reader.cli.mqtt.sinks import mqtt_sinks
    from smart_meter_reader.cli.settings import load_settings

    settings = load_settings(environment=environment).settings
    sinks = mqtt_sinks(settings)
    messages = [
        message
        for name, meter in settings.meters.items()
        for message in asyncio.run(_one_reading(name, meter_driver(meter.client), meter.driver))
    ]
    for sink, broker in sinks:
        if not as_json:
            print(f"# sink {sink.name} -> {broker.address}")
        for occasion, told in sink.preview(messages):
            print(_as_json(sink.name, occasion, told) if as_json else _as_text(occasion, told))
    return EXIT_OK


async def _one_reading(name: str, driver: MeterDriver, settings: ClientSettings) -> list[Message]:
    """What a meter puts on the queue up to and with its first reading."""
    if not isinstance(settings, DummySettings):
        settings = DummySettings(quantities=settings.named_quantities or driver.typical)
    messages: list[Message] = []

    async def publish(message: Message) -> None:
        messages.append(message)

    await DummyClient(name, settings).run(publish, once=True)
    online: Status = {
        "type": "status",
        "meter": name,
        "time": datetime.now(UTC),
        "state": "online",
        "reason": "",
        "detail": "readings arrive",
        "health": {
            **NO_TROUBLE,
            **_health(driver),
            "valid_readings": 1,
            "last_valid": messages[-1]["time"],
        },
    }
    return [messages[0], online, *messages[1:]]


def _health(driver: MeterDriver) -> Health:
    """What a client adds to the line health with its first reading: it has sent one request, if any."""
    told = {key: int(key.endswith("_24h")) for key in driver.health}
    return cast(Health, told)


def _as_text(occasion: str, message: MqttMessage) -> str:
    retain = "retain" if message.retain else ""
    return f"{occasion:<9} QoS {message.qos} {retain:<6} {message.topic} {_payload(message)}"


def _as_json(sink: str, occasion: str, message: MqttMessage) -> str:
    return dumps_for(
        sys.stdout,
        {
            "sink": sink,
            "occasion": occasion,
            "topic": message.topic,
            "payload": _payload(message),
            "qos": message.qos,
            "retain": message.retain,
        },
    )


def _payload(message: MqttMessage) -> str:
    return message.payload if isinstance(message.payload, str) else message.payload.decode()
