"""The effective settings as text like settings.toml, with the source of each key; secrets hidden."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from smart_meter_reader.settings.durations import format_duration
from smart_meter_reader.settings.keys import setting_values
from smart_meter_reader.settings.loading import LoadedSettings, MeterSettings, SinkSettings
from smart_meter_reader.settings.schema import Origin, Secret
from smart_meter_reader.settings.values import is_table, shown

_COMMENT_COLUMN = 48
_Path = tuple[str, ...]


def settings_text(loaded: LoadedSettings) -> str:
    """Every key of the environment, also those at their default, one a line, with its source."""
    return _text(loaded, _source)


def set_text(loaded: LoadedSettings) -> str:
    """What somebody has set, one a line, with its source where that is not the environment's own table."""
    environment = loaded.settings.environment

    def foreign(origin: Origin | None) -> str | None:
        if origin is None:
            return None
        own = origin.source == "settings.toml" and origin.table == environment
        return "" if own else _source(origin)

    return _text(loaded, foreign)


# What stands behind a key by where it was found; None: the key is not shown.
_Remark = Callable[[Origin | None], str | None]


def _source(origin: Origin | None) -> str:
    return f"{origin.source} [{origin.table}]" if origin else "default"


def _text(loaded: LoadedSettings, remark: _Remark) -> str:
    settings = loaded.settings
    lines = [f"# environment {settings.environment}"]
    common: dict[str, Any] = {"log_level": settings.log_level, "queue_size": settings.queue_size}
    lines += _table_lines((), common, loaded.origins, remark)
    for name, meter in settings.meters.items():
        lines += _table_lines(("meters", name), _with_chooser("client", meter), loaded.origins, remark)
        # The guard has many keys that few touch: only what is set.
        guard = {
            key: value
            for key, value in _as_table(meter.guard).items()
            if ("meters", name, "guard", key) in loaded.origins
        }
        lines += _table_lines(("meters", name, "guard"), guard, loaded.origins, remark)
    if settings.leases is not None:
        lines += _table_lines(("leases",), _as_table(settings.leases), loaded.origins, remark)
    for name, sink in settings.sinks.items():
        lines += _table_lines(("sinks", name), _with_chooser("type", sink), loaded.origins, remark)
    return "\n".join(lines) + "\n"


def as_toml(value: Any) -> str:
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
        return f"[{', '.join(as_toml(entry) for entry in value)}]"
    # TOML's basic strings take JSON's escapes; passwords in URLs are hidden before.
    return json.dumps(shown(str, str(value), limit=0)[1:-1], ensure_ascii=False)


def _with_chooser(chooser: str, chosen: MeterSettings | SinkSettings) -> dict[str, Any]:
    if isinstance(chosen, MeterSettings):
        # Most meters are reached by one machine.
        lease = {"lease": True} if chosen.lease else {}
        return {chooser: chosen.client, **lease, **_as_table(chosen.driver)}
    return {chooser: chosen.sink, **_as_table(chosen.driver)}


def _table_lines(
    path: _Path, table: Mapping[str, Any], origins: Mapping[_Path, Origin], remark: _Remark
) -> Iterator[str]:
    """Plain keys first, then the tables below, as TOML wants it."""
    below = {name: _as_table(value) for name, value in table.items() if _is_table(value)}
    plain = {name: remark(origins.get((*path, name))) for name in table if name not in below}
    shown = {name: source for name, source in plain.items() if source is not None}
    if shown or (plain and path and path in origins):
        yield ""
        if path:
            yield f"[{'.'.join(path)}]"
    for name, source in shown.items():
        line = f"{name} = {as_toml(table[name])}"
        yield f"{line.ljust(_COMMENT_COLUMN)}  # {source}" if source else line
    for name, inner in below.items():
        yield from _table_lines((*path, name), inner, origins, remark)


def _as_table(settings: Any) -> Mapping[str, Any]:
    """The fields of a settings dataclass, without those that are not set."""
    if isinstance(settings, Mapping):
        return settings
    return {name: value for name, value in setting_values(settings).items() if value is not None}


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) or is_table(type(value))
