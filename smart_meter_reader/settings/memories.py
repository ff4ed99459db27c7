"""Meters with a memory of their own, and the sinks that take what is read out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from smart_meter_reader.settings.schema import Place

WHO_TAKES_IT: Final = "`history`, `influxdb`, `postgresql`, `nats`, and `mqtt_json` with history = true"


def takes_past(sinks: Mapping[str, Any]) -> bool:
    """Whether one of these sinks takes it. ``sinks``: their settings, by name."""
    return any(settings.takes_past for settings in sinks.values())


def idle_modes(place: Place, meters: Mapping[str, Any], sinks: Mapping[str, Any]) -> Iterator[str]:
    """One line per meter of which little is told, as what it lives on is taken by no sink."""
    if takes_past(sinks):
        return
    for name, settings in meters.items():
        if settings.needs_past:
            yield (
                f'{place / "meters" / name / "mode"}: "log" brings the hours out of the meter\'s memory, and '
                f"no sink here takes them: there is one reading a day; those that do are {WHO_TAKES_IT}"
            )
