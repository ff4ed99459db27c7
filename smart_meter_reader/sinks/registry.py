"""The sinks by the name that settings use; each is imported only when chosen."""

from __future__ import annotations

from collections.abc import Mapping

from smart_meter_reader.drivers import SinkDriver, imported

SINKS: Mapping[str, str] = {
    "history": "smart_meter_reader.sinks.history:DRIVER",
    "home_assistant": "smart_meter_reader.sinks.home_assistant:MQTT",
    "home_assistant_rest": "smart_meter_reader.sinks.home_assistant:REST",
    "homie": "smart_meter_reader.sinks.homie:DRIVER",
    "influxdb": "smart_meter_reader.sinks.influxdb:DRIVER",
    "mqtt_json": "smart_meter_reader.sinks.mqtt_json:DRIVER",
    "nats": "smart_meter_reader.sinks.nats:DRIVER",
    "postgresql": "smart_meter_reader.sinks.postgresql:DRIVER",
    "stdout": "smart_meter_reader.sinks.stdout:DRIVER",
    "web": "smart_meter_reader.sinks.web:DRIVER",
}


def sink_driver(kind: str) -> SinkDriver:
    """The sink that settings call ``kind``. KeyError when there is none."""
    driver: SinkDriver = imported(SINKS[kind])
    return driver
