"""The command `decode sml`: every telegram of a capture."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from smart_meter_reader.codecs.sml.describe import Description, describe_capture
from smart_meter_reader.codecs.sml.frame import START
from smart_meter_reader.console import EXIT_DATA
from smart_meter_reader.console.capture import read_capture
from smart_meter_reader.drivers import Likeness
from smart_meter_reader.json_text import dumps_for
from smart_meter_reader.meters.sml.heard import PIN_SENTENCE
from smart_meter_reader.text import plain


@click.command
@click.argument("capture", nargs=-1, required=True, metavar="HEX...|FILE|-")
@click.option("--public-key", is_flag=True, help="Show the meter's public key, too.")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object per telegram or failed frame and line."
)
@click.pass_context
def sml(context: click.Context, capture: tuple[str, ...], public_key: bool, as_json: bool) -> None:
    """Decode SML telegrams, which German electricity meters send at their optical head.

    The capture is hexadecimal digits, a file with those or with the bytes of the line, or standard
    input (-).

    Exit code 65 tells that a frame failed or that there was none.
    """
    failed = 0
    for description in describe_capture(read_capture(capture), public_key=public_key):
        failed += "error" in description
        click.echo(dumps_for(sys.stdout, description) if as_json else "\n".join(_lines(description)))
    if failed:
        context.exit(EXIT_DATA)


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
    for code in description.get("unread", ()):
        yield f"  {code} has no value that makes sense"


def _values(measurements: Mapping[str, Any], indent: str) -> Iterator[str]:
    width = max((len(name) for name in measurements), default=0)
    for name, item in measurements.items():
        yield f"{indent}{name:<{width}}  {plain(item['value'])} {item['unit']}".rstrip()
