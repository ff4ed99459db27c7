"""What `service` does for the page of several environments: the plan of its installation, and its removal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smart_meter_reader.service.errors import ServiceError
from smart_meter_reader.service.installation import InstallPlan, require_program, summary
from smart_meter_reader.service.program import running_program
from smart_meter_reader.service.steps import Machine, Step, remove_step
from smart_meter_reader.service.unit import PAGE_UNIT
from smart_meter_reader.settings.ownership import ROOT


@dataclass(frozen=True, slots=True)
class PlannedPage:
    """What is to be done, what is shown of it (None: all), and where the page will be."""

    plan: InstallPlan
    summary: Sequence[str] | None
    address: str


def planned_page(
    machine: Machine, environments: Sequence[str], directory: Path, *, show: bool
) -> PlannedPage:
    """The installation with the settings in ``directory``; warnings are printed. Raises ServiceError."""
    from smart_meter_reader.service.page_installation import plan_page
    from smart_meter_reader.sinks.web.settings import address
    from smart_meter_reader.sinks.web.together.settings import has_page, load_page

    trusted = ROOT | ({os.geteuid()} if machine.root else set())
    program = running_program()
    require_program(program, trusted, sys.argv[1:])
    place = Path(os.path.abspath(directory))  # noqa: PTH100 - resolve() follows links, which are refused
    if not has_page(place):
        raise ServiceError(
            f"{place / 'settings.toml'} has no table [page], which says where the page is, such as:",
            "  [page]",
            "  port = 8080",
        )
    planned = plan_page(machine, environments, place, program, trusted, load_page)
    for warning in planned.plan.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    shown = None if show else summary(PAGE_UNIT, planned.plan, place, program)
    return PlannedPage(planned.plan, shown, address(planned.settings))


def removal(machine: Machine) -> list[Step]:
    """Stops the page and takes it out; its settings stay."""
    now = () if machine.root else ("--now",)
    steps = [machine.systemctl("disable", *now, PAGE_UNIT), remove_step(machine.page_drop_in)]
    if not machine.packaged(PAGE_UNIT):
        steps.append(remove_step(machine.units / PAGE_UNIT))
    return steps if machine.root else [*steps, machine.systemctl("daemon-reload")]
