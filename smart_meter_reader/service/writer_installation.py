"""Plans the installation of the writer of a fleet as a service."""

from __future__ import annotations

from collections.abc import Callable, Set
from pathlib import Path

from smart_meter_reader.service.installation import InstallPlan, start_steps, unseen_files
from smart_meter_reader.service.placed_settings import not_entered
from smart_meter_reader.service.program import Program
from smart_meter_reader.service.sole_settings import PlannedWithSettings, sole_settings
from smart_meter_reader.service.steps import Machine, write_step
from smart_meter_reader.service.unit import WRITER, unit_template, writer_drop_in_text
from smart_meter_reader.settings.one_table import LoadedTable
from smart_meter_reader.writer.settings import WriterSettings


def plan_writer(
    machine: Machine,
    directory: Path,
    program: Program,
    trusted: Set[int],
    load: Callable[[Path], LoadedTable[WriterSettings]],
) -> PlannedWithSettings[WriterSettings]:
    """The installation of the writer with the table [writer] of the settings in ``directory``; see ``plan``.

    Raises ServiceError and SettingsError.
    """
    placed = sole_settings(machine, WRITER, directory, trusted, load)
    settings = placed.loaded.settings
    warnings = [
        *placed.warnings,
        *unseen_files("writer.", settings, placed.place, machine),
        *map(not_entered, dict.fromkeys(program.closed())),
    ]
    drop_in = writer_drop_in_text(
        machine.outside(placed.place), program.interpreter, program.places, settings.port, directory
    )
    steps = [
        *placed.steps,
        *machine.unit_steps(WRITER.unit, unit_template(WRITER.unit)),
        write_step(machine.drop_in_of(WRITER.unit), drop_in.encode()),
        *start_steps(machine, WRITER.unit),
    ]
    return PlannedWithSettings(InstallPlan(steps, warnings, placed.place), settings)
