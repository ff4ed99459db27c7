"""The command `decode`: what captured bytes say, one subcommand for each protocol."""

from __future__ import annotations

from collections.abc import Mapping

import click

from smart_meter_reader.cli.commands import LazyGroup

PROTOCOLS: Mapping[str, str] = {
    "auto": "smart_meter_reader.cli.decode.auto:auto",
    "iec62056_21": "smart_meter_reader.meters.iec62056_21.decode:iec62056_21",
    "kmp": "smart_meter_reader.meters.kmp.decode:kmp",
    "p1": "smart_meter_reader.meters.p1.decode:p1",
}


@click.group(cls=LazyGroup, commands_by_path=PROTOCOLS)
def decode() -> None:
    """Say what captured bytes mean, frame by frame."""
