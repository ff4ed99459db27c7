"""The command `emulate kamstrup`: a MULTICAL at an optical head, with faults on demand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from smart_meter_reader.console.finite import FiniteRange
from smart_meter_reader.emulators.clock import FASTEST
from smart_meter_reader.emulators.options import fault_help, faults_from, serve, where_options
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.meters.kmp import emulator as multical
from smart_meter_reader.meters.kmp.emulated_values import read_values, values_of
from smart_meter_reader.meters.kmp.lines import OPTICAL_LINE


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
    serve(meter, OPTICAL_LINE, baud=baud, link=link, listen=listen)
