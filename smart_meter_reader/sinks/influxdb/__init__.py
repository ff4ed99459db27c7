"""The sink `influxdb`: every value as a point in InfluxDB 1, 2 or 3, or in what speaks its line protocol."""

from __future__ import annotations

from smart_meter_reader.drivers import SinkDriver

_ROOM = "smart_meter_reader.sinks.influxdb"

DRIVER = SinkDriver(
    sink=f"{_ROOM}.sink:InfluxDbSink",
    settings=f"{_ROOM}.settings:InfluxDbSettings",
    examine=f"{_ROOM}.examination:examine",
    called=(),
    past="`influxdb`",
)
