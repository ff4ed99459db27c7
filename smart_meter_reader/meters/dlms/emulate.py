"""The command `emulate dlms`: a meter of any of the known models that pushes its lists, encrypted or not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from smart_meter_reader.console.finite import FiniteRange
from smart_meter_reader.emulators.options import fault_help, faults_from, serve, where_options
from smart_meter_reader.meters.cipher_keys import key_options
from smart_meter_reader.meters.dlms.emulated_models import MODELS
from smart_meter_reader.meters.dlms.emulator import FAULTS, DlmsMeter, PushEncryption, split_recording
from smart_meter_reader.meters.emulate import (
    fault_option,
    file_option,
    keys_to_encrypt,
    recorded_telegrams,
    refuse_unused_keys,
)


@click.command(epilog=fault_help(FAULTS))
@where_options
@click.option("--model", type=click.Choice(list(MODELS)), default="kaifa-no", help="Whose lists.")
@file_option
@click.option(
    "--encrypt",
    is_flag=True,
    help="Encrypt as in Denmark and Austria; with an authentication key there is a tag.",
)
@key_options
@click.option(
    "--every",
    "interval",
    type=FiniteRange(min=0.001, max=86_400),
    metavar="SECONDS",
    help="From one list to the next; by default as the model does.",
)
@fault_option
def dlms(
    link: Path | None,
    listen: str | None,
    baud: int | None,
    seed: int,
    model: str,
    recording: Path | None,
    encrypt: bool,
    key: str | None,
    authentication_key: str | None,
    key_file: Path | None,
    interval: float | None,
    faults: Sequence[str],
) -> None:
    """An electricity meter that pushes DLMS, for any number of listeners.

    Clock, counters, powers and voltages run, so that no telegram is like another. With --every, the house
    runs as fast as its lists come.
    """
    encryption = None
    if not encrypt:
        refuse_unused_keys(key, authentication_key, key_file)
    else:
        if not MODELS[model].title:
            able = ", ".join(name for name, each in MODELS.items() if each.title)
            raise click.UsageError(f"--encrypt: {model} does not encrypt; these do: {able}")
        if recording is not None:
            raise click.UsageError("--encrypt: what --file holds is sent as it is: choose one")
        encryption_key, own, first = keys_to_encrypt(key, authentication_key, key_file)
        encryption = PushEncryption(encryption_key, own, first_counter=first)
    meter = DlmsMeter(
        model,
        recording=recorded_telegrams(recording, split_recording),
        encryption=encryption,
        faults=faults_from(faults, FAULTS),
        interval=interval,
        seed=seed,
    )
    serve(meter, MODELS[model].line, baud=baud, link=link, listen=listen)
