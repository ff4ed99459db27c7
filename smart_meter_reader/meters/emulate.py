"""What the commands that emulate a meter share beyond where it is found: faults, pace, recordings, keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from smart_meter_reader.console.capture import hex_or_raw
from smart_meter_reader.console.finite import FiniteRange
from smart_meter_reader.emulators.clock import FASTEST
from smart_meter_reader.meters.cipher_keys import read_keys

_Command = TypeVar("_Command", bound=Callable[..., Any])

fault_option = click.option(
    "--fault", "faults", multiple=True, metavar="KIND[:WHEN]", help="Trouble, see below."
)
rate_option = click.option(
    "--rate", type=FiniteRange(min=0, max=FASTEST), default=1.0, help="Emulated seconds in a second."
)
file_option = click.option(
    "--file",
    "recording",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Send the telegrams of this recording in a circle instead.",
)


def delay_option(usual: float) -> Callable[[_Command], _Command]:
    """How soon an asked meter answers."""
    return click.option(
        "--delay", type=FiniteRange(min=0), default=usual, help="Seconds from request to answer."
    )


def recorded_telegrams(recording: Path | None, split: Callable[[bytes], Sequence[bytes]]) -> Sequence[bytes]:
    """The telegrams of ``--file``; none without. Raises click.UsageError for a file that holds none."""
    if recording is None:
        return ()
    try:
        return split(hex_or_raw(recording.read_bytes()))
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--file {recording}: {error}") from None


def keys_to_encrypt(
    key: str | None, authentication_key: str | None, key_file: Path | None
) -> tuple[bytes, bytes | None, int]:
    """Both keys, and the frame counter to begin with. Raises click.UsageError without a key."""
    encryption, authentication = read_keys(key, authentication_key, key_file)
    if encryption is None:
        raise click.UsageError("--encrypt needs --key (32 hexadecimal digits of your choice) or --key-file")
    # A meter's counter goes on when it is switched on again; readers refuse one that begins anew.
    return encryption, authentication, int(time.time())


def refuse_unused_keys(key: str | None, authentication_key: str | None, key_file: Path | None) -> None:
    """Raise click.UsageError for keys of a meter that is not to encrypt: what it sends would be plain."""
    if key is not None or authentication_key is not None or key_file is not None:
        raise click.UsageError("the keys are for --encrypt, which is missing")
