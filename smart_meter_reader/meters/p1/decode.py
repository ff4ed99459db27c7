"""The command `decode p1`: every telegram of a capture, plain or encrypted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from smart_meter_reader.codecs.capture import Description
from smart_meter_reader.codecs.ciphering.keys import Policy
from smart_meter_reader.codecs.p1.describe import describe_capture
from smart_meter_reader.codecs.p1.dialect import DIALECTS
from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.encryption.header import find_header
from smart_meter_reader.codecs.parity import strip_parity
from smart_meter_reader.console.capture import read_capture
from smart_meter_reader.drivers import Likeness
from smart_meter_reader.meters.cipher_keys import key_options, read_opener
from smart_meter_reader.meters.decode import (
    authentication_option,
    in_columns,
    json_option,
    show_telegrams,
    value_text,
)


@click.command
@click.argument("capture", nargs=-1, required=True, metavar="FILE|-")
@key_options
@authentication_option("nothing (only the checksum counts)")
@click.option("--dialect", type=click.Choice(DIALECTS), help="Take this dialect instead of recognising it.")
@json_option()
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
    described = describe_capture(read_capture(capture), opener, dialect=dialect or "")
    show_telegrams(context, described, _lines, as_json=as_json)


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
    return in_columns((quantity, _value(item)) for quantity, item in measurements.items())


def _value(item: Mapping[str, Any]) -> str:
    when = f"  at {item['measured_at']:%Y-%m-%d %H:%M:%S} UTC" if "measured_at" in item else ""
    return value_text(item["value"], item["unit"]) + when
