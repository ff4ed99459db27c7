"""The command `decode iec62056_21`: every answer in a capture of an optical head's line."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import click

from smart_meter_reader.codecs.iec62056_21.capture import decode_capture
from smart_meter_reader.codecs.iec62056_21.describe import Description, describe_capture
from smart_meter_reader.codecs.iec62056_21.frame import Request
from smart_meter_reader.codecs.iec62056_21.request import SHORT_REQUESTS
from smart_meter_reader.codecs.iec62056_21.scaling import Scaling, parse_program, scaling_of_program
from smart_meter_reader.codecs.parity import strip_parity
from smart_meter_reader.console import EXIT_DATA
from smart_meter_reader.console.capture import read_capture_or_text
from smart_meter_reader.drivers import Likeness
from smart_meter_reader.exceptions import ProtocolError, ValueFormatError
from smart_meter_reader.json_text import dumps_for
from smart_meter_reader.text import plain


@click.command("iec62056_21")
@click.argument("capture", nargs=-1, required=True, metavar="TEXT|HEX|FILE|-")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per answer and line.")
@click.option(
    "--request",
    type=click.Choice(SHORT_REQUESTS),
    default=None,
    help="The short request that was sent, where the capture does not hold it.",
)
@click.option(
    "--program", metavar="ABCCC", help="The meter's program number, which tells units and decimals."
)
@click.pass_context
def iec62056_21(
    context: click.Context,
    capture: tuple[str, ...],
    as_json: bool,
    request: str | None,
    program: str | None,
) -> None:
    """Decode answers of IEC 62056-21 meters and of MULTICAL 66C, III, 401 and 382.

    The capture is given as text with \\r, \\n and \\x02 for control characters, as hexadecimal, as a file of
    bytes or hexadecimal text, or as the same on standard input (-). Parity in the eighth bit is checked and
    taken off. The numbers of short answers get units and decimals where the capture holds the answer to
    /#2 or /#D, or --program tells them.

    Exit code 65 tells that an answer was damaged or that there was none.
    """
    described = describe_capture(
        read_capture_or_text(capture), request=request or "", scaling=_scaling(program)
    )
    for answer in described:
        click.echo(dumps_for(sys.stdout, answer) if as_json else "\n".join(_lines(answer)))
    if any("error" in answer for answer in described):
        context.exit(EXIT_DATA)


_DATA_SET = re.compile(rb"^[^()\r\n]{1,30}\([^()\r\n]*\)", re.MULTILINE)
# A short answer of a MULTICAL 66C, in spite of damage: fields of seven digits.
_FIELDS = re.compile(rb"(?:[0-9]{7} +){2}")


def sniff(capture: bytes) -> Likeness:
    """How much captured bytes look like IEC 62056-21: an undamaged answer, or at least a request, is sure."""
    decoded = decode_capture(capture)
    if any(
        (isinstance(answer, Request) and answer.text.startswith((b"/#", b"/?")))
        or not isinstance(answer, Request | ProtocolError)
        for answer in decoded
    ):
        return Likeness.FRAMED
    text = strip_parity(capture)
    return Likeness.SIMILAR if _DATA_SET.search(text) or _FIELDS.search(text) else Likeness.NONE


def _scaling(program: str | None) -> Scaling:
    if program is None:
        return Scaling()
    try:
        return scaling_of_program(parse_program(program))
    except ValueFormatError as error:
        raise click.UsageError(f"--program: {error}") from None


def _lines(answer: Description) -> Iterator[str]:
    """An answer as lines for a person: what it is, then what it holds."""
    if "error" in answer:
        yield f"damaged ({answer['error']['kind']}): {answer['error']['detail']}"
        return
    yield _heading(answer)
    if "measurements" in answer:
        yield from _table((key, _value(value)) for key, value in answer["measurements"].items())
    for title in ("fields", "objects"):
        if title in answer:
            yield f"  {title}:"
            yield from (f"  {line}" for line in _table((k, _value(v)) for k, v in answer[title].items()))
    for record in answer.get("records", ()):
        yield "  " + " ".join(record)
    for stray in answer.get("unread", ()):
        yield f"  not read: {stray!r}"


def _heading(answer: Description) -> str:
    words = [answer["kind"].replace("_", " ")]
    if "request" in answer:
        words.append(answer["request"])
    if "manufacturer" in answer:
        words.append(f"{answer['manufacturer']} {answer['ident']}, mode {answer['mode']}")
    if "bcc" in answer:
        words.append(f"(block check character: {answer['bcc']})")
    return " ".join(words)


def _table(rows: Iterator[tuple[str, str]]) -> Iterator[str]:
    listed = list(rows)
    width = max((len(name) for name, _ in listed), default=0)
    for name, value in listed:
        yield f"  {name:<{width}}  {value}".rstrip()


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_value(part) for part in value)
    if isinstance(value, dict):
        number = value["value"]
        return f"{plain(number)} {value['unit']}".rstrip()
    return str(value)
