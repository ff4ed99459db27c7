"""The command `emulate sml`: a German electricity meter that sends SML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from smart_meter_reader.console.finite import FiniteRange
from smart_meter_reader.emulators.options import fault_help, faults_from, serve, where_options
from smart_meter_reader.meters.emulate import fault_option, file_option, recorded_telegrams
from smart_meter_reader.meters.sml.emulated_models import MODELS
from smart_meter_reader.meters.sml.emulator import FAULTS, SmlMeter, split_recording
from smart_meter_reader.meters.sml.lines import LINE


@click.command(epilog=fault_help(FAULTS))
@where_options
@click.option("--model", type=click.Choice(list(MODELS)), default="iskra-mt631", help="Whose telegrams.")
@file_option
@click.option("--no-pin", is_flag=True, help="Its PIN was not entered: whole kWh, no power.")
@click.option(
    "--sun",
    type=click.IntRange(0, 100_000),
    default=0,
    metavar="W",
    help="What its roof makes.",
)
@click.option(
    "--every",
    "interval",
    type=FiniteRange(min=0.001, max=3600),
    default=1.0,
    metavar="SECONDS",
    help="From one telegram to the next; 1 by default.",
)
@fault_option
def sml(
    link: Path | None,
    listen: str | None,
    baud: int | None,
    seed: int,
    model: str,
    recording: Path | None,
    no_pin: bool,
    sun: int,
    interval: float,
    faults: Sequence[str],
) -> None:
    """A German electricity meter that sends SML at its optical head, for any number of listeners.

    Registers and powers run, so that no telegram is like another. The line is 9600 8N1.
    """
    meter = SmlMeter(
        model,
        faults=faults_from(faults, FAULTS),
        interval=interval,
        pin=not no_pin,
        sun=sun,
        recording=recorded_telegrams(recording, split_recording),
        seed=seed,
    )
    serve(meter, LINE, baud=baud, link=link, listen=listen)
