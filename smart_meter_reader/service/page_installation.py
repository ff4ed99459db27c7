"""Plans the installation of the page of several environments as a service of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from pathlib import Path

from smart_meter_reader.service.installation import InstallPlan
from smart_meter_reader.service.placed_settings import not_entered
from smart_meter_reader.service.program import Program
from smart_meter_reader.service.sole_settings import PlannedWithSettings, sole_settings
from smart_meter_reader.service.steps import STATE_HOME, Machine, Step, write_step
from smart_meter_reader.service.unit import PAGE, UNIT, instance_name, page_drop_in_text, unit_template
from smart_meter_reader.settings.one_table import LoadedTable
from smart_meter_reader.sinks.web.together.settings import PageSettings


def plan_page(
    machine: Machine,
    environments: Sequence[str],
    directory: Path,
    program: Program,
    trusted: Set[int],
    load: Callable[[Path], LoadedTable[PageSettings]],
) -> PlannedWithSettings[PageSettings]:
    """The installation of the page with the table [page] of the settings in ``directory``; see ``plan``.

    Raises ServiceError and SettingsError.
    """
    placed = sole_settings(machine, PAGE, directory, trusted, load)
    missing = [each for each in environments if not machine.installed(each)]
    warnings = [
        *placed.warnings,
        *(f"{each} is no service here yet: install it, then restart the page" for each in missing),
        *map(not_entered, dict.fromkeys(program.closed())),
    ]
    states = [STATE_HOME / each for each in environments if each not in placed.loaded.settings.histories]
    drop_in = page_drop_in_text(
        environments,
        machine.outside(placed.place),
        program.interpreter,
        program.places,
        states,
        placed.loaded.settings.port,
        directory,
    )
    steps = [
        *placed.steps,
        *machine.unit_steps(PAGE.unit, unit_template(PAGE.unit)),
        write_step(machine.drop_in_of(PAGE.unit), drop_in.encode()),
        *_start(machine, [each for each in environments if each not in missing]),
    ]
    return PlannedWithSettings(InstallPlan(steps, warnings, placed.place), placed.loaded.settings)


def _start(machine: Machine, there: Sequence[str]) -> list[Step]:
    """Those that were installed before there was such a page get the group that lets it read, first."""
    if machine.root:
        return [machine.systemctl("enable", PAGE.unit)]
    template = machine.unit_steps(UNIT, unit_template())
    older = bool(there) and any(step.changed is not None for step in template)
    return [
        *(template if older else []),
        machine.systemctl("daemon-reload"),
        *(machine.systemctl("try-restart", instance_name(each)) for each in there if older),
        machine.systemctl("enable", PAGE.unit),
        machine.systemctl("restart", PAGE.unit),
    ]
