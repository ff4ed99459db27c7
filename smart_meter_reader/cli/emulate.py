"""`emulate`: a meter for anyone who has none, on a pseudo-terminal or a TCP port, with faults on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from smart_meter_reader.cli.commands import LazyGroup
from smart_meter_reader.console.finite import FiniteRange
from smart_meter_reader.emulators.clock import FASTEST
from smart_meter_reader.emulators.faults import WHICH, Fault, parse_faults
from smart_meter_reader.emulators.serve import run_emulator
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.meters.kmp import emulator as multical
from smart_meter_reader.meters.kmp.emulated_values import read_values, values_of
from smart_meter_reader.transport import LineSettings

_Command = TypeVar("_Command", bound=Callable[..., Any])

METERS: Mapping[str, str] = {
    "kamstrup": "smart_meter_reader.cli.emulate:kamstrup",
    "p1": "smart_meter_reader.meters.p1.emulate:p1",
    "multical_66c": "smart_meter_reader.meters.iec62056_21.emulate:multical_66c",
    "multical_401": "smart_meter_reader.meters.iec62056_21.emulate:multical_401",
    "iec62056_21": "smart_meter_reader.meters.iec62056_21.emulate:iec62056_21",
}


@click.group(cls=LazyGroup, commands_by_path=METERS)
def emulate() -> None:
    """Be a meter, for trying things out without one.

    Prints the port to read and answers until it is stopped (SIGTERM, Ctrl-C), then ends with exit code 0.
    """


def where_options(command: _Command) -> _Command:
    """The options that every emulated meter has: where it is found, how fast, and which seed."""
    for option in (
        click.option("--seed", type=int, default=0, help="Another seed gives another house."),
        click.option(
            "--baud",
            type=click.IntRange(min=0),
            help="Speed of the line; 0 sends as fast as the stream takes it.",
        ),
        click.option(
            "--listen", metavar="[HOST:]PORT", help="Serve on TCP; on loopback unless HOST says more."
        ),
        click.option("--link", type=click.Path(path_type=Path), help="A name for the pseudo-terminal."),
    ):
        command = option(command)
    return command


def fault_help(kinds: Mapping[str, str]) -> str:
    """The paragraph of a command's help that lists its faults."""
    lines = "\n".join(f"  {kind:<10}{what}" for kind, what in kinds.items())
    return f"\b\nFaults (--fault KIND[:WHEN], any number of them):\n{lines}\nWHEN: {WHICH}"


def faults_from(
    texts: Sequence[str], kinds: Mapping[str, str], with_subject: frozenset[str] = frozenset()
) -> list[Fault]:
    """Faults from the command line. Raises click.UsageError."""
    try:
        return parse_faults(texts, kinds, with_subject=with_subject)
    except ValueError as error:
        raise click.UsageError(f"--fault: {error}") from None


def serve(meter: Any, line: LineSettings, *, baud: int | None, link: Path | None, listen: str | None) -> None:
    """Run the meter at the speed of ``line``, or at ``baud``. What cannot be used is wrong use (exit 64)."""
    if link is not None and listen is not None:
        raise click.UsageError("--link names a pseudo-terminal and --listen a TCP port: choose one")
    if baud is not None:
        line = replace(line, baud=baud or line.baud)
    try:
        run_emulator(meter, None if baud == 0 else line, _announce, link=link, listen=listen)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None


def _announce(port: str) -> None:
    # Flushed, so that a script that waits for the port through a pipe gets it at once.
    click.echo(port)


@click.command(epilog=fault_help(multical.FAULTS))
@where_options
@click.option("--model", type=click.Choice(multical.MODELS), default="403", help="Which registers it knows.")
@click.option(
    "--values",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help='Registers that stay as given, JSON or TOML: {"heat_energy": {"value": 227.445, "unit": "GJ"}}.',
)
@click.option("--fault", "faults", multiple=True, metavar="KIND[:WHEN]", help="Trouble, see below.")
@click.option(
    "--rate", type=FiniteRange(min=0, max=FASTEST), default=1.0, help="Emulated seconds in a second."
)
@click.option(
    "--delay",
    type=FiniteRange(min=0),
    default=multical.REPLY_DELAY,
    help="Seconds from request to answer.",
)
def kamstrup(
    link: Path | None,
    listen: str | None,
    baud: int | None,
    seed: int,
    model: str,
    values: Path | None,
    faults: Sequence[str],
    rate: float,
    delay: float,
) -> None:
    """A MULTICAL heat meter at an optical head: 1200 Bd, two stop bits, KMP.

    It answers GetType, GetSerialNo and GetRegister, leaves out registers that it does not know, and says
    nothing to a request for more than eight. Its house burns through the day: energy and volume rise with
    the power.
    """
    try:
        fixed = read_values(values) if values is not None else {}
        meter = multical.KamstrupMeter(
            model,
            values=values_of(model, seed, fixed),
            faults=faults_from(faults, multical.FAULTS, frozenset({"omit"})),
            seed=seed,
            rate=rate,
            reply_delay=delay,
        )
    except (SettingsError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    serve(meter, multical.OPTICAL_LINE, baud=baud, link=link, listen=listen)
