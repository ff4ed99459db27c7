"""Redacts conversations with KMP meters: serial and customer numbers; frames are built anew around them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from smart_meter_reader.codecs.kmp import (
    Frame,
    GetRegisterResponse,
    GetSerialNoResponse,
    GetTypeResponse,
    RegisterValue,
    decode_frame,
    decode_response,
    register_of,
)
from smart_meter_reader.codecs.kmp.loggers import (
    EventStatus,
    LogAnswer,
    LoggerConfiguration,
    LogRecords,
    LogRow,
)
from smart_meter_reader.codecs.kmp.loggers.past import without_unread
from smart_meter_reader.exceptions import FrameError, ProtocolError, ValueFormatError
from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.recordings.pseudonyms import Pseudonyms
from smart_meter_reader.recordings.rewriting import Rewritten
from smart_meter_reader.recordings.text import FROM_METER, Burst, RecordedEvent

# 5512-447, 3.1: start and stop bytes are stuffed inside a frame, so that they delimit it wherever they stand.
_FRAME = re.compile(rb"[\x40\x80][^\x40\x80\x0d]*\x0d", re.DOTALL)
_OPEN = re.compile(rb"[\x40\x80][^\x40\x80\x0d]*\Z", re.DOTALL)
_DELIMITERS = b"\x00\x06\x0d\x40\x80"
_FILLERS = (b"\xff", b"\xfe", b"\xfd")


def redact(events: Sequence[RecordedEvent], names: Pseudonyms, settings: ClientSettings | None) -> Rewritten:
    """The conversation with the numbers of customers and devices replaced."""
    return Rewritten(tuple(_redacted_events(events, names)))


def _redacted_events(events: Sequence[RecordedEvent], names: Pseudonyms) -> Iterator[RecordedEvent]:
    """The events with private registers replaced; a frame that arrived in pieces becomes one burst."""
    pending: Burst | None = None
    for event in events:
        if not isinstance(event, Burst) or event.direction != FROM_METER:
            if pending is not None:
                yield _redacted(pending, names)
                pending = None
            yield event
            continue
        if pending is not None:
            event = replace(pending, payload=pending.payload + event.payload)
        if _OPEN.search(event.payload):
            pending = event
        else:
            yield _redacted(event, names)
            pending = None
    if pending is not None:
        yield _redacted(pending, names)


def _redacted(burst: Burst, names: Pseudonyms) -> Burst:
    rewritten = bytearray()
    place = 0
    for found in _FRAME.finditer(burst.payload):
        rewritten += _blank(burst.payload[place : found.start()])
        rewritten += _frame(found[0], names)
        place = found.end()
    return replace(burst, payload=bytes(rewritten + _blank(burst.payload[place:])))


def _blank(noise: bytes) -> bytes:
    """Bytes of no whole frame: what they are counts, not what they say."""
    return b"".join(bytes([byte]) if byte in _DELIMITERS else b"\xff" for byte in noise)


def _frame(raw: bytes, names: Pseudonyms) -> bytes:
    try:
        frame = decode_frame(raw)
    except FrameError:
        return _damaged(raw)
    if frame.direction == "request":
        return raw  # an echo
    return frame._replace(payload=_payload(frame, names)).encode()


def _damaged(raw: bytes) -> bytes:
    """A frame that is as long and as damaged, but says nothing."""
    for filler in _FILLERS:
        blank = raw[:1] + filler * (len(raw) - 2) + raw[-1:]
        try:
            decode_frame(blank)
        except FrameError:
            return blank
    raise AssertionError("three fillers cannot all have a right checksum")


def _payload(frame: Frame, names: Pseudonyms) -> bytes:
    try:
        message = decode_response(frame)
    except ProtocolError:
        return bytes(len(frame.payload))
    match message:
        case GetTypeResponse():
            return frame.payload
        case GetSerialNoResponse(serial_number):
            return GetSerialNoResponse(int(names.of(str(serial_number)))).encode()
        case GetRegisterResponse(registers):
            return GetRegisterResponse(tuple(_register(value, names) for value in registers)).encode()
        case LoggerConfiguration() | EventStatus():
            return frame.payload
        case LogAnswer():
            message = without_unread(message)
            return replace(message, rows=tuple(_row(row, names) for row in message.rows)).encode()
        case LogRecords():
            told = tuple(_row(row, names) for row in message.rows)
            return replace(message, rows=told, unread=bytes(len(message.unread))).encode()
        case _:
            return bytes(len(frame.payload))  # nothing that we ask for, and who knows what is in it


def _row(row: LogRow, names: Pseudonyms) -> LogRow:
    return row._replace(registers=tuple(_register(value, names) for value in row.registers))


def _register(value: RegisterValue, names: Pseudonyms) -> RegisterValue:
    quantity = QUANTITIES.get(register_of(value.register).quantity)
    if quantity is not None and not quantity.identifies:
        return value
    size = len(value.mantissa)
    if not any(value.mantissa):
        return value
    number = int(names.of(_original(value)) or 0)  # a text of blanks names nobody
    return value._replace(mantissa=(number % (1 << 8 * size)).to_bytes(size, "big"))


def _original(value: RegisterValue) -> str:
    try:
        return str(value.value)
    except ValueFormatError:
        return str(int.from_bytes(value.mantissa, "big"))
