"""The MQTT sinks of an environment, for the `mqtt` commands."""

from __future__ import annotations

from smart_meter_reader.drivers import load_driver
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.settings.loading import ServiceSettings
from smart_meter_reader.sinks.mqtt_sink import MqttSink
from smart_meter_reader.sinks.registry import SINKS


def mqtt_sinks(settings: ServiceSettings) -> list[tuple[MqttSink, BrokerSettings]]:
    """The sinks that publish to a broker, not started. Raises SettingsError when there is none."""
    found = [
        (load_driver(SINKS, sink.sink)(name, sink.driver), sink.driver)
        for name, sink in settings.sinks.items()
        if isinstance(sink.driver, BrokerSettings)
    ]
    if not found:
        mentioned = ", ".join(settings.sinks)
        raise SettingsError([f"[{settings.environment}] has no sink that uses MQTT, only: {mentioned}"])
    return found
