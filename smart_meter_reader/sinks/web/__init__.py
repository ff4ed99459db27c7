"""The sink `web`: a page in the browser, an interface for programs, and what Prometheus reads."""

from __future__ import annotations

from smart_meter_reader.drivers import SinkDriver

DRIVER = SinkDriver(
    sink="smart_meter_reader.sinks.web.sink:WebSink",
    settings="smart_meter_reader.sinks.web.settings:WebSettings",
    examine="smart_meter_reader.sinks.web.examination:examine",
    called=(),
    past="",
)
