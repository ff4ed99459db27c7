"""What `service` does for the page of several environments and the writer: a machine has one of each."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from smart_meter_reader.console.environments import is_writer
from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.installation import InstallPlan, require_program, summary
from smart_meter_reader.service.program import Program, running_program
from smart_meter_reader.service.steps import Machine, Step, remove_step
from smart_meter_reader.service.unit import PAGE, SOLE_SERVICES, WRITER, SoleService
from smart_meter_reader.settings.files.ownership import ROOT
from smart_meter_reader.settings.one_table import read_table


@dataclass(frozen=True, slots=True)
class PlannedService:
    """What is to be done, what is shown of it (None: all), and what the service will be good for."""

    plan: InstallPlan
    summary: Sequence[str] | None
    outcome: str


def means_writer(environment: str | None, directory: Path) -> bool:
    """Whether it is no environment that is called as the writer is. Raises SettingsError."""
    return environment == WRITER.word and is_writer(read_table(directory, WRITER.table))


def sole_service(environment: str | None, machine: Machine) -> SoleService | None:
    """The one that is meant by a word, where it is installed and no environment that is called so."""
    named = (each for each in SOLE_SERVICES if each.word == environment and machine.has(each.unit))
    return next((each for each in named if not machine.installed(each.word)), None)


def planned_page(
    machine: Machine, environments: Sequence[str], directory: Path, *, show: bool
) -> PlannedService:
    """The installation with the settings in ``directory``; warnings are printed. Raises ServiceError."""
    from smart_meter_reader.service.page_installation import plan_page
    from smart_meter_reader.sinks.web.settings import page_url
    from smart_meter_reader.sinks.web.together.settings import has_page, load_page

    trusted, program, place = _whereabouts(machine, directory)
    if not has_page(place):
        raise ServiceError(
            f"{place / 'settings.toml'} has no table [page], which says where the page is, such as:",
            "  [page]",
            "  port = 8080",
        )
    planned = plan_page(machine, environments, place, program, trusted, load_page)
    return _shown(
        PAGE, planned.plan, place, program, f"the page is at {page_url(planned.settings)}", show=show
    )


def planned_writer(machine: Machine, directory: Path, *, show: bool) -> PlannedService:
    """The same of the writer of a fleet. Raises ServiceError and, also for missing extras, SettingsError."""
    from smart_meter_reader.cli.writer import require_extras
    from smart_meter_reader.service.writer_installation import plan_writer
    from smart_meter_reader.writer.settings import load_writer

    require_extras()
    trusted, program, place = _whereabouts(machine, directory)
    planned = plan_writer(machine, place, program, trusted, load_writer)
    port = planned.settings.port
    page = f"The page of all meters is at http://127.0.0.1:{port}/, for this computer alone." if port else ""
    return _shown(WRITER, planned.plan, place, program, page, show=show)


def removal(machine: Machine, service: SoleService) -> list[Step]:
    """Stops it and takes it out; its settings stay."""
    now = () if machine.root else ("--now",)
    steps = [machine.systemctl("disable", *now, service.unit)]
    if machine.drop_in_of(service.unit).exists():
        steps.append(remove_step(machine.drop_in_of(service.unit)))
    if not machine.packaged(service.unit):
        steps.append(remove_step(machine.units / service.unit))
    return steps if machine.root else [*steps, machine.systemctl("daemon-reload")]


def _whereabouts(machine: Machine, directory: Path) -> tuple[Set[int], Program, Path]:
    """Who is trusted, the program, which nobody else can change, and where the settings are."""
    trusted = ROOT | ({os.geteuid()} if machine.root else set())
    program = running_program()
    require_program(program, trusted, sys.argv[1:])
    # resolve() follows links, which are refused
    return trusted, program, Path(os.path.abspath(directory))  # noqa: PTH100


def _shown(
    service: SoleService, plan: InstallPlan, place: Path, program: Program, outcome: str, *, show: bool
) -> PlannedService:
    for warning in plan.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return PlannedService(plan, None if show else summary(service.unit, plan, place, program), outcome)
