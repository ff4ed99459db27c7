"""The command `decode mbus`: every frame of a capture of an M-Bus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from smart_meter_reader.codecs.capture import Description
from smart_meter_reader.codecs.mbus.describe import (
    describe_capture,
    frame_name,
)
from smart_meter_reader.codecs.mbus.header import maker_letters
from smart_meter_reader.console.capture import read_capture
from smart_meter_reader.drivers import Likeness
from smart_meter_reader.meters.decode import in_columns, json_option, show_frames, value_text

_DLMS = "dlms"
# EN 13757-4: what a meter sends by radio begins with its length, C field and maker.
_WIRELESS_CONTROLS = frozenset({0x44, 0x46})
_WIRELESS_HEAD = 10
_SPELT = {"m3": "m³", "m3/h": "m³/h", "m3/min": "m³/min", "m3/s": "m³/s", "degC": "°C", "degF": "°F"}

_BY_RADIO = "this is a telegram of wireless M-Bus, not read here: docs/wmbus.md tells what does that"
_NOTHING = "no M-Bus frame found: one is 68 L L 68 ... 16, 10 ... 16 or E5"


@click.command
@click.argument("capture", nargs=-1, required=True, metavar="HEX...|FILE|-")
@json_option("frame")
@click.pass_context
def mbus(context: click.Context, capture: tuple[str, ...], as_json: bool) -> None:
    """Decode frames of wired M-Bus (EN 13757).

    The capture is given as hexadecimal words (blanks, colons and 0x do not matter), as a file of bytes, of
    hexadecimal text or as `record` writes it, or as the same on standard input (-). Bytes between frames are
    skipped and counted. Records have the values and units as sent; measurements are what a client publishes.

    Exit code 65 tells that a frame was damaged or could not be read, or that there was none.
    """
    octets = read_capture(capture)
    nothing = _BY_RADIO if looks_wireless(octets) else _NOTHING
    show_frames(context, describe_capture(octets), _lines, nothing, "cannot be read", as_json=as_json)


def sniff(capture: bytes) -> Likeness:
    """How much captured bytes look like M-Bus with values: DLMS comes in the same frames."""
    found = Likeness.NONE
    for frame in describe_capture(capture).frames:
        if frame["frame"] == "long":
            whole = "bytes" not in frame and frame.get("error", {}).get("kind") != _DLMS
            found = max(found, Likeness.CHECKED if whole else Likeness.FRAMED)
        elif frame["frame"] == "short" and "error" not in frame:
            found = max(found, Likeness.FRAMED)
    return found


def looks_wireless(octets: bytes) -> bool:
    """Whether this is a telegram of wireless M-Bus: its length, C field SND-NR or SND-IR, and a maker."""
    return (
        len(octets) > _WIRELESS_HEAD
        and octets[0] in (len(octets) - 1, len(octets) - 3)
        and octets[1] in _WIRELESS_CONTROLS
        and maker_letters(octets[2:4]).isalpha()
    )


def _lines(frame: Description) -> Iterator[str]:
    """A frame as lines for a person: who says what, then what it carries."""
    if "bytes" in frame:
        yield f"{frame['frame']} frame {frame['bytes']}"
        yield f"  damaged ({frame['error']['kind']}): {frame['error']['detail']}"
        return
    yield _heading(frame)
    if "error" in frame:
        yield f"  not read ({frame['error']['kind']}): {frame['error']['detail']}"
        return
    if "secondary_address" in frame:
        yield f"  secondary address: {frame['secondary_address']}"
    if states := frame.get("states"):
        yield f"  reports: {', '.join(states)}"
    yield from in_columns(_record_row(record) for record in frame.get("records", ()))
    for record in frame.get("missing", ()):
        yield f"  {record['quantity']}{_where(record)}: no value, {record['why']}"
    if "manufacturer_data" in frame:
        yield f"  manufacturer data: {frame['manufacturer_data']}"
    if frame.get("more_follows"):
        yield "  more records follow in the next telegram"
    if measurements := frame.get("measurements"):
        yield "  measurements:"
        rows = ((key, value_text(each["value"], each["unit"])) for key, each in measurements.items())
        yield from (f"  {line}" for line in in_columns(rows))


def _heading(frame: Description) -> str:
    if "records" not in frame:
        address = f" from {frame['address']}" if "address" in frame and "request" not in frame else ""
        return frame_name(frame) + address
    who = " ".join(
        str(part)
        for part in (frame.get("manufacturer", ""), frame.get("model", ""), frame.get("id", ""))
        if part
    )
    return f"answer from {frame['address']}: {who or 'no header'}, {frame['medium']}"


def _record_row(record: dict[str, Any]) -> tuple[str, str]:
    modifiers = [each for each in record.get("modifiers", ()) if each not in record["quantity"].lower()]
    added = f" [{' '.join(modifiers)}]" if modifiers else ""
    unit = _SPELT.get(record["unit"], record["unit"])
    return record["quantity"] + added + _where(record), value_text(record["value"], unit)


def _where(record: dict[str, Any]) -> str:
    """What tells a record from others of its quantity."""
    told = [] if record["function"] == "instantaneous" else [record["function"]]
    told += [f"{key} {record[key]}" for key in ("storage", "tariff", "subunit") if record[key]]
    return f" ({', '.join(told)})" if told else ""
