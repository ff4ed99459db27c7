"""The command `decode dlms`: every telegram of a capture, plain or encrypted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from smart_meter_reader.codecs.ciphering.keys import Policy
from smart_meter_reader.codecs.dlms.bare import find_notifications
from smart_meter_reader.codecs.dlms.cipher import DlmsOpener
from smart_meter_reader.codecs.dlms.describe import Description, describe_capture
from smart_meter_reader.codecs.dlms.reader import DlmsReader
from smart_meter_reader.console import EXIT_DATA
from smart_meter_reader.console.capture import read_capture
from smart_meter_reader.drivers import Likeness
from smart_meter_reader.exceptions import DecryptionError, FrameError
from smart_meter_reader.json_text import dumps_for
from smart_meter_reader.meters.cipher_keys import key_options, read_opener
from smart_meter_reader.text import plain


@click.command
@click.argument("capture", nargs=-1, required=True, metavar="HEX...|FILE|-")
@key_options
@click.option(
    "--authentication",
    type=click.Choice(["require", "warn", "off"]),
    default="require",
    help="What a wrong tag means: the frame fails, a remark, or nothing.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object per telegram or failed frame and line."
)
@click.pass_context
def dlms(
    context: click.Context,
    capture: tuple[str, ...],
    key: str | None,
    authentication_key: str | None,
    key_file: Path | None,
    authentication: Policy,
    as_json: bool,
) -> None:
    """Decode what electricity meters push as DLMS: in HDLC or M-Bus frames or in none, plain or encrypted.

    The capture is a file with the bytes of the line or hexadecimal text, hexadecimal digits, or standard
    input (-).

    Exit code 65 tells that a frame failed or that there was none.
    """
    opener = read_opener(DlmsOpener, key, authentication_key, key_file, authentication)
    failed = 0
    for description in describe_capture(read_capture(capture), opener):
        failed += "error" in description
        click.echo(dumps_for(sys.stdout, description) if as_json else "\n".join(_lines(description)))
    if failed:
        context.exit(EXIT_DATA)


def sniff(capture: bytes) -> Likeness:
    """How much captured bytes look like DLMS pushes, plain or encrypted."""
    reader = DlmsReader()
    reader.receive_data(capture)
    reader.finish()
    found = Likeness.NONE
    while True:
        try:
            telegram = reader.next_telegram()
        except DecryptionError:
            return Likeness.CHECKED
        except FrameError:
            found = Likeness.FRAMED
            continue
        if telegram is None:
            return Likeness.FRAMED if any(find_notifications(capture)) else found
        return Likeness.FRAMED if telegram.envelope.framing == "none" else Likeness.CHECKED


def _lines(description: Description) -> Iterator[str]:
    """A telegram as lines for a person."""
    if "error" in description:
        yield f"failed ({description['error']['kind']}): {description['error']['detail']}"
        return
    who = [description[key] for key in ("manufacturer", "model", "serial_number")]
    told = [" ".join(filter(None, who)), description["framing"], f"{description['layout']} layout"]
    if description["frame_counter"] is not None:
        told.append(f"frame {description['frame_counter']} {description['authentication']}")
    if description["time"] is not None:
        told.append(description["time"].replace("T", " "))
    yield ", ".join(filter(None, told))
    measurements = description["measurements"]
    width = max((len(quantity) for quantity in measurements), default=0)
    for quantity, item in measurements.items():
        yield f"  {quantity:<{width}}  {plain(item['value'])} {item['unit']}".rstrip()
    if "unscaled" in description:
        yield f"  left out, since nothing tells what a step is worth: {', '.join(description['unscaled'])}"
    for item in description.get("unread", ()):
        yield f"  left out, since nothing tells what it is: {item['code']}, {_raw(item)}"
    for item in description.get("unknown_list", ()):
        yield f"  {_raw(item)}"


def _raw(item: Description) -> str:
    """A value with its type, and its parts where it has some."""
    value = item["value"]
    told = f"({', '.join(map(_raw, value))})" if isinstance(value, list) else plain(value)
    return f"{item['type']}: {told}"
