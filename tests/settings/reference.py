"""Writes the tables of docs/settings.md from the settings dataclasses: python -m tests.settings.reference"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from smart_meter_reader.drivers import imported
from smart_meter_reader.fleet.leases import DRIVER as LEASES
from smart_meter_reader.guard.settings import GuardSettings
from smart_meter_reader.meters.registry import METERS
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.settings.common import CommonSettings, MeterCommonSettings
from smart_meter_reader.settings.schema import Key, keys_of
from smart_meter_reader.settings.text import as_toml
from smart_meter_reader.settings.values import is_table
from smart_meter_reader.sinks.registry import SINKS
from smart_meter_reader.writer.settings import WriterSettings

REFERENCE = Path(__file__).parents[2] / "docs" / "settings.md"
_SECTION = re.compile(r"(<!-- keys of (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def written(text: str) -> str:
    """The reference with the tables of its sections as the dataclasses have them now."""
    content = {
        "the environment": _table(CommonSettings),
        "every meter": _table(MeterCommonSettings),
        "guard": _table(GuardSettings),
        "leases": _table(imported(LEASES.settings)),
        "broker": _table(BrokerSettings),
        "clients": _drivers("Client", METERS),
        "sinks": _drivers("Sink", SINKS),
        "writer": _table(WriterSettings),
    }
    return _SECTION.sub(lambda found: found[1] + content.pop(found[2]) + found[3], text)


def _drivers(kind: str, registry: Mapping[str, str]) -> str:
    sections = [
        f"\n### {kind} `{name}`\n{_table(imported(imported(registry[name]).settings))}" for name in registry
    ]
    return "".join(sections)


def _table(settings_type: type[Any]) -> str:
    # What a sink shares with all others on a broker has a section of its own.
    shared = keys_of(BrokerSettings) if settings_type is not BrokerSettings else {}
    keys = [key for name, key in keys_of(settings_type).items() if shared.get(name) != key]
    lines = ["", "| Key | What it is | Allowed | Default |", "|---|---|---|---|", *_rows(keys, ""), ""]
    return "\n".join(lines) + "\n"


def _rows(keys: Iterable[Key], before: str) -> Iterator[str]:
    for key in keys:
        cells = (f"`{before}{key.name}`", key.limits.help, key.allowed, _default(key))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        inner = [kind for kind in getattr(key.annotation, "__args__", [key.annotation]) if is_table(kind)]
        for kind in inner:
            name = "NAME." if getattr(key.annotation, "__origin__", None) else ""
            yield from _rows(keys_of(kind).values(), f"{before}{key.name}.{name}")


def _default(key: Key) -> str:
    if key.required:
        return "required"
    if key.default is None or key.default in ({}, ()):
        return ""
    return "" if is_table(type(key.default)) else f"`{as_toml(key.default)}`"


if __name__ == "__main__":
    REFERENCE.write_text(written(REFERENCE.read_text("utf-8")), "utf-8")
