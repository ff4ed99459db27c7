"""The command `decode iec62056_21`: every answer in a capture of an optical head's line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import click

from smart_meter_reader.codecs.capture import Description
from smart_meter_reader.codecs.iec62056_21.capture import decode_capture
from smart_meter_reader.codecs.iec62056_21.describe import describe_capture
from smart_meter_reader.codecs.iec62056_21.frame import Request
from smart_meter_reader.codecs.iec62056_21.request import SHORT_REQUESTS
from smart_meter_reader.codecs.iec62056_21.scaling import Scaling, parse_program, scaling_of_program
from smart_meter_reader.codecs.parity import strip_parity
from smart_meter_reader.console import EXIT_DATA
from smart_meter_reader.console.capture import read_capture_or_text
from smart_meter_reader.drivers import Likeness
from smart_meter_reader.exceptions import ProtocolError, ValueFormatError
from smart_meter_reader.meters.decode import in_columns, json_option, show_telegrams, value_text


@click.command("iec62056_21")
@click.argument("capture", nargs=-1, required=True, metavar="TEXT|HEX|FILE|-")
@json_option("answer")
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
    show_telegrams(context, described, _lines, as_json=as_json)
    if any("doubtful" in answer.get("log", ()) for answer in described):
        context.exit(EXIT_DATA)


_DATA_SET = re.compile(rb"^[^()\r\n]{1,30}\([^()\r\n]*\)", re.MULTILINE)
# A short answer of a MULTICAL 66C, in spite of damage: fields of seven digits.
_FIELDS = re.compile(rb"(?:[0-9]{7} +){2}")


_COLUMNS = {
    "heat_energy": "energy",
    "flow_temperature": "t1",
    "return_temperature": "t2",
    "temperature_t3": "t3",
    "info_code": "info",
    "power_maximum_month": "peak power",
}
_SENSORS = frozenset({"t1", "t2", "t3"})
_MOST_TOLD = 5  # lines that give no row, to a person


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
    if "note" in answer:
        yield f"  {answer['note']}"
    if "measurements" in answer:
        yield from in_columns((key, _value(value)) for key, value in answer["measurements"].items())
    for title in ("fields", "objects"):
        if title in answer:
            yield f"  {title}:"
            yield from (f"  {line}" for line in in_columns((k, _value(v)) for k, v in answer[title].items()))
    if "log" in answer:
        yield from _log_lines(answer["log"])
    for stray in answer.get("unread", ()):
        yield f"  not read: {stray!r}"


def _log_lines(log: Description) -> Iterator[str]:
    """The rows of a logger in columns, then what gave no row."""
    rows = [_log_cells(row) for row in log["rows"]]
    columns = [
        name
        for name in dict.fromkeys(name for row in rows for name in row)
        if not name.startswith("+") or any(row.get(name, "0").strip("0. ")[:1].isdigit() for row in rows)
    ]
    widths = {name: max(len(name), *(len(row.get(name, "")) for row in rows)) for name in columns}
    yield f"  {log['logger']} logger, {len(rows)} rows"
    for row in [dict(zip(columns, columns, strict=True)), *rows] if rows else ():
        yield ("  " + "  ".join(f"{row.get(name, ''):<{widths[name]}}" for name in columns)).rstrip()
    doubtful = log.get("doubtful", ())
    for doubt in doubtful[:_MOST_TOLD]:
        yield f"  line {doubt['line']} gives no row ({doubt['reason']}): {doubt['detail']}"
    if len(doubtful) > _MOST_TOLD:
        yield f"  nor do {len(doubtful) - _MOST_TOLD} more lines (--json tells them all)"
    for note in log.get("notes", ()):
        yield f"  {note}"


def _log_cells(row: Description) -> dict[str, str]:
    """A row by column, which are named as in the manual so that a row fits a terminal."""
    cells = {"ended": row["time"][:16].replace("T", " ")} if "time" in row else {"date": row["date"]}
    cells |= {_column(key): _value(value) for key, value in row["measurements"].items()}
    cells |= {f"+{_column(key)}": _value(value) for key, value in row.get("added", {}).items()}
    digits = row["digits"].items()
    # What a missing sensor shows is of no use to a person; --json has it.
    return cells | {name: text for name, text in digits if text.strip("0") and name not in _SENSORS}


def _column(quantity: str) -> str:
    return _COLUMNS.get(quantity.partition("_average_")[0], quantity)


def _heading(answer: Description) -> str:
    words = [answer["kind"].replace("_", " ")]
    if "request" in answer:
        words.append(answer["request"])
    if "manufacturer" in answer:
        words.append(f"{answer['manufacturer']} {answer['ident']}, mode {answer['mode']}")
    if "bcc" in answer:
        words.append(f"(block check character: {answer['bcc']})")
    return " ".join(words)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_value(part) for part in value)
    if isinstance(value, dict):
        number = value["value"]
        return value_text(number, value["unit"])
    return str(value)
