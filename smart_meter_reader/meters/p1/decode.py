"""The command `decode p1`: every telegram of a capture, plain or encrypted."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from smart_meter_reader.codecs.ciphering.keys import Policy
from smart_meter_reader.codecs.p1.describe import Description, describe_capture
from smart_meter_reader.codecs.p1.dialect import DIALECTS
from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.encryption.header import find_header
from smart_meter_reader.codecs.parity import strip_parity
from smart_meter_reader.console import EXIT_DATA
from smart_meter_reader.console.capture import read_capture
from smart_meter_reader.drivers import Likeness
from smart_meter_reader.json_text import dumps_for
from smart_meter_reader.meters.cipher_keys import key_options, read_opener
from smart_meter_reader.text import plain


@click.command
@click.argument("capture", nargs=-1, required=True, metavar="FILE|-")
@key_options
@click.option(
    "--authentication",
    type=click.Choice(["require", "warn", "off"]),
    default="require",
    help="What a wrong tag means: the frame fails, a remark, or nothing (only the checksum counts).",
)
@click.option("--dialect", type=click.Choice(DIALECTS), help="Take this dialect instead of recognising it.")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object per telegram or failed frame and line."
)
@click.pass_context
def p1(
    context: click.Context,
    capture: tuple[str, ...],
    key: str | None,
    authentication_key: str | None,
    key_file: Path | None,
    authentication: Policy,
    dialect: str | None,
    as_json: bool,
) -> None:
    """Decode P1 telegrams of any dialect: DSMR, eMUCS, Smarty, T210-D-r and others.

    The capture is a file with the bytes of the line or hexadecimal text, or standard input (-). Line ends
    of plain telegrams may have lost their CR.

    Exit code 65 tells that a frame failed or that there was none.
    """
    opener = read_opener(Opener, key, authentication_key, key_file, authentication)
    failed = 0
    for description in describe_capture(read_capture(capture), opener, dialect=dialect or ""):
        failed += "error" in description
        click.echo(dumps_for(sys.stdout, description) if as_json else "\n".join(_lines(description)))
    if failed:
        context.exit(EXIT_DATA)


# Whole OBIS codes, or a checksum behind '!'. Readouts of the optical head have reduced codes as a rule, and
# where they have whole ones and no block around them either decoder reads them.
_LINES = re.compile(rb"^!\s*[0-9A-Fa-f]{4}\s*$|^[0-9]{1,2}-[0-9]{1,2}:[0-9A-F]{1,3}\.", re.MULTILINE)
_BLOCK = re.compile(rb"\x02[^\x02\x03]*\x03")


def sniff(capture: bytes) -> Likeness:
    """How much captured bytes look like P1 telegrams, plain or encrypted."""
    if find_header(capture) is not None:
        return Likeness.FRAMED
    text = strip_parity(capture)
    return Likeness.FRAMED if not _BLOCK.search(text) and _LINES.search(text) else Likeness.NONE


def _lines(description: Description) -> Iterator[str]:
    """A telegram as lines for a person."""
    if "error" in description:
        yield f"failed ({description['error']['kind']}): {description['error']['detail']}"
        return
    told = [description["header"], description["dialect"], f"checksum {description['checksum']}"]
    if description["frame_counter"] is not None:
        told.append(f"frame {description['frame_counter']} {description['authentication']}")
    if description["time"] is not None:
        told.append(f"{description['time']:%Y-%m-%d %H:%M:%S} UTC")
    yield ", ".join(text for text in told if text)
    yield from _values(description["measurements"])
    for medium, meter in description["meters"].items():
        yield f"  {medium} on channel {meter['channel']} {meter['serial_number']}".rstrip()
        yield from _values(meter["measurements"])
    for line in description.get("bad_lines", ()):
        yield f"  unreadable: {line!r}"


def _values(measurements: Mapping[str, Any]) -> Iterator[str]:
    width = max((len(quantity) for quantity in measurements), default=0)
    for quantity, item in measurements.items():
        value = item["value"]
        text = plain(value)
        when = f"  at {item['measured_at']:%Y-%m-%d %H:%M:%S} UTC" if "measured_at" in item else ""
        yield f"  {quantity:<{width}}  {text} {item['unit']}".rstrip() + when
