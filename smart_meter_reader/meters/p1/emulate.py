"""The command `emulate p1`: a P1 port that sends telegrams of any dialect, encrypted or not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import click

from smart_meter_reader.codecs.ciphering.keys import LUXEMBOURG_AUTHENTICATION_KEY
from smart_meter_reader.emulators.options import fault_help, faults_from, serve, where_options
from smart_meter_reader.meters.cipher_keys import key_options
from smart_meter_reader.meters.emulate import (
    fault_option,
    file_option,
    keys_to_encrypt,
    recorded_telegrams,
    refuse_unused_keys,
)
from smart_meter_reader.meters.p1.emulated_telegrams import TEMPLATES
from smart_meter_reader.meters.p1.emulator import (
    FAULTS,
    Encryption,
    P1Meter,
    split_recording,
)
from smart_meter_reader.meters.p1.lines import FAST_LINE, SLOW_LINE

_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*/\s*(s|min|h)")
# Telegrams in a second: one in a hundred days, and more than any stream takes.
_SLOWEST, _FASTEST = 1e-7, 1e6
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


class Rate(click.ParamType[float]):
    """Telegrams in a time, "1/s" or "6/min"; the value is the seconds from one to the next."""

    name = "rate"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = _RATE.fullmatch(str(value).strip())
        telegrams = float(match[1]) / _SECONDS[match[2]] if match else 0.0
        if not _SLOWEST <= telegrams <= _FASTEST:
            self.fail(f'{value!r} is no rate: write "1/s", "0.1/s" or "6/min"', param, ctx)
        return 1 / telegrams


@click.command(epilog=fault_help(FAULTS))
@where_options
@click.option("--dialect", type=click.Choice(list(TEMPLATES)), default="dsmr-5", help="Whose telegrams.")
@file_option
@click.option("--encrypt", is_flag=True, help="Encrypt them as in Luxembourg and Austria; needs a key.")
@key_options
@click.option("--rate", "interval", type=Rate(), help='How often, "1/s" say; by default as the dialect does.')
@fault_option
def p1(
    link: Path | None,
    listen: str | None,
    baud: int | None,
    seed: int,
    dialect: str,
    recording: Path | None,
    encrypt: bool,
    key: str | None,
    authentication_key: str | None,
    key_file: Path | None,
    interval: float | None,
    faults: Sequence[str],
) -> None:
    """An electricity meter with a P1 port, for any number of listeners.

    Clock, registers and powers run, so that no telegram is like another. DSMR 2.2 speaks 9600 7E1, all
    others 115200 8N1.
    """
    encryption = None
    if not encrypt:
        refuse_unused_keys(key, authentication_key, key_file)
    else:
        encryption_key, own, first = keys_to_encrypt(key, authentication_key, key_file)
        encryption = Encryption(encryption_key, own or LUXEMBOURG_AUTHENTICATION_KEY, first_counter=first)
    meter = P1Meter(
        dialect,
        recording=recorded_telegrams(recording, split_recording),
        encryption=encryption,
        faults=faults_from(faults, FAULTS),
        interval=interval,
        seed=seed,
    )
    line = SLOW_LINE if dialect == "dsmr-2.2" and recording is None else FAST_LINE
    serve(meter, line, baud=baud, link=link, listen=listen)
