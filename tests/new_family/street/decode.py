"""The command `decode street`."""

from __future__ import annotations

import sys

import click

from smart_meter_reader.console import EXIT_DATA
from smart_meter_reader.console.capture import read_capture
from smart_meter_reader.drivers import Likeness
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.json_text import dumps_for
from tests.new_family.street.codec import FRAME, decode


@click.command
@click.argument("capture", nargs=-1, required=True, metavar="HEX...|FILE|-")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per answer and line.")
@click.pass_context
def street(context: click.Context, capture: tuple[str, ...], as_json: bool) -> None:
    """Decode answers of street meters."""
    frames = [found[0] for found in FRAME.finditer(read_capture(capture))]
    for frame in frames:
        try:
            answer = decode(frame)
        except FrameError as error:
            click.echo(f"damaged: {error.detail}", err=True)
            context.exit(EXIT_DATA)
        told = {"protocol": "street", "number": answer.number, "energy": answer.energy}
        click.echo(dumps_for(sys.stdout, told) if as_json else f"{answer.number}: {answer.energy} kWh")
    if not frames:
        context.exit(EXIT_DATA)


def sniff(capture: bytes) -> Likeness:
    """How much captured bytes look like the street protocol."""
    return Likeness.CHECKED if FRAME.search(capture) else Likeness.NONE


def unread(capture: bytes) -> str:
    return "a street's answer without its end" if capture.startswith(b"*") and b"#" not in capture else ""
