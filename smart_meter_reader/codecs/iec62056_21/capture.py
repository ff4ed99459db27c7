"""Captures: every answer in a recorded piece of a line, each decoded on its own or told why not.

Used where nobody knows what was asked (`decode`); a client knows, and asks ``multical`` and ``data_set``
directly. A short answer's request is told by a recorded or echoed request before it, or by its shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice, takewhile
from typing import TypeAlias

from smart_meter_reader.codecs.iec62056_21.codes import USUAL_UNITS, AssumedUnits, measure
from smart_meter_reader.codecs.iec62056_21.data_set import DataSet, parse_data_sets
from smart_meter_reader.codecs.iec62056_21.frame import (
    DataBlock,
    Frame,
    FrameReader,
    Identification,
    Request,
    ShortLine,
)
from smart_meter_reader.codecs.iec62056_21.multical import (
    LOGGERS,
    SINGLE_LINE,
    FieldsError,
    ShortAnswer,
    Widths,
    measure_answer,
    parse_line,
    parse_record,
    split_fields,
)
from smart_meter_reader.codecs.iec62056_21.request import SHORT_REQUESTS
from smart_meter_reader.codecs.iec62056_21.scaling import (
    Scaling,
    parse_program,
    scaling_of_program,
    scaling_of_readout,
)
from smart_meter_reader.codecs.iec62056_21.serials import serial_number
from smart_meter_reader.exceptions import FrameError, IncompleteError, ProtocolError, ValueFormatError

Measured: TypeAlias = Mapping[str, tuple[Decimal | str, str]]
"""Value and unit by quantity key."""


@dataclass(frozen=True, slots=True)
class Readout:
    """A data message, and the identification before it where there was one."""

    identification: Identification | None
    sets: tuple[DataSet, ...]
    bcc: str
    unread: tuple[str, ...] = ()
    assumed: AssumedUnits = USUAL_UNITS

    def measured(self) -> Measured:
        measured: dict[str, tuple[Decimal | str, str]] = {**measure(self.sets, self.assumed)}
        serial = serial_number(self.sets)
        return {**measured, "serial_number": (serial, "")} if serial else measured


Decoded: TypeAlias = Identification | Readout | ShortAnswer | Request | ProtocolError


@dataclass(slots=True)
class _Context:
    """What was seen so far in a capture and helps with what follows."""

    request: str
    identification: Identification | None = None
    lines: list[ShortLine] = field(default_factory=list)


def decode_capture(capture: bytes, request: str = "") -> list[Decoded]:
    """Every answer in a capture, in order; a ProtocolError stands where one is damaged.

    ``request`` is the short request ("#1") that was sent, where the capture does not hold it. Requests are
    returned only when the capture holds nothing else. A capture without anything gives one error.
    """
    context = _Context(request)
    decoded: list[Decoded] = []
    requests: list[Decoded] = []
    for frame in _frames(capture):
        if not isinstance(frame, ShortLine):
            decoded += _finish_lines(context)
        if isinstance(frame, Request):
            requests.append(frame)
            name = frame.text[1:3].decode("ascii", "replace")
            context.request = name if name in SHORT_REQUESTS else request
        elif isinstance(frame, ShortLine):
            context.lines.append(frame)
        elif isinstance(frame, Identification):
            decoded += _pending_identification(context)
            context.identification = frame
        elif isinstance(frame, DataBlock):
            decoded.append(_decode_block(frame, context.identification))
            context.identification = None
        else:
            decoded += _pending_identification(context)
            decoded.append(frame)
    decoded += _pending_identification(context)
    decoded += _finish_lines(context)
    return decoded or requests or [ProtocolError("no_answer", "nothing in it is an answer of a meter")]


def readout_of(
    identification: Identification | None, block: DataBlock, assumed: AssumedUnits = USUAL_UNITS
) -> Readout:
    """The data sets of a data message. Raises FrameError."""
    parsed = parse_data_sets(block.text)
    return Readout(identification, parsed.sets, block.bcc.value, parsed.unread, assumed)


def scaling_of_capture(decoded: Iterable[Decoded]) -> Scaling:
    """What the programs and readouts in a capture tell about units and decimals."""
    scaling = Scaling()
    for answer in decoded:
        if isinstance(answer, ShortAnswer):
            scaling = scaling.completed_by(scaling_of_answer(answer))
    for answer in decoded:
        if isinstance(answer, Readout):
            scaling = scaling.completed_by(scaling_of_readout(answer.sets))
    return scaling


def scaling_of_answer(answer: ShortAnswer) -> Scaling:
    """What an answer to #2 or #D tells through its program; nothing from any other."""
    text = answer.fields.get("ABCCC") or answer.fields.get("ABCCCCCC")
    if not text:
        return Scaling()
    try:
        return scaling_of_program(parse_program(text))
    except ValueFormatError:
        return Scaling()


def measured_in(answer: Readout | ShortAnswer, scaling: Scaling) -> Measured:
    """Value and unit by quantity key of one answer."""
    return answer.measured() if isinstance(answer, Readout) else measure_answer(answer, scaling)


def _shape(line: bytes) -> Widths:
    return tuple(len(text) for text in split_fields(line))


def _longest_run(shapes: Sequence[Widths], start: int) -> tuple[str, int]:
    """The logger whose records the lines from ``start`` on can be, and how many ("", 1: none)."""
    best = ("", 1)
    for request, (first, later) in LOGGERS.items():
        if shapes[start] == first:
            run = takewhile(later.__contains__, islice(shapes, start + 1, None))
            count = 1 + sum(1 for _ in run)
            if count > best[1]:
                best = (request, count)
    return best


def _guess_single(shape: Widths, line: bytes) -> str:
    for request, fields in SINGLE_LINE.items():
        if shape == tuple(field.width for field in fields):
            # Nine fields of seven are also an answer to #1 that lost one, but for #4's second blank.
            return "" if request == "#4" and not line.endswith(b"  ") else request
    return next((request for request, (first, _) in LOGGERS.items() if shape == first), "")


def _frames(capture: bytes) -> Iterator[Frame | FrameError]:
    reader = FrameReader()
    reader.receive_data(capture)
    reader.end_of_data()
    while True:
        try:
            frame = reader.next_frame()
        except FrameError as error:
            yield error
            continue
        if frame is None:
            return
        yield frame


def _pending_identification(context: _Context) -> list[Decoded]:
    pending, context.identification = context.identification, None
    return [pending] if pending else []


def _decode_block(block: DataBlock, identification: Identification | None) -> Decoded:
    try:
        readout = readout_of(identification, block)
    except FrameError as error:
        return error
    if not readout.sets:
        return FrameError("data_set", "the data message holds no data set", block.text)
    return readout


def _finish_lines(context: _Context) -> list[Decoded]:
    lines, context.lines = context.lines, []
    known, context.request = context.request, ""
    if known in LOGGERS:
        return _decode_records(known, lines) if lines else []
    shapes = [_shape(line.text) if line.ended else () for line in lines]
    decoded: list[Decoded] = []
    place = 0
    while place < len(lines):
        request, count = _longest_run(shapes, place) if not known else ("", 1)
        group = lines[place : place + count]
        if count == 1 or _is_repetition(group):
            decoded += [
                _decode_line(known or _guess_single(_shape(line.text), line.text), line) for line in group
            ]
        else:
            # The record in which the capture stops belongs to the answer before it.
            count += place + count == len(lines) - 1 and not lines[-1].ended
            decoded += _decode_records(request, lines[place : place + count])
        place += count
    return decoded


def _is_repetition(lines: list[ShortLine]) -> bool:
    """Whether lines that could be a logger's are one and the same answer of one line, sent repeatedly.

    #B has the shape of a record of #8; but of its two volumes, minutes apart, the leading digits are equal.
    """
    try:
        volumes = {parse_line("#B", line.text).fields["volume1"][:3] for line in lines}
    except FrameError:
        return False
    return len(volumes) == 1


def _decode_line(request: str, line: ShortLine) -> Decoded:
    """One line that is an answer by itself."""
    if request in LOGGERS:
        return _decode_records(request, [line])[0]
    if not request:
        return _unknown(line)
    try:
        return parse_line(request, line.text)
    except FieldsError as error:
        if line.ended:
            return error
        return IncompleteError("incomplete", f"the answer breaks off: {error.detail}", error.frame)
    except FrameError as error:
        return error


def _decode_records(request: str, lines: list[ShortLine]) -> list[Decoded]:
    """The records of a logger that are whole, and an error for each that is not."""
    records: list[tuple[str, ...]] = []
    errors: list[Decoded] = []
    for line in lines:
        try:
            records.append(parse_record(request, line.text))
        except FrameError as error:
            if line.ended:
                errors.append(error)
            else:
                errors.append(
                    IncompleteError("incomplete", f"the answer breaks off: {error.detail}", error.frame)
                )
    answer: list[Decoded] = [ShortAnswer(request, {}, tuple(records))] if records else []
    return answer + errors


def _unknown(line: ShortLine) -> FrameError:
    texts = split_fields(line.text)
    if not line.ended:
        return IncompleteError("incomplete", f"the answer breaks off after {len(texts)} fields", line.text)
    odd = [text for text in texts if len(text) != 7]
    detail = f"no short answer has {len(texts)} fields" + (f", one of them {odd[0]!r}" if odd else "")
    return FieldsError("field_count", detail, line.text)
