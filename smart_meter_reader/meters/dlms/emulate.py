"""The command `emulate dlms`: a meter of any of the known models that pushes its lists, encrypted or not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from smart_meter_reader.console.capture import hex_or_raw
from smart_meter_reader.emulators.options import fault_help, faults_from, serve, where_options
from smart_meter_reader.meters.cipher_keys import key_options, read_keys
from smart_meter_reader.meters.dlms.emulated_lists import MODELS
from smart_meter_reader.meters.dlms.emulator import FAULTS, DlmsMeter, PushEncryption, split_recording


@click.command(epilog=fault_help(FAULTS))
@where_options
@click.option("--model", type=click.Choice(list(MODELS)), default="kaifa-no", help="Whose lists.")
@click.option(
    "--file",
    "recording",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Send the telegrams of this recording in a circle instead.",
)
@click.option(
    "--encrypt",
    is_flag=True,
    help="Encrypt as in Denmark and Austria; with an authentication key there is a tag.",
)
@key_options
@click.option(
    "--every",
    "interval",
    type=click.FloatRange(min=0.001, max=86_400),
    metavar="SECONDS",
    help="From one list to the next; by default as the model does.",
)
@click.option("--fault", "faults", multiple=True, metavar="KIND[:WHEN]", help="Trouble, see below.")
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
    if encrypt:
        if not MODELS[model].title:
            able = ", ".join(name for name, each in MODELS.items() if each.title)
            raise click.UsageError(f"--encrypt: {model} does not encrypt; these do: {able}")
        encryption_key, own = read_keys(key, authentication_key, key_file)
        if encryption_key is None:
            raise click.UsageError(
                "--encrypt needs --key (32 hexadecimal digits of your choice) or --key-file"
            )
        # A meter's counter goes on when it is switched on again; readers refuse one that begins anew.
        encryption = PushEncryption(encryption_key, own, first_counter=int(time.time()))
    meter = DlmsMeter(
        model,
        recording=_telegrams(recording),
        encryption=encryption,
        faults=faults_from(faults, FAULTS),
        interval=interval,
        seed=seed,
    )
    serve(meter, MODELS[model].line, baud=baud, link=link, listen=listen)


def _telegrams(recording: Path | None) -> list[bytes]:
    if recording is None:
        return []
    try:
        return split_recording(hex_or_raw(recording.read_bytes()))
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--file {recording}: {error}") from None
