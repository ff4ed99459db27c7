"""Captures: every answer in a recorded piece of a line, each decoded on its own or told why not.

Used where nobody knows what was asked (`decode`); a client knows, and asks ``multical`` and ``data_set``
directly. A short answer's request is told by a recorded or echoed request before it, or by its shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
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
from smart_meter_reader.codecs.iec62056_21.guess import (
    day_or_hour,
    guess_single,
    is_repetition,
    longest_run,
    shape,
)
from smart_meter_reader.codecs.iec62056_21.log.table import Arrived, LogTable, parse_log
from smart_meter_reader.codecs.iec62056_21.multical import (
    LOGGERS,
    FieldsError,
    ShortAnswer,
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
from smart_meter_reader.quantities.measurement import Measurement

Measured: TypeAlias = dict[str, Measurement]
"""Measurements by quantity key."""


@dataclass(frozen=True, slots=True)
class Readout:
    """A data message, and the identification before it where there was one."""

    identification: Identification | None
    sets: tuple[DataSet, ...]
    bcc: str
    unread: tuple[str, ...] = ()
    assumed: AssumedUnits = USUAL_UNITS

    @property
    def announced(self) -> str:
        """How the meter announced itself, the maker's letters first; "" where that was not seen."""
        who = self.identification
        return f"{who.manufacturer}{who.ident}" if who is not None else ""

    def measured(self) -> Measured:
        measured = measure(self.sets, self.assumed)
        serial = serial_number(self.sets, self.announced)
        if serial:
            measured["serial_number"] = {"value": serial, "unit": ""}
        return measured


@dataclass(frozen=True, slots=True)
class LoggerAnswer:
    """A logger's answer: its whole records as sent, and its table, in which only sound ones are."""

    request: str
    records: tuple[tuple[str, ...], ...]
    table: LogTable


Decoded: TypeAlias = Identification | Readout | ShortAnswer | LoggerAnswer | Request | ProtocolError


@dataclass(slots=True)
class _Context:
    """What was seen so far in a capture and helps with what follows."""

    request: str
    identification: Identification | None = None
    lines: list[Arrived] = field(default_factory=list)  # errors only inside a logger's answer


def decode_capture(capture: bytes, request: str = "") -> list[Decoded]:
    """Every answer in a capture, in order; a ProtocolError stands where one is damaged.

    ``request`` is the short request ("#1") that was sent, where the capture does not hold it. Requests are
    returned only when the capture holds nothing else. A capture without anything gives one error.
    """
    context = _Context(request)
    decoded: list[Decoded] = []
    requests: list[Decoded] = []
    for frame in _frames(capture):
        if isinstance(frame, FrameError) and _in_log(context):
            context.lines.append(frame)
            continue
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
    """The measurements of one answer."""
    return answer.measured() if isinstance(answer, Readout) else measure_answer(answer, scaling)


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


def _in_log(context: _Context) -> bool:
    """Whether the lines so far are those of a logger, so that what is damaged among them is one more."""
    if not context.lines or context.request:
        return bool(context.lines) and context.request in LOGGERS
    return _logger_of(context.lines)[1] == len(context.lines) > 1


def _logger_of(lines: Sequence[Arrived]) -> tuple[str, int]:
    """The logger whose answer the first lines can be, and how many of them; damaged ones can be any's."""
    whole = [line for line in lines if isinstance(line, ShortLine)]
    request, count = longest_run([shape(line.text) for line in whole], 0)
    return request, count + len(lines) - len(whole)


def _finish_lines(context: _Context) -> list[Decoded]:
    arrived, context.lines = context.lines, []
    known, context.request = context.request, ""
    if known in LOGGERS:
        return _decode_records(known, arrived) if arrived else []
    lines = [line for line in arrived if isinstance(line, ShortLine)]
    if len(lines) < len(arrived):
        return _decode_records(day_or_hour(_logger_of(arrived)[0], lines), arrived)
    shapes = [shape(line.text) if line.ended else () for line in lines]
    decoded: list[Decoded] = []
    place = 0
    while place < len(lines):
        request, count = longest_run(shapes, place) if not known else ("", 1)
        group = lines[place : place + count]
        if count == 1 or is_repetition(group):
            decoded += [
                _decode_line(known or guess_single(shape(line.text), line.text), line) for line in group
            ]
        else:
            # The record in which the capture stops belongs to the answer before it.
            count += place + count == len(lines) - 1 and not lines[-1].ended
            decoded += _decode_records(day_or_hour(request, group), lines[place : place + count])
        place += count
    return decoded


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


def _decode_records(request: str, lines: Sequence[Arrived]) -> list[Decoded]:
    """The records of a logger that are whole, and an error for each that is not."""
    records: list[tuple[str, ...]] = []
    errors: list[Decoded] = []
    for line in lines:
        if isinstance(line, FrameError):
            errors.append(line)
            continue
        try:
            records.append(parse_record(request, line.text))
        except FrameError as error:
            if line.ended:
                errors.append(error)
            else:
                errors.append(
                    IncompleteError("incomplete", f"the answer breaks off: {error.detail}", error.frame)
                )
    if not records:
        return errors
    return [LoggerAnswer(request, tuple(records), parse_log(request, lines)), *errors]


def _unknown(line: ShortLine) -> FrameError:
    texts = split_fields(line.text)
    if not line.ended:
        return IncompleteError("incomplete", f"the answer breaks off after {len(texts)} fields", line.text)
    odd = [text for text in texts if len(text) != 7]
    detail = f"no short answer has {len(texts)} fields" + (f", one of them {odd[0]!r}" if odd else "")
    return FieldsError("field_count", detail, line.text)
