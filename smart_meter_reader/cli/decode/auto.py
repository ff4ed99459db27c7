"""The command `decode auto`: finds out which protocol a capture is of and has it decoded as that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from smart_meter_reader.cli import EXIT_DATA
from smart_meter_reader.cli.decode.guessing import guess_protocol
from smart_meter_reader.meters.iec62056_21.decode import bytes_of, iec62056_21
from smart_meter_reader.meters.kmp.decode import kmp
from smart_meter_reader.meters.p1.keys import key_options


@click.command
@click.argument("capture", nargs=-1, required=True, metavar="HEX...|FILE|-")
@key_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object per frame and line.")
@click.pass_context
def auto(
    context: click.Context,
    capture: tuple[str, ...],
    key: str | None,
    authentication_key: str | None,
    key_file: Path | None,
    as_json: bool,
) -> None:
    """Decode a capture of any of the protocols.

    The capture is given as for the others. Which protocol it was taken for is told on standard error. The
    keys are for encrypted P1 telegrams.

    Exit code 65 tells that no protocol was recognised, that a frame was damaged or that there was none.
    """
    captured = bytes_of(capture)
    protocol = guess_protocol(captured)
    if not protocol:
        click.echo("not recognised: none of KMP, P1 and IEC 62056-21 looks like this", err=True)
        context.exit(EXIT_DATA)
    click.echo(f"taken for {_NAMES[protocol]}; decode {protocol} has more options", err=True)
    # Handed on as digits, since standard input can be read only once.
    words = (captured.hex(),)
    if protocol == "kmp":
        context.invoke(kmp, capture=words, as_json=as_json)
    elif protocol == "iec62056_21":
        context.invoke(iec62056_21, capture=words, as_json=as_json)
    else:
        # Imported only when needed: it brings the P1 libraries.
        from smart_meter_reader.meters.p1.decode import p1

        keys: dict[str, Any] = {"key": key, "authentication_key": authentication_key, "key_file": key_file}
        context.invoke(p1, capture=words, as_json=as_json, **keys)


_NAMES = {"kmp": "KMP (Kamstrup)", "p1": "P1", "iec62056_21": "IEC 62056-21"}
