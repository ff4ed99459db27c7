"""`doctor`: one line for everything that an environment needs, and what to do about what is wrong."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from shutil import get_terminal_size

import click

from smart_meter_reader.cli.doctor.examination import examine
from smart_meter_reader.cli.read.patience import PATIENCE_HELP
from smart_meter_reader.console import EXIT_OK, EXIT_SETTINGS, EXIT_UNAVAILABLE
from smart_meter_reader.console.checks import Check, Level
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.console.finite import FiniteRange
from smart_meter_reader.console.wrapping import tell, wrapped

_MARKS: Mapping[Level, str] = {
    Level.OK: "ok",
    Level.WARNING: "warning",
    Level.UNAVAILABLE: "WRONG",
    Level.SETTINGS: "WRONG",
}
_INDENT = " " * 9  # below the subject, behind the mark
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
    login, TLS), and Home Assistant's API. Nothing is published. ENV defaults to what ENV_FOR_DYNACONF
    names, or to the only one there is.

    Each line begins with ok, warning or WRONG. The exit code is that of the worst line: 0 with warnings
    too, 69 when a port, a meter or the broker cannot be reached, 78 when the settings cannot be used.
    """
    return exit_code_of(report(environment, read_meters=not no_meter, patience=timeout))


def report(environment: str | None, *, read_meters: bool, patience: float | None = None) -> Level:
    """Print a line for each check of an environment; the worst level."""
    return print_checks(
        examine(Path.cwd(), environment, read_meters=read_meters, tell=tell, patience=patience)
    )


def exit_code_of(worst: Level) -> int:
    """The exit code of a command that has told so much."""
    return _EXIT_CODES[worst]


def print_checks(checks: AsyncIterator[Check]) -> Level:
    """Print a line for each; the worst level."""
    # What clients log would stand between the lines; what matters of it is in them.
    logging.disable(logging.CRITICAL)
    try:
        return asyncio.run(_print_all(checks))
    finally:
        logging.disable(logging.NOTSET)


async def _print_all(checks: AsyncIterator[Check]) -> Level:
    worst = Level.OK
    async for check in checks:
        print(_shown(_line(check)), flush=True)
        worst = max(worst, check.level)
    return worst


def _line(check: Check) -> str:
    return f"{_MARKS[check.level]:<8} {check.subject}: {check.text}"


def _shown(line: str) -> str:
    """Broken between words on a terminal, what goes on set in below the text."""
    return wrapped(line, get_terminal_size().columns, _INDENT) if sys.stdout.isatty() else line
