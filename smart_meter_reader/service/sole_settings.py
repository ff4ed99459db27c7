"""What the page or the writer is given of a directory: its own table, and no secrets of another."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.service import settings_files
from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.installation import (
    InstallPlan,
    contents_for,
    is_ours,
    require_ours,
    unreadable,
    write_settings,
)
from smart_meter_reader.service.settings_files import NAMES, SECRETS
from smart_meter_reader.service.steps import Machine, Step
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
) -> tuple[Path, list[Step], LoadedTable[Settings]]:
    """Where the service will have its settings, the steps that put them there, and what they say.

    See ``installation.plan``. Raises ServiceError and SettingsError.
    """
    if directory.is_relative_to(machine.inside(Path("/etc"))) and is_ours(directory, trusted):
        loaded = load(directory)
        place, steps = directory, list[Step]()
        loaded = replace(loaded, warnings=(*loaded.warnings, *unreadable(directory)))
    else:
        place = machine.inside(service.settings)
        for target in (place, *(place / name for name in NAMES)):
            require_ours(target, trusted)
        contents = contents_for(directory, place, trusted)
        _require_no_strangers(service, directory, contents.get(SECRETS, b""))
        loaded = settings_files.load_contents(contents, service.table, lambda found, _: load(found))
        steps = [write_settings(place / name, content) for name, content in contents.items()]
    if loaded.exposed:
        raise SettingsError(loaded.exposed)
    require_ours(machine.units, trusted)
    return place, steps, loaded


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
