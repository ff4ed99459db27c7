"""`doctor`: one line for everything that an environment needs, and what to do about what is wrong."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from smart_meter_reader.cli.doctor.examination import examine
from smart_meter_reader.cli.patience import PATIENCE_HELP
from smart_meter_reader.console import EXIT_OK, EXIT_SETTINGS, EXIT_UNAVAILABLE
from smart_meter_reader.console.checks import Check, Level
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.console.finite import FiniteRange

_MARKS: Mapping[Level, str] = {
    Level.OK: "ok",
    Level.WARNING: "warning",
    Level.UNAVAILABLE: "WRONG",
    Level.SETTINGS: "WRONG",
}
_EXIT_CODES: Mapping[Level, int] = {
    Level.OK: EXIT_OK,
    Level.WARNING: EXIT_OK,
    Level.UNAVAILABLE: EXIT_UNAVAILABLE,
    Level.SETTINGS: EXIT_SETTINGS,
}


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.option("--no-meter", is_flag=True, help="Take no reading: spares the meter's battery.")
@click.option(
    "--timeout",
    type=FiniteRange(min=0, min_open=True),
    default=None,
    help=PATIENCE_HELP,
)
def doctor(environment: str | None, no_meter: bool, timeout: float | None) -> int:
    """Examine everything that ENV needs, and say what to do about the rest.

    Looks at the settings and their warnings, the clock, each meter's port (is it there, by a name that
    stays, may you open it, who has it open), its keys, one reading of the meter, each broker (connection,
    login, TLS), and Home Assistant's API. Nothing is published. ENV defaults to what ENV_FOR_DYNACONF names.

    Each line begins with ok, warning or WRONG. The exit code is that of the worst line: 0 with warnings
    too, 69 when a port, a meter or the broker cannot be reached, 78 when the settings cannot be used.
    """
    # What clients log would stand between the lines; what matters of it is in them.
    logging.disable(logging.CRITICAL)
    try:
        worst = asyncio.run(_report(environment, read_meters=not no_meter, patience=timeout))
    finally:
        logging.disable(logging.NOTSET)
    return _EXIT_CODES[worst]


async def _report(environment: str | None, *, read_meters: bool, patience: float | None) -> Level:
    worst = Level.OK
    checks = examine(
        Path.cwd(),
        environment,
        read_meters=read_meters,
        tell=lambda text: print(text, file=sys.stderr),
        patience=patience,
    )
    async for check in checks:
        print(_line(check), flush=True)
        worst = max(worst, check.level)
    return worst


def _line(check: Check) -> str:
    return f"{_MARKS[check.level]:<8} {check.subject}: {check.text}"
