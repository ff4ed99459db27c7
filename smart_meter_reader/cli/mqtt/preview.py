"""`mqtt preview`: the messages that the MQTT sinks would publish for one reading, without a broker."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any

import click

from smart_meter_reader.cli import EXIT_OK
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.json_text import dumps_for
from smart_meter_reader.messages import Health, Message, Status
from smart_meter_reader.meters.dummy import DummyClient, DummySettings
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.pipeline.meter_states import NO_TROUBLE
from smart_meter_reader.quantities import QUANTITIES

# What a meter tells whose settings do not name quantities, or only by numbers.
_HEAT = ("heat_energy", "volume", "power", "volume_flow", "flow_temperature", "return_temperature")
_ELECTRICITY = ("active_energy_import", "active_energy_export", "active_power_import", "active_power_export")
_TYPICAL = {"dsmr": (*_ELECTRICITY, "voltage_l1", "current_l1")}

# What a client adds to the line health with its first reading, by kind.
_POLLED: Health = {"retries": 0, "latency_ms": 0, "requests_24h": 1, "wake_ups_24h": 1}
_HEALTH: dict[str, Health] = {"dsmr": {"latency_ms": 0}, "dummy": {}}


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
    from smart_meter_reader.settings.loading import load

    settings = load(environment=environment).settings
    sinks = mqtt_sinks(settings)
    messages = [
        message
        for name, meter in settings.meters.items()
        for message in asyncio.run(_one_reading(name, meter.client, meter.driver))
    ]
    for sink, broker in sinks:
        if not as_json:
            print(f"# sink {sink.name} -> {broker.address}")
        for occasion, told in sink.preview(messages):
            print(_as_json(sink.name, occasion, told) if as_json else _as_text(occasion, told))
    return EXIT_OK


async def _one_reading(name: str, client: str, settings: Any) -> list[Message]:
    """What a meter puts on the queue up to and with its first reading."""
    if not isinstance(settings, DummySettings):
        settings = DummySettings(quantities=_quantities(client, settings))
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
            **_HEALTH.get(client, _POLLED),
            "valid_readings": 1,
            "last_valid": messages[-1]["time"],
        },
    }
    return [messages[0], online, *messages[1:]]


def _quantities(client: str, settings: Any) -> tuple[str, ...]:
    named = tuple(key for key in getattr(settings, "registers", ()) if key in QUANTITIES)
    return named or tuple(key for key in _TYPICAL.get(client, _HEAT) if key in QUANTITIES)


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
