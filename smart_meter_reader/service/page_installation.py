"""Plans the installation of the page of several environments as a service of its own."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.service import settings_files
from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.installation import (
    InstallPlan,
    contents_for,
    is_ours,
    not_entered,
    require_ours,
    unreadable,
    write_settings,
)
from smart_meter_reader.service.program import Program
from smart_meter_reader.service.settings_files import NAMES, SECRETS
from smart_meter_reader.service.steps import PAGE_SETTINGS, STATE_HOME, Machine, Step, write_step
from smart_meter_reader.service.unit import PAGE_UNIT, UNIT, instance_name, page_drop_in_text, unit_template
from smart_meter_reader.sinks.web.together.settings import TABLE, LoadedPage, PageSettings


@dataclass(frozen=True, slots=True)
class PlannedWithSettings:
    """What is to be done, and the settings that the page will have."""

    plan: InstallPlan
    settings: PageSettings


def plan_page(
    machine: Machine,
    environments: Sequence[str],
    directory: Path,
    program: Program,
    trusted: Set[int],
    load: Callable[[Path], LoadedPage],
) -> PlannedWithSettings:
    """The installation of the page with the table [page] of the settings in ``directory``; see ``plan``.

    Raises ServiceError and SettingsError.
    """
    place, steps, loaded = _settings(machine, directory, trusted, load)
    if loaded.exposed:
        raise SettingsError(loaded.exposed)
    require_ours(machine.units, trusted)
    missing = [each for each in environments if not machine.installed(each)]
    warnings = [
        *loaded.warnings,
        *(f"{each} is no service here yet: install it, then restart the page" for each in missing),
        *map(not_entered, dict.fromkeys(program.closed())),
    ]
    states = [STATE_HOME / each for each in environments if each not in loaded.settings.histories]
    drop_in = page_drop_in_text(
        environments,
        machine.outside(place),
        program.interpreter,
        program.places,
        states,
        loaded.settings.port,
        directory,
    )
    steps += [
        *machine.unit_steps(PAGE_UNIT, unit_template(PAGE_UNIT)),
        write_step(machine.page_drop_in, drop_in.encode()),
        *_start(machine, [each for each in environments if each not in missing]),
    ]
    return PlannedWithSettings(InstallPlan(steps, warnings, place), loaded.settings)


def _settings(
    machine: Machine, directory: Path, trusted: Set[int], load: Callable[[Path], LoadedPage]
) -> tuple[Path, list[Step], LoadedPage]:
    if directory.is_relative_to(machine.inside(Path("/etc"))) and is_ours(directory, trusted):
        loaded = load(directory)
        return (
            directory,
            [],
            LoadedPage(loaded.settings, (*loaded.warnings, *unreadable(directory)), loaded.exposed),
        )
    place = machine.inside(PAGE_SETTINGS)
    for target in (place, *(place / name for name in NAMES)):
        require_ours(target, trusted)
    contents = contents_for(directory, place, trusted)
    strangers = sorted(set(_tables(contents.get(SECRETS, b""))) - {TABLE})
    if strangers:
        raise ServiceError(
            f"{directory / SECRETS} has secrets of {', '.join(strangers)}, and the page would be given them: "
            f"put the table [{TABLE}] of both files into a directory of its own, and run it there."
        )
    loaded = settings_files.load_contents(contents, TABLE, lambda found, _: load(found))
    return place, [write_settings(place / name, content) for name, content in contents.items()], loaded


def _tables(content: bytes) -> Iterator[str]:
    """The tables of a file of secrets that have something in them."""
    try:
        found: Mapping[str, object] = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return  # told when the settings are loaded
    yield from (name for name, table in found.items() if table)


def _start(machine: Machine, there: Sequence[str]) -> list[Step]:
    """Those that were installed before there was such a page get the group that lets it read, first."""
    if machine.root:
        return [machine.systemctl("enable", PAGE_UNIT)]
    template = machine.unit_steps(UNIT, unit_template())
    older = bool(there) and any(step.changed is not None for step in template)
    return [
        *(template if older else []),
        machine.systemctl("daemon-reload"),
        *(machine.systemctl("try-restart", instance_name(each)) for each in there if older),
        machine.systemctl("enable", PAGE_UNIT),
        machine.systemctl("restart", PAGE_UNIT),
    ]
