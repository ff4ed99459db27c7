"""The command `decode`: what captured bytes say, one subcommand for each protocol."""

from __future__ import annotations

from collections.abc import Mapping

import click

from smart_meter_reader.cli.commands import LazyGroup
from smart_meter_reader.meters.registry import meter_drivers

PROTOCOLS: Mapping[str, str] = {
    "auto": "smart_meter_reader.cli.decode.auto:auto",
    **{
        driver.protocol: driver.decode
        for driver in sorted(meter_drivers().values(), key=lambda driver: driver.protocol)
        if driver.decode
    },
}


@click.group(cls=LazyGroup, commands_by_path=PROTOCOLS)
def decode() -> None:
    """Say what captured bytes mean, frame by frame."""
