"""The command `emulate mbus`: meters on a wired M-Bus, or one at an optical head, with faults on demand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import click

from smart_meter_reader.emulators.options import fault_help, faults_from, serve, where_options
from smart_meter_reader.meters.emulate import delay_option, fault_option, rate_option
from smart_meter_reader.meters.mbus import emulator
from smart_meter_reader.meters.mbus.emulated_meters import MODELS
from smart_meter_reader.meters.mbus.timing import BUS_LINE

_METER = re.compile(r"(?P<address>[0-9]{1,3})(:(?P<number>[0-9]{8}))?(:(?P<model>[a-z0-9_]+))?")
_LAST = 250


@click.command(epilog=fault_help(emulator.FAULTS))
@where_options
@click.option(
    "--meter",
    "meters",
    multiple=True,
    metavar="ADDRESS[:NUMBER][:MODEL]",
    help=f"A meter on the bus, any number of them; MODEL is one of {', '.join(MODELS)}. Default: one "
    "multical_403 at address 1.",
)
@fault_option
@rate_option
@delay_option(emulator.REPLY_DELAY)
def mbus(
    link: Path | None,
    listen: str | None,
    baud: int | None,
    seed: int,
    meters: Sequence[str],
    faults: Sequence[str],
    rate: float,
    delay: float,
) -> None:
    """Meters on a wired M-Bus behind a level converter: 2400 Bd 8E1, primary and secondary addresses.

    With --fault sleep one that speaks M-Bus at its optical head: it wants 55h for two seconds first.
    """
    bus = emulator.EmulatedBus(
        [_meter(text, seed + place, place) for place, text in enumerate(meters or ("1",))],
        faults=faults_from(faults, emulator.FAULTS),
        seed=seed,
        rate=rate,
        reply_delay=delay,
    )
    serve(bus, BUS_LINE, baud=baud, link=link, listen=listen)


def _meter(text: str, seed: int, place: int) -> emulator.EmulatedMbusMeter:
    found = _METER.fullmatch(text)
    if found is None or int(found["address"]) > _LAST:
        raise click.UsageError(
            f"--meter {text}: write ADDRESS, 0 to {_LAST}, and behind a colon eight digits, a model or both"
        )
    model = found["model"] or "multical_403"
    if model not in MODELS:
        raise click.UsageError(f"--meter {text}: there is no model {model}; there are {', '.join(MODELS)}")
    number = found["number"] or f"{12_345_678 + place}"
    return emulator.meter_of(model, address=int(found["address"]), number=number, seed=seed)
