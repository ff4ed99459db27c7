"""The effective settings as text like settings.toml, with the source of each key; secrets hidden."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from smart_meter_reader.settings.durations import format_duration
from smart_meter_reader.settings.loading import LoadedSettings, MeterSettings, SinkSettings
from smart_meter_reader.settings.schema import Origin, Secret
from smart_meter_reader.settings.values import is_table, shown

_COMMENT_COLUMN = 48
_Path = tuple[str, ...]


def settings_text(loaded: LoadedSettings) -> str:
    """Every key of the environment, also those at their default, one a line."""
    settings = loaded.settings
    lines = [f"# environment {settings.environment}"]
    common: dict[str, Any] = {"log_level": settings.log_level, "queue_size": settings.queue_size}
    lines += _table_lines((), common, loaded.origins)
    for name, meter in settings.meters.items():
        lines += _table_lines(("meters", name), _with_chooser("client", meter), loaded.origins)
        # The guard has many keys that few touch: only what is set.
        guard = {
            key: value
            for key, value in _as_table(meter.guard).items()
            if ("meters", name, "guard", key) in loaded.origins
        }
        lines += _table_lines(("meters", name, "guard"), guard, loaded.origins)
    for name, sink in settings.sinks.items():
        lines += _table_lines(("sinks", name), _with_chooser("type", sink), loaded.origins)
    return "\n".join(lines) + "\n"


def value_text(value: Any) -> str:
    """A setting as settings.toml would say it."""
    if isinstance(value, timedelta):
        return f'"{format_duration(value)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, Secret):
        return f'"{value}"' if value.reveal() else '""'
    if isinstance(value, tuple):
        return f"[{', '.join(value_text(entry) for entry in value)}]"
    # TOML's basic strings take JSON's escapes; passwords in URLs are hidden before.
    return json.dumps(shown(str, str(value), limit=0)[1:-1], ensure_ascii=False)


def _with_chooser(chooser: str, chosen: MeterSettings | SinkSettings) -> dict[str, Any]:
    name = chosen.client if isinstance(chosen, MeterSettings) else chosen.sink
    return {chooser: name, **_as_table(chosen.driver)}


def _table_lines(path: _Path, table: Mapping[str, Any], origins: Mapping[_Path, Origin]) -> Iterator[str]:
    """Plain keys first, then the tables below, as TOML wants it."""
    below = {name: _as_table(value) for name, value in table.items() if _is_table(value)}
    plain = {name: value for name, value in table.items() if name not in below}
    if plain:
        yield ""
        if path:
            yield f"[{'.'.join(path)}]"
    for name, value in plain.items():
        origin = origins.get((*path, name))
        source = f"{origin.source} [{origin.table}]" if origin else "default"
        yield f"{name} = {value_text(value)}".ljust(_COMMENT_COLUMN) + f"  # {source}"
    for name, inner in below.items():
        yield from _table_lines((*path, name), inner, origins)


def _as_table(settings: Any) -> Mapping[str, Any]:
    """The fields of a settings dataclass, without those that are not set."""
    if isinstance(settings, Mapping):
        return settings
    fields = {entry.name: getattr(settings, entry.name) for entry in dataclasses.fields(settings)}
    return {name: value for name, value in fields.items() if value is not None}


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) or is_table(type(value))
