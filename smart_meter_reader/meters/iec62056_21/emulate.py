"""`emulate multical_66c`, `multical_401` and `iec62056_21`: the older meters, with faults on demand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from smart_meter_reader.emulators.options import fault_help, faults_from, serve, where_options
from smart_meter_reader.meters.emulate import delay_option, fault_option, rate_option
from smart_meter_reader.meters.iec62056_21 import emulator as older
from smart_meter_reader.meters.iec62056_21.lines import SIGN_ON_LINE


def _command(model: str, summary: str) -> click.Command:
    @click.command(name=model, help=summary, epilog=fault_help(older.FAULTS))
    @where_options
    @fault_option
    @rate_option
    @delay_option(older.REPLY_DELAY)
    @click.option(
        "--parity/--no-parity",
        default=True,
        help="Send even parity in the eighth bit, as 7E1 looks at 8N1 (the default), or leave it clear.",
    )
    def command(
        link: Path | None,
        listen: str | None,
        baud: int | None,
        seed: int,
        faults: Sequence[str],
        rate: float,
        delay: float,
        parity: bool,
    ) -> None:
        meter = older.Iec62056Meter(
            model,
            faults=faults_from(faults, older.FAULTS),
            seed=seed,
            rate=rate,
            reply_delay=delay,
            parity=parity,
            started=_standard_time(),
        )
        serve(meter, SIGN_ON_LINE, baud=baud, link=link, listen=listen)

    return command


def _standard_time() -> datetime:
    """This computer's time as a meter's clock has it: that of the winter, without a zone."""
    return (datetime.now(UTC) - timedelta(seconds=time.timezone)).replace(tzinfo=None)


multical_66c = _command(
    "multical_66c",
    "A MULTICAL 66C at an optical head: short requests /#1 to /#4, /#B, /#C, /#D and the log tables /#5 to "
    "/#9, /#J at 300 Bd, answered at 1200 Bd, and the sign-on /?! with its readout.",
)
multical_401 = _command(
    "multical_401",
    "A MULTICAL 401 at an optical head: the sign-on /?! with a readout in GJ, and short requests.",
)
iec62056_21 = _command(
    "iec62056_21",
    "An electricity meter of IEC 62056-21 mode C: sign-on at 300 Bd, readout with OBIS codes at 9600 Bd.",
)
