"""The command `decode dlms`: every telegram of a capture, plain or encrypted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from smart_meter_reader.codecs.capture import Description
from smart_meter_reader.codecs.ciphering.keys import Policy
from smart_meter_reader.codecs.dlms.bare import find_notifications
from smart_meter_reader.codecs.dlms.cipher import DlmsOpener
from smart_meter_reader.codecs.dlms.describe import describe_capture
from smart_meter_reader.codecs.dlms.reader import DlmsReader
from smart_meter_reader.codecs.other_protocols import other_protocol
from smart_meter_reader.console.capture import read_capture
from smart_meter_reader.drivers import Likeness
from smart_meter_reader.exceptions import DecryptionError, FrameError
from smart_meter_reader.meters.cipher_keys import key_options, read_opener
from smart_meter_reader.meters.decode import (
    authentication_option,
    in_columns,
    json_option,
    show_telegrams,
    value_text,
)
from smart_meter_reader.text import plain


@click.command
@click.argument("capture", nargs=-1, required=True, metavar="HEX...|FILE|-")
@key_options
@authentication_option("nothing")
@json_option()
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
    described = describe_capture(read_capture(capture), opener)
    show_telegrams(context, described, _lines, as_json=as_json)


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


def unread(capture: bytes) -> str:
    """Frames that usually carry DLMS, without any of it."""
    frames = {"hdlc": "HDLC", "dlms": "M-Bus"}.get(other_protocol(capture) or "")
    return f"{frames} frames without a whole notification of DLMS in them" if frames else ""


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
    measured = description["measurements"].items()
    yield from in_columns((quantity, value_text(item["value"], item["unit"])) for quantity, item in measured)
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
