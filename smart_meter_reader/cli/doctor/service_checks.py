"""How the program got here, and does the environment's own service run? Then it has the ports, unfought."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from smart_meter_reader import __version__
from smart_meter_reader.console import PROGRAM
from smart_meter_reader.console.checks import Check, ok, warning
from smart_meter_reader.service.installation import hides
from smart_meter_reader.service.program import INSTALLED, PACKAGED
from smart_meter_reader.service.state import ServiceState
from smart_meter_reader.service.steps import Machine
from smart_meter_reader.service.unit import UNITS

_PACKAGE = "smart-meter-reader"


def check_program(place: Path, machine: Machine) -> Iterator[Check]:
    """How what is installed for everybody is brought up to date; of a program of a user's own nothing."""
    if place == PACKAGED:
        update = f"sudo apt update && sudo apt install --only-upgrade {_PACKAGE}"
        yield ok("program", f"{__version__}, the Debian package; to update: {update}")
    elif place == INSTALLED:
        update = "git pull, then sudo ./scripts/install in the clone"
        yield ok("program", f"{__version__}, in {place}; to update: {update}")
    for unit in UNITS:
        if hiding := machine.hidden(unit):
            yield warning("program", hides(hiding))


def check_service(environment: str, state: ServiceState | None, *, packaged: bool = False) -> Iterator[Check]:
    """``state`` is None where systemd does not run: then there is nothing to say."""
    if state is None:
        return
    logs = f"{PROGRAM} service logs {environment}"
    if state.trouble:
        yield warning("service", f"{state.instance} does not run: {state.trouble}; see: {logs}")
    elif state.runs:
        yield ok("service", f"{state.instance} runs" + (f": {state.said}" if state.said else ""))
    else:
        start = f"; to start it: sudo systemctl enable --now {state.instance}" if packaged else ""
        yield ok("service", f"{state.instance} does not run{start}")
