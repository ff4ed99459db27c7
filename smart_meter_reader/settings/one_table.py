"""Loads a table of settings.toml that belongs to no environment: [page], [writer]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.settings.files.source import read_source
from smart_meter_reader.settings.files.toml_text import read_toml
from smart_meter_reader.settings.schema import DriverSettings, parse
from smart_meter_reader.settings.tables import merge
from smart_meter_reader.settings.warnings import DriverTable, exposed_secrets, warnings_about

_Settings = TypeVar("_Settings", bound=DriverSettings)


@dataclass(frozen=True, slots=True)
class LoadedTable(Generic[_Settings]):
    """The settings, and what a person should know; ``exposed`` are secrets outside of .secrets.toml."""

    settings: _Settings
    warnings: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()


def load_table(directory: Path, table: str, kind: type[_Settings]) -> LoadedTable[_Settings]:
    """The table ``table`` of the settings in ``directory``, which is there. Raises SettingsError."""
    found = read_source(directory, table)
    # What stands in [default] is for environments.
    merged = merge({**found, "tables": [each for each in found["tables"] if each["table"] == table]})
    settings, problems = parse(kind, merged.values, merged.place)
    if settings is None:
        raise SettingsError(problems)
    drivers = [DriverTable(kind, merged.values, merged.place)]
    files = [Path(each["source"]) for each in found["tables"]]
    exposed = tuple(dict.fromkeys(exposed_secrets(drivers)))
    return LoadedTable(settings, (*found["warnings"], *warnings_about([], files), *exposed), exposed)


def read_table(directory: Path, table: str) -> Mapping[str, object] | None:
    """What settings.toml in ``directory`` says there; None for no such table. Raises SettingsError."""
    try:
        found = read_toml(directory / "settings.toml").get(table)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError([f"settings.toml: cannot be read: {error.strerror}"]) from None
    return found if isinstance(found, dict) else None
