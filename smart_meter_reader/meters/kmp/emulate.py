"""The command `emulate kamstrup`: a MULTICAL at an optical head, with faults on demand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from smart_meter_reader.codecs.kmp.commands import LOGGER_BASE, LOGGER_TOP
from smart_meter_reader.console.finite import FiniteRange
from smart_meter_reader.emulators.options import fault_help, faults_from, serve, where_options
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.meters.emulate import delay_option, fault_option, rate_option
from smart_meter_reader.meters.kmp import emulator as multical
from smart_meter_reader.meters.kmp.emulated_loggers.contents import LoggerPast
from smart_meter_reader.meters.kmp.emulated_loggers.past import UNLIMITED
from smart_meter_reader.meters.kmp.emulated_values import read_values, values_of
from smart_meter_reader.meters.kmp.lines import OPTICAL_LINE

_MODULES = {"top": LOGGER_TOP, "base": LOGGER_BASE}


@click.command(epilog=fault_help(multical.FAULTS))
@where_options
@click.option("--model", type=click.Choice(multical.MODELS), default="403", help="Which registers it knows.")
@click.option(
    "--values",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help='Registers that stay as given, JSON or TOML: {"heat_energy": {"value": 227.445, "unit": "GJ"}}.',
)
@click.option(
    "--info-code",
    type=click.IntRange(min=0, max=2**32 - 1),
    default=0,
    help="What it reports of itself: bits of register 369, or the sum on older models; docs/info-codes.md.",
)
@click.option(
    "--info-event",
    "info_events",
    multiple=True,
    type=(FiniteRange(min=-100_000, max=100_000), click.IntRange(min=0, max=2**32 - 1)),
    metavar="HOURS CODE",
    help="So many hours after the start its info code becomes this; its info logger has the entry.",
)
@fault_option
@rate_option
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S"]),
    help="When the emulated time begins, in UTC; with the same seed, the same past. Default: now.",
)
@click.option("--zone", metavar="NAME", help="The meter's zone, as Europe/Vienna. Default: this computer's.")
@click.option(
    "--drift", type=FiniteRange(min=-86_400, max=86_400), default=0.0, help="Seconds that its clock is ahead."
)
@click.option(
    "--answer-limit",
    type=click.IntRange(min=32, max=UNLIMITED),
    help="Longest payload in bytes of an answer with rows of a logger, as 128 or 256.",
)
@click.option(
    "--format-change",
    type=FiniteRange(min=-100_000, max=100_000),
    metavar="HOURS",
    help="When decimals changed: older entries of its loggers have one less. -12: 12 hours before the start.",
)
@click.option(
    "--log-reset",
    type=FiniteRange(min=-100_000, max=100_000),
    metavar="HOURS",
    help="When their ids begin anew.",
)
@click.option(
    "--module",
    type=click.Choice(tuple(_MODULES)),
    help="A logger module, as a 601 can have: it answers A0h to A3h at 7Fh or BFh.",
)
@delay_option(multical.REPLY_DELAY)
def kamstrup(
    link: Path | None,
    listen: str | None,
    baud: int | None,
    seed: int,
    model: str,
    values: Path | None,
    info_code: int,
    info_events: Sequence[tuple[float, int]],
    faults: Sequence[str],
    rate: float,
    start: datetime | None,
    zone: str | None,
    drift: float,
    answer_limit: int | None,
    format_change: float | None,
    log_reset: float | None,
    module: str | None,
    delay: float,
) -> None:
    """A MULTICAL heat meter at an optical head: 1200 Bd, two stop bits, KMP.

    It answers GetType, GetSerialNo and GetRegister, leaves out registers that it does not know, and says
    nothing to a request for more than eight. Its house burns through the day: energy and volume rise with
    the power. A 303, 403 or 603 also has loggers of hours, days, months and years, which end at what it shows
    now, and a 601 may have a logger module.
    """
    if module is not None and model != "601":
        raise click.UsageError(f"--module: a {model} has none of these; --model 601 can have one")
    try:
        fixed = read_values(values) if values is not None else {}
        meter = multical.KamstrupMeter(
            model,
            values=values_of(
                model,
                seed,
                fixed,
                start.replace(tzinfo=UTC) if start is not None else None,
                zone=_zone(zone),
                drift=drift,
            ),
            faults=faults_from(faults, multical.FAULTS, frozenset({"omit"})),
            seed=seed,
            rate=rate,
            reply_delay=delay,
            module=_MODULES[module] if module is not None else None,
            answer_limit=answer_limit if answer_limit is not None else UNLIMITED,
            past=LoggerPast(_seconds(format_change), _seconds(log_reset)),
        )
    except (SettingsError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    for hours, code in sorted([(0.0, info_code), *info_events]):
        meter.report(code, hours * 3600)
    serve(meter, OPTICAL_LINE, baud=baud, link=link, listen=listen)


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"--zone: there is no time zone {name!r}; one is like Europe/Vienna") from None


def _seconds(hours: float | None) -> float | None:
    return None if hours is None else hours * 3600
