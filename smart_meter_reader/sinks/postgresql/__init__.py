"""The sink `postgresql`: every value as a row of one long table in PostgreSQL, or in TimescaleDB."""

from __future__ import annotations

from smart_meter_reader.drivers import SinkDriver

_ROOM = "smart_meter_reader.sinks.postgresql"

DRIVER = SinkDriver(
    sink=f"{_ROOM}.sink:PostgreSqlSink",
    settings=f"{_ROOM}.settings:PostgreSqlSettings",
    examine=f"{_ROOM}.examination:examine",
    called=(),
    past="`postgresql`",
)
