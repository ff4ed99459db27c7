"""The command `decode sml`: every telegram of a capture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from smart_meter_reader.codecs.capture import Description
from smart_meter_reader.codecs.sml.describe import describe_capture
from smart_meter_reader.codecs.sml.frame import START
from smart_meter_reader.console.capture import read_capture
from smart_meter_reader.drivers import Likeness
from smart_meter_reader.meters.decode import in_columns, json_option, show_telegrams, value_text
from smart_meter_reader.meters.sml.heard import PIN_SENTENCE


@click.command
@click.argument("capture", nargs=-1, required=True, metavar="HEX...|FILE|-")
@click.option("--public-key", is_flag=True, help="Show the meter's public key, too.")
@json_option()
@click.pass_context
def sml(context: click.Context, capture: tuple[str, ...], public_key: bool, as_json: bool) -> None:
    """Decode SML telegrams, which German electricity meters send at their optical head.

    The capture is hexadecimal digits, a file with those or with the bytes of the line, or standard
    input (-).

    Exit code 65 tells that a frame failed or that there was none.
    """
    described = describe_capture(read_capture(capture), public_key=public_key)
    show_telegrams(context, described, _lines, as_json=as_json)


def sniff(capture: bytes) -> Likeness:
    """How much captured bytes look like SML."""
    if START not in capture:
        return Likeness.NONE
    whole = any("error" not in description for description in describe_capture(capture))
    return Likeness.CHECKED if whole else Likeness.FRAMED


def _lines(description: Description) -> Iterator[str]:
    """A telegram as lines for a person."""
    if "error" in description:
        yield f"failed ({description['error']['kind']}): {description['error']['detail']}"
        return
    who = " ".join(filter(None, (description["manufacturer"], description["serial_number"])))
    told = [who or description["server_id"], f"checksum {description['checksum']}"]
    if description.get("pin") == "missing":
        told.append(PIN_SENTENCE)
    yield ", ".join(told)
    measurements, objects = description["measurements"], description["objects"]
    yield from _values(measurements, "  ")
    known = {id(item) for item in measurements.values()}
    others = {code: item for code, item in objects.items() if id(item) not in known}
    if others:
        yield "  what else it sends:"
        yield from _values(others, "    ")
    for quantity in description.get("corrected", ()):
        yield f"  {quantity} is corrected: this firmware tags it as signed though it is not"
    for reason in description.get("contradictory", ()):
        yield f"  {reason}: no quantity"
    for code in description.get("unread", ()):
        yield f"  {code} has no value that makes sense"


def _values(measurements: Mapping[str, Any], indent: str) -> Iterator[str]:
    return in_columns(
        ((name, value_text(item["value"], item["unit"])) for name, item in measurements.items()), indent
    )
