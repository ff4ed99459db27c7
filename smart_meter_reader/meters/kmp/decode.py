"""The command `decode kmp`: every frame of a capture of the Kamstrup protocol."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import click

from smart_meter_reader.codecs.kmp.describe import Capture, Description, describe_capture
from smart_meter_reader.console import EXIT_DATA
from smart_meter_reader.console.capture import read_capture
from smart_meter_reader.drivers import Likeness
from smart_meter_reader.json_text import dumps_for
from smart_meter_reader.text import plain

_FRAME = re.compile(rb"[\x40\x80]\x3f[^\x40\x80\x0d]{3,}\x0d", re.DOTALL)


@click.command
@click.argument("capture", nargs=-1, required=True, metavar="HEX...|FILE|-")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per frame and line.")
@click.pass_context
def kmp(context: click.Context, capture: tuple[str, ...], as_json: bool) -> None:
    """Decode frames of the Kamstrup Meter Protocol (KMP).

    The capture is given as hexadecimal words (blanks, colons and 0x do not matter), as a file of bytes, of
    hexadecimal text or as `record` writes it, or as the same on standard input (-). Bytes between frames are
    skipped and counted.

    Exit code 65 tells that a frame was damaged or that there was none.
    """
    described = describe_capture(read_capture(capture))
    for frame in described.frames:
        click.echo(dumps_for(sys.stdout, frame) if as_json else "\n".join(_lines(frame)))
    for remark in _remarks(described):
        click.echo(remark, err=True)
    if described.damaged or not described.frames:
        context.exit(EXIT_DATA)


def sniff(capture: bytes) -> Likeness:
    """How much captured bytes look like KMP."""
    frames = describe_capture(capture).frames
    if any("error" not in frame and frame["direction"] != "ack" for frame in frames):
        return Likeness.CHECKED
    return Likeness.FRAMED if _FRAME.search(capture) else Likeness.NONE


def _remarks(capture: Capture) -> Iterator[str]:
    if not capture.frames:
        yield "no KMP frame found: a frame starts with 80 or 40 and ends with 0D"
    if capture.damaged:
        yield f"{_counted(capture.damaged, 'frame')} of {len(capture.frames)} damaged"
    if capture.skipped_bytes:
        yield f"{_counted(capture.skipped_bytes, 'byte')} outside of frames skipped"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _lines(frame: Description) -> Iterator[str]:
    """A frame as lines for a person: who says what to whom, then what it carries."""
    if frame["direction"] == "ack":
        yield "acknowledge"
        return
    if "command" in frame:
        command = frame["command"] if frame["command"] != "unknown" else "unknown command"
        yield f"{frame['direction']} {command} (CID {frame['cid']:02X}h, address {frame['address']:02X}h)"
    else:
        yield f"{frame['direction']} {frame['bytes']}"
    if "error" in frame:
        yield f"  damaged ({frame['error']['kind']}): {frame['error']['detail']}"
    for key in ("serial_number", "meter_type", "software_revision", "model", "payload"):
        if frame.get(key, "") != "":
            yield f"  {key.replace('_', ' ')}: {frame[key]}"
    registers = frame.get("registers", [])
    width = max((len(register["name"]) for register in registers), default=0)
    for register in registers:
        yield f"  {register['id']:>5}  {register['name']:<{width}}  {_value(register)}".rstrip()


def _value(register: dict[str, Any]) -> str:
    if "error" in register:
        return f"unreadable: {register['error']['detail']}"
    if "value" not in register:
        return ""
    value = register["value"]
    if value is None:
        return "not set"
    text = plain(value)
    return f"{text} {register['unit']}".rstrip()
