"""The MQTT sinks of an environment, for the `mqtt` commands."""

from __future__ import annotations

import asyncio

from smart_meter_reader.drivers import imported
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.messages import Reply
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.registry import meter_driver
from smart_meter_reader.mqtt import failures
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.settings.loading import ServiceSettings
from smart_meter_reader.sinks.mqtt_sink import MqttSink
from smart_meter_reader.sinks.registry import sink_driver
from smart_meter_reader.sinks.requests import Requests

CONFIRM_SECONDS = 10.0
# Stands where a meter's name stands, when something is tried. Nothing of it stays retained.
PROBE = "mqtt-test"
READ_BACK_SECONDS = 2.0


def mqtt_sinks(settings: ServiceSettings) -> list[tuple[MqttSink, BrokerSettings]]:
    """The sinks that publish to a broker, not started. Raises SettingsError when there is none."""
    found = [
        (imported(sink_driver(sink.sink).sink)(name, sink.driver), sink.driver)
        for name, sink in settings.sinks.items()
        if isinstance(sink.driver, BrokerSettings)
    ]
    requests = Requests(dict.fromkeys(_readable(settings), lambda: Reply(taken=False)))
    for sink, _ in found:
        sink.take_requests_to(requests)
    if not found:
        mentioned = ", ".join(settings.sinks)
        raise SettingsError([f"[{settings.environment}] has no sink that uses MQTT, only: {mentioned}"])
    return found


def _readable(settings: ServiceSettings) -> list[str]:
    """The meters that answer a request, as the service would have it."""
    clients: list[Client] = [
        imported(meter_driver(meter.client).client)(name, meter.driver)
        for name, meter in settings.meters.items()
    ]
    return [client.meter for client in clients if client.answers_requests]


async def confirmed(link: Link, broker: BrokerSettings) -> None:
    """Wait until the broker has confirmed what was published, or the link is over.

    Raises SinkError when it takes longer than whoever waits at the screen would.
    """
    try:
        async with asyncio.timeout(CONFIRM_SECONDS):
            await link.drained()
    except TimeoutError:
        raise failures.unacknowledged(broker, len(link.outbox)) from None
