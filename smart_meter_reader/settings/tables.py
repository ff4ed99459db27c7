"""Merges the tables of all sources key by key, and remembers where every key was found.

Later sources win: [default], then the environment, of each settings file; the same of .secrets.toml; the same
of the credentials file; then the DYNACONF_ variables. Tables are joined, everything else is replaced.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smart_meter_reader.settings.names import holds_secrets
from smart_meter_reader.settings.schema import Origin, Place
from smart_meter_reader.settings.values import VariableValue


@dataclass(frozen=True, slots=True)
class MergedTables:
    """One environment's table of tables; ``origins`` says for each path of keys where it was found."""

    environment: str
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[tuple[str, ...], Origin] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        return Place(self.origins)

    def table(self, *path: str) -> dict[str, Any]:
        """The table at ``path``; empty when there is none or something else."""
        found: Any = self.values
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}


def merge(source: Mapping[str, Any]) -> MergedTables:
    """Join what ``SettingsSource.read`` returned."""
    merged = MergedTables(source["environment"])
    first = next((Path(table["source"]).name for table in source["tables"]), "settings.toml")
    merged.origins[()] = Origin(first, merged.environment, ())
    for table in source["tables"]:
        _join(merged, merged.values, (), table["values"], Path(table["source"]).name, table["table"])
    for variable in source["variables"]:
        _set_variable(merged, variable)
    return merged


def misplaced(merged: MergedTables, known: Collection[str], sinks: Collection[str]) -> dict[str, str]:
    """Meters and sinks that stand in the environment itself: what is to be written instead, by their names.

    ``known``: the tables that an environment has; ``sinks``: the names of its sinks.
    """
    tables = {name: table for name, table in merged.values.items() if isinstance(table, dict)}
    wrong: dict[str, str] = {}
    for name, table in tables.items():
        key = "meters" if "client" in table else "sinks" if table.get("type", name) in sinks else ""
        if key and name not in known:
            wrong[name] = f"[{merged.environment}.{key}.{name}]"
    return wrong


def _join(
    merged: MergedTables,
    target: dict[str, Any],
    path: tuple[str, ...],
    values: Mapping[str, Any],
    source: str,
    table: str,
) -> None:
    for key, value in values.items():
        below = (*path, key)
        origin = Origin(source, table, below)
        if isinstance(value, Mapping):
            # A table is where its settings stand, not where one secret was added to it.
            if below not in merged.origins or not holds_secrets(source):
                merged.origins[below] = origin
            if not isinstance(target.get(key), dict):
                target[key] = {}
            _join(merged, target[key], below, value, source, table)
        else:
            if isinstance(target.get(key), dict):
                for stale in [known for known in merged.origins if known[: len(below)] == below]:
                    del merged.origins[stale]
            merged.origins[below] = origin
            target[key] = value


def _set_variable(merged: MergedTables, variable: Mapping[str, Any]) -> None:
    path: tuple[str, ...] = ()
    for name in variable["path"]:
        path = (*path, _same_key(name, merged.table(*path)))
    value = variable["value"]
    if value is None:  # dynaconf's @none and @del
        merged.table(*path[:-1]).pop(path[-1], None)
        return
    if not isinstance(value, str | Mapping):
        value = VariableValue(value, variable["text"])
    for key in reversed(path):
        value = {key: value}
    _join(merged, merged.values, (), value, f"variable {variable['name']}", merged.environment)


def _same_key(name: str, table: Mapping[str, Any]) -> str:
    """The key of ``table`` that a part of a variable's name means: any case, _ also for -."""
    folded = name.lower().replace("-", "_")
    same = (key for key in table if key.lower().replace("-", "_") == folded)
    return name if name in table else next(same, name.lower())
