"""`emulate`: a meter for anyone who has none, on a pseudo-terminal or a TCP port, with faults on demand."""

from __future__ import annotations

from collections.abc import Mapping

import click

from smart_meter_reader.cli.commands import LazyGroup
from smart_meter_reader.meters.registry import meter_drivers

EMULATORS: Mapping[str, str] = {
    name: path for driver in meter_drivers().values() for name, path in driver.emulators.items()
}


@click.group(cls=LazyGroup, commands_by_path=EMULATORS)
def emulate() -> None:
    """Be a meter, for trying things out without one.

    Prints the port to read and answers until it is stopped (SIGTERM, Ctrl-C), then ends with exit code 0.
    """
