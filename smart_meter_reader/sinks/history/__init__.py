"""The sink `history`: what the meters have told, for ever, in a file of this computer."""

from __future__ import annotations

from smart_meter_reader.drivers import SinkDriver

DRIVER = SinkDriver(
    sink="smart_meter_reader.sinks.history.sink:HistorySink",
    settings="smart_meter_reader.sinks.history.settings:HistorySettings",
    examine="smart_meter_reader.sinks.history.examination:examine",
    called=(),
    past="`history`",
)
