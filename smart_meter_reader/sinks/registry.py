"""The sinks by the name that settings use; each module is imported only when chosen."""

from __future__ import annotations

from collections.abc import Mapping

SINKS: Mapping[str, str] = {
    "home_assistant": "smart_meter_reader.sinks.home_assistant.mqtt:HomeAssistantSink",
    "home_assistant_rest": "smart_meter_reader.sinks.home_assistant.rest:HomeAssistantRestSink",
    "homie": "smart_meter_reader.sinks.homie.sink:HomieSink",
    "mqtt_json": "smart_meter_reader.sinks.mqtt_json:MqttJsonSink",
    "stdout": "smart_meter_reader.sinks.stdout:StdoutSink",
}
