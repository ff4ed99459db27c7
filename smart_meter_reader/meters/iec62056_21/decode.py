"""The command `decode iec62056_21`: every answer in a capture of an optical head's line."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import click

from smart_meter_reader.cli import EXIT_DATA
from smart_meter_reader.codecs.iec62056_21.describe import Description, describe_capture
from smart_meter_reader.codecs.iec62056_21.request import SHORT_REQUESTS
from smart_meter_reader.codecs.iec62056_21.scaling import Scaling, parse_program, scaling_of_program
from smart_meter_reader.console.capture import read_capture
from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.json_text import dumps_for

_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|([rnt\\0]))")
_ESCAPED = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\", "0": "\0"}


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
    described = describe_capture(bytes_of(capture), request=request or "", scaling=_scaling(program))
    for answer in described:
        click.echo(dumps_for(sys.stdout, answer) if as_json else "\n".join(_lines(answer)))
    if any("error" in answer for answer in described):
        context.exit(EXIT_DATA)


def bytes_of(words: tuple[str, ...]) -> bytes:
    """The bytes that the arguments stand for: as ``read_capture`` has it, or else text as it is sent."""
    try:
        return read_capture(words)
    except click.UsageError:
        text = " ".join(words)
        # Whatever looks like an answer is one; a lone word is more likely a file name mistyped.
        if len(words) == 1 and not re.search(r"[\s(\\]|^/[A-Za-z?#]+[^/]*$", text):
            raise
        sent = _unescaped(text)
        # An identification or a request is a line, whose end a shell user need not type.
        return sent + b"\r\n" if sent.startswith(b"/") and not sent.endswith((b"\r", b"\n")) else sent


def _unescaped(text: str) -> bytes:
    plain = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _ESCAPED[m[2]], text)
    try:
        return plain.encode("latin-1")
    except UnicodeEncodeError:
        return os.fsencode(plain)


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
        text = format(number, "f") if isinstance(number, Decimal) else str(number)
        return f"{text} {value['unit']}".rstrip()
    return str(value)
