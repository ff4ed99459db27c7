"""The MQTT sinks of an environment, for the `mqtt` commands."""

from __future__ import annotations

import asyncio

from smart_meter_reader.drivers import load
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.mqtt import failures
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.settings.loading import ServiceSettings
from smart_meter_reader.sinks.mqtt_sink import MqttSink
from smart_meter_reader.sinks.registry import sink_driver

CONFIRM_SECONDS = 10.0


def mqtt_sinks(settings: ServiceSettings) -> list[tuple[MqttSink, BrokerSettings]]:
    """The sinks that publish to a broker, not started. Raises SettingsError when there is none."""
    found = [
        (load(sink_driver(sink.sink).sink)(name, sink.driver), sink.driver)
        for name, sink in settings.sinks.items()
        if isinstance(sink.driver, BrokerSettings)
    ]
    if not found:
        mentioned = ", ".join(settings.sinks)
        raise SettingsError([f"[{settings.environment}] has no sink that uses MQTT, only: {mentioned}"])
    return found


async def confirmed(link: Link, broker: BrokerSettings) -> None:
    """Wait until the broker has confirmed what was published, or the link is over.

    Raises SinkError when it takes longer than whoever waits at the screen would.
    """
    try:
        async with asyncio.timeout(CONFIRM_SECONDS):
            await link.drained()
    except TimeoutError:
        raise failures.unacknowledged(broker, len(link.outbox)) from None
