"""The command `decode kmp`: every frame of a capture of the Kamstrup protocol."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import click

from smart_meter_reader.codecs.capture import Description
from smart_meter_reader.codecs.info_codes import reports
from smart_meter_reader.codecs.kmp.describe import describe_capture
from smart_meter_reader.codecs.kmp.registers import resolve_register
from smart_meter_reader.console.capture import read_capture
from smart_meter_reader.drivers import Likeness
from smart_meter_reader.meters.decode import json_option, show_frames
from smart_meter_reader.text import plain

_INFO_BITS = resolve_register("info_bits").id
_FRAME = re.compile(rb"[\x40\x80][\x3f\x7f\xbf][^\x40\x80\x0d]{3,}\x0d", re.DOTALL)
_ABOUT_LOGGERS = ("log_request", "log", "configuration", "event_status")

_NOTHING = "no KMP frame found: a frame starts with 80 or 40 and ends with 0D"


@click.command
@click.argument("capture", nargs=-1, required=True, metavar="HEX...|FILE|-")
@json_option("frame")
@click.pass_context
def kmp(context: click.Context, capture: tuple[str, ...], as_json: bool) -> None:
    """Decode frames of the Kamstrup Meter Protocol (KMP).

    The capture is given as hexadecimal words (blanks, colons and 0x do not matter), as a file of bytes, of
    hexadecimal text or as `record` writes it, or as the same on standard input (-). Bytes between frames are
    skipped and counted.

    Exit code 65 tells that a frame was damaged or that there was none.
    """
    described = describe_capture(read_capture(capture))
    show_frames(context, described, _lines, _NOTHING, "damaged", as_json=as_json)


def sniff(capture: bytes) -> Likeness:
    """How much captured bytes look like KMP."""
    frames = describe_capture(capture).frames
    if any("error" not in frame and frame["direction"] != "ack" for frame in frames):
        return Likeness.CHECKED
    return Likeness.FRAMED if _FRAME.search(capture) else Likeness.NONE


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
    about_loggers = [line for key in _ABOUT_LOGGERS if key in frame for line in _logger_lines(frame[key])]
    told = ["serial_number", "meter_type", "software_revision", "model"]
    if not about_loggers:  # the bytes of what is told in words are in the JSON
        told.append("payload")
    for key in told:
        if frame.get(key, "") != "":
            yield f"  {_words(key)}: {frame[key]}"
    yield from about_loggers
    yield from _registers(frame.get("registers", []), "  ")


def _logger_lines(told: dict[str, Any]) -> Iterator[str]:
    """What is asked of a logger, or what it answers: its places and limits, then row by row."""
    for key, value in told.items():
        if key in ("rows", "registers") or value is None:
            continue
        text = "; ".join(value) if isinstance(value, list) else value
        yield f"  {_words(key)}: {text if text != '' else 'nothing'}"
    yield from _registers(told.get("registers", []), "  ")
    for row in told.get("rows", []):
        yield f"  entry {row['log_id']}" + (f", {row['time']} standard time" if row["time"] else "")
        yield from _registers(row["registers"], "    ")


def _words(key: str) -> str:
    return key.replace("_", " ")


def _registers(registers: list[dict[str, Any]], indent: str) -> Iterator[str]:
    width = max((len(register["name"]) for register in registers), default=0)
    for register in registers:
        yield f"{indent}{register['id']:>5}  {register['name']:<{width}}  {_value(register)}".rstrip()


def _value(register: dict[str, Any]) -> str:
    if "error" in register:
        return f"unreadable: {register['error']['detail']}"
    if "value" not in register:
        return ""
    value = register["value"]
    if value is None:
        return "not set"
    text = f"{plain(value)} {register['unit']}".rstrip()
    if register["id"] == _INFO_BITS and isinstance(value, Decimal | int) and 0 < value < 2**32:
        return f"{text}: {'; '.join(report.sentence for report in reports('', None, int(value)))}"
    return f"{text} + {register['dst_minutes']} min of summer time" if register.get("dst_minutes") else text
