"""Meters with a memory of their own, and the sinks that take what is read out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from smart_meter_reader.drivers import imported
from smart_meter_reader.settings.schema import Place


def who_takes_past(registry: Mapping[str, str]) -> str:
    """The sinks that take it, as a list for a sentence."""
    *others, last = (past for path in registry.values() if (past := imported(path).past))
    return f"{', '.join(others)} and {last}" if others else last


def takes_past(sinks: Mapping[str, Any]) -> bool:
    """Whether one of these sinks takes it. ``sinks``: their settings, by name."""
    return any(settings.takes_past for settings in sinks.values())


def idle_modes(
    place: Place, meters: Mapping[str, Any], sinks: Mapping[str, Any], registry: Mapping[str, str]
) -> Iterator[str]:
    """One line per meter of which little is told, as what it lives on is taken by no sink."""
    if takes_past(sinks):
        return
    for name, settings in meters.items():
        if settings.needs_past:
            yield (
                f'{place / "meters" / name / "mode"}: "log" brings the hours out of the meter\'s memory, and '
                "no sink here takes them: there is one reading a day; those that do are "
                f"{who_takes_past(registry)}"
            )
