"""Tells a KMP capture in plain objects: one for each frame found, in order, damaged ones included.

The objects are what ``smart-meter-reader decode kmp --json`` prints, one a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from smart_meter_reader.codecs.capture import Description, FrameCapture, error_told
from smart_meter_reader.codecs.kmp.commands import HEAT_METER, LOGGER_BASE, LOGGER_TOP, command_name
from smart_meter_reader.codecs.kmp.describe_register import describe_id, describe_register
from smart_meter_reader.codecs.kmp.frame import START_RESPONSE, Ack, Frame, FrameReader
from smart_meter_reader.codecs.kmp.identity import (
    GetSerialNoRequest,
    GetSerialNoResponse,
    GetTypeRequest,
    GetTypeResponse,
)
from smart_meter_reader.codecs.kmp.loggers.describe import describe_logger_message
from smart_meter_reader.codecs.kmp.message import (
    GetRegisterRequest,
    GetRegisterResponse,
    Request,
    Response,
    decode_request,
    decode_response,
)
from smart_meter_reader.codecs.kmp.meters import model_of
from smart_meter_reader.exceptions import FrameError, IncompleteError, ProtocolError

_ADDRESSES: Final = frozenset(bytes([address]) for address in (HEAT_METER, LOGGER_TOP, LOGGER_BASE))


def describe_capture(capture: bytes) -> FrameCapture:
    """Describe every frame and acknowledgement in the bytes of a capture. Raises nothing.

    A description holds ``protocol``, ``direction`` ("request", "response" or "ack"), ``address``, ``cid``,
    ``command`` and what the message carries: ``registers``, ``serial_number`` (a number), ``meter_type``
    (hexadecimal digits) with ``software_revision`` and, where known, ``model``; of loggers, what
    ``describe_logger_message`` tells; ``payload`` in hexadecimal with these and for all other commands. A
    register's ``value`` is None for a date that is not set; one that cannot be read has an ``error`` of its
    own. A damaged frame has ``error`` with ``kind`` and ``detail`` instead, and its ``bytes``.
    ``skipped_bytes`` stands where bytes before the frame belonged to none; a start byte among them makes a
    damaged frame of them when an address or a stop byte follows it.
    """
    reader = FrameReader()
    reader.receive_data(capture)
    frames = []
    skipped = 0
    for described in _descriptions(reader):
        if reader.skipped_bytes > skipped:
            described["skipped_bytes"] = reader.skipped_bytes - skipped
            skipped = reader.skipped_bytes
        frames.append(described)
    return FrameCapture(tuple(frames), reader.skipped_bytes)


def describe_frame(frame: Frame) -> Description:
    """Describe one frame; when its message makes no sense the description has an ``error``."""
    described: Description = {
        "protocol": "kmp",
        "direction": frame.direction,
        "address": frame.address,
        "cid": frame.cid,
        "command": command_name(frame.cid, frame.payload),
    }
    try:
        message = decode_request(frame) if frame.direction == "request" else decode_response(frame)
    except ProtocolError as error:
        described["error"] = error_told(error)
        described["payload"] = frame.payload.hex().upper()
    else:
        described.update(_content(message))
    return described


def _descriptions(reader: FrameReader) -> Iterator[Description]:
    while True:
        try:
            found = reader.next_frame()
        except FrameError as error:
            if _is_noise(error):
                reader.skipped_bytes += len(error.frame)
            else:
                yield _damaged(error)
            continue
        if isinstance(found, Frame):
            yield describe_frame(found)
        elif isinstance(found, Ack):
            yield {"protocol": "kmp", "direction": "ack"}
        else:
            break
    if unfinished := reader.discard():
        yield _damaged(IncompleteError("incomplete", "the capture ends before the frame does", unfinished))


def _is_noise(error: FrameError) -> bool:
    """Whether a start byte with another one behind it began no frame: there is no known address after it."""
    return isinstance(error, IncompleteError) and error.frame[1:2] not in _ADDRESSES


def _damaged(error: FrameError) -> Description:
    return {
        "protocol": "kmp",
        "direction": "response" if error.frame[0] == START_RESPONSE else "request",
        "error": error_told(error),
        "bytes": error.frame.hex().upper(),
    }


def _content(message: Request | Response) -> Description:
    match message:
        case GetRegisterRequest(registers):
            return {"registers": [describe_id(register) for register in registers]}
        case GetRegisterResponse(values):
            return {"registers": [describe_register(value) for value in values]}
        case GetSerialNoResponse(serial_number):
            return {"serial_number": serial_number}
        case GetTypeResponse(meter_type, software_revision):
            model = model_of(meter_type)
            return {
                "meter_type": meter_type,
                "software_revision": software_revision,
                **({"model": model} if model else {}),
            }
        case GetTypeRequest() | GetSerialNoRequest():
            return {}
        case _:
            # Most of what is known of loggers was worked out from traffic, so the bytes stand beside it.
            payload = message.encode().hex().upper()
            return describe_logger_message(message) | ({"payload": payload} if payload else {})
