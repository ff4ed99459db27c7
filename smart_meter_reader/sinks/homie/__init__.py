"""The sink `homie`: each meter is a device of the Homie convention 4.0.0."""

from __future__ import annotations

from smart_meter_reader.drivers import SinkDriver

DRIVER = SinkDriver(
    sink="smart_meter_reader.sinks.homie.sink:HomieSink",
    settings="smart_meter_reader.sinks.homie.sink:HomieSettings",
    examine="smart_meter_reader.mqtt.examination:check_broker",
    called=("openhab",),
    past="",
)
