"""What the page or the writer is given of a directory: its own table, and no secrets of another."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.installation import InstallPlan
from smart_meter_reader.service.placed_settings import PlacedSettings, placed_settings
from smart_meter_reader.service.settings_files import SECRETS
from smart_meter_reader.service.steps import Machine
from smart_meter_reader.service.unit import SoleService
from smart_meter_reader.settings.one_table import LoadedTable
from smart_meter_reader.settings.schema import DriverSettings

Settings = TypeVar("Settings", bound=DriverSettings)


@dataclass(frozen=True, slots=True)
class PlannedWithSettings(Generic[Settings]):
    """What is to be done, and the settings that the service will have."""

    plan: InstallPlan
    settings: Settings


def sole_settings(
    machine: Machine,
    service: SoleService,
    directory: Path,
    trusted: Set[int],
    load: Callable[[Path], LoadedTable[Settings]],
) -> PlacedSettings[LoadedTable[Settings]]:
    """Those of a service of which a machine has one. Raises ServiceError and SettingsError."""

    def examine(contents: Mapping[str, bytes]) -> None:
        _require_no_strangers(service, directory, contents.get(SECRETS, b""))

    return placed_settings(machine, service.settings, directory, trusted, load, examine)


def _require_no_strangers(service: SoleService, directory: Path, secrets: bytes) -> None:
    strangers = sorted(set(_tables(secrets)) - {service.table})
    if strangers:
        raise ServiceError(
            f"{directory / SECRETS} has secrets of {', '.join(strangers)}, and {service.unit} would be given "
            f"them: put [{service.table}] of both files into a directory of its own, and run this there."
        )


def _tables(content: bytes) -> Iterator[str]:
    """The tables of a file of secrets that have something in them."""
    try:
        found: Mapping[str, object] = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return  # told when the settings are loaded
    yield from (name for name, table in found.items() if table)
