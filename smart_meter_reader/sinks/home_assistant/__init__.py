"""The sinks for Home Assistant: by MQTT device discovery, or by its REST API where there is no broker."""

from __future__ import annotations

from smart_meter_reader.drivers import SinkDriver

_ROOM = "smart_meter_reader.sinks.home_assistant"

MQTT = SinkDriver(
    sink=f"{_ROOM}.mqtt:HomeAssistantSink",
    settings=f"{_ROOM}.mqtt:HomeAssistantSettings",
    examine="smart_meter_reader.mqtt.examination:check_broker",
    called=("hass",),
    past="",
)
REST = SinkDriver(
    sink=f"{_ROOM}.rest:HomeAssistantRestSink",
    settings=f"{_ROOM}.rest:HomeAssistantRestSettings",
    examine="smart_meter_reader.sinks.home_assistant.examination:check_home_assistant",
    called=(),
    past="",
)
