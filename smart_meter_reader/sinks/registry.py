"""The sinks by the name that settings use; each is imported only when chosen."""

from __future__ import annotations

from collections.abc import Mapping

from smart_meter_reader.drivers import SinkDriver, load

SINKS: Mapping[str, str] = {
    "home_assistant": "smart_meter_reader.sinks.home_assistant:MQTT",
    "home_assistant_rest": "smart_meter_reader.sinks.home_assistant:REST",
    "homie": "smart_meter_reader.sinks.homie:DRIVER",
    "mqtt_json": "smart_meter_reader.sinks.mqtt_json:DRIVER",
    "stdout": "smart_meter_reader.sinks.stdout:DRIVER",
}


def sink_driver(kind: str) -> SinkDriver:
    """The sink that settings call ``kind``. KeyError when there is none."""
    driver: SinkDriver = load(SINKS[kind])
    return driver
