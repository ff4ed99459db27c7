"""The command `decode`: what captured bytes say, one subcommand for each protocol."""

from __future__ import annotations

from collections.abc import Mapping

import click

from smart_meter_reader.cli.commands import LazyGroup

PROTOCOLS: Mapping[str, str] = {
    "auto": "smart_meter_reader.cli.decode_auto:auto",
    "iec62056_21": "smart_meter_reader.cli.decode_iec62056_21:iec62056_21",
    "kmp": "smart_meter_reader.cli.decode_kmp:kmp",
    "p1": "smart_meter_reader.cli.decode_p1:p1",
}


@click.group(cls=LazyGroup, commands_by_path=PROTOCOLS)
def decode() -> None:
    """Say what captured bytes mean, frame by frame."""
