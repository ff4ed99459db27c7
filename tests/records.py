"""Driver records for tests that need nothing of a driver but its class and its settings."""

from __future__ import annotations

from typing import Any

from smart_meter_reader.drivers import MeterDriver, SinkDriver


def meter_record(client: str, settings: str, **traits: Any) -> MeterDriver:
    """A family without commands; ``traits`` are fields of MeterDriver."""
    nothing: dict[str, Any] = {
        **dict.fromkeys(
            ("listens", "head", "protocol", "decode", "sniff", "unread", "comment", "redact", "loggers"), ""
        ),
        **dict.fromkeys(("called", "asks", "typical", "health"), ()),
        "clock": "",
        "emulators": {},
    }
    return MeterDriver(**{**nothing, "title": "test", "client": client, "settings": settings, **traits})


def sink_record(sink: str, settings: str) -> SinkDriver:
    """A sink that has nothing to be examined."""
    return SinkDriver(sink=sink, settings=settings, examine="", called=(), past="")
