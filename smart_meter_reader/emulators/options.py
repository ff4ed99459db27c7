"""What the commands that emulate a meter have in common: where it is found, how fast, and its faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from smart_meter_reader.emulators.faults import WHICH, Fault, parse_faults
from smart_meter_reader.emulators.serve import run_emulator
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.transport import LineSettings

_Command = TypeVar("_Command", bound=Callable[..., Any])
# Of serial ports of this kernel.
_FASTEST = 4_000_000


def where_options(command: _Command) -> _Command:
    """The options that every emulated meter has: where it is found, how fast, and which seed."""
    for option in (
        click.option("--seed", type=int, default=0, help="Another seed gives another house."),
        click.option(
            "--baud",
            type=click.IntRange(min=0, max=_FASTEST),
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
