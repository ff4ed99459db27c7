"""Decoded answers as plain dicts, ready for JSON: what `decode iec62056_21` prints."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from smart_meter_reader.codecs.capture import Description, error_told
from smart_meter_reader.codecs.iec62056_21.capture import (
    Decoded,
    LoggerAnswer,
    Readout,
    decode_capture,
    measured_in,
    scaling_of_capture,
)
from smart_meter_reader.codecs.iec62056_21.data_set import DataSet, DataValue
from smart_meter_reader.codecs.iec62056_21.frame import Identification, Request
from smart_meter_reader.codecs.iec62056_21.log.describe import LogContext, describe_log
from smart_meter_reader.codecs.iec62056_21.multical import ShortAnswer
from smart_meter_reader.codecs.iec62056_21.scaling import Scaling
from smart_meter_reader.codecs.signed_power import SignedPowers
from smart_meter_reader.exceptions import ChecksumError, FrameError, ProtocolError
from smart_meter_reader.text import LONGEST_NAME, printable

PROTOCOL = "iec62056_21"
NO_IDENTIFICATION = (
    "no identification before it: maker and model are unknown, and its beginning may be missing"
)


def describe_capture(
    capture: bytes, *, request: str = "", scaling: Scaling | None = None
) -> list[Description]:
    """Every answer of a capture as a dict; see ``decode_capture``.

    ``scaling`` is what is known about units and decimals beyond what the capture tells.
    """
    decoded = decode_capture(capture, request)
    told = scaling_of_capture(decoded)
    scaling = scaling.completed_by(told) if scaling is not None else told
    logs = LogContext(decoded, scaling)
    return [describe_answer(answer, scaling, logs) for answer in decoded]


def describe_answer(answer: Decoded, scaling: Scaling, logs: LogContext | None = None) -> Description:
    """One answer: ``kind`` and what it holds, or ``error`` with ``kind`` and ``detail``.

    ``logs``: what the capture tells besides about the rows of loggers.
    """
    if isinstance(answer, LoggerAnswer):
        described = {"protocol": PROTOCOL, "kind": "short_request", "request": answer.request}
        return described | describe_log(answer, scaling, logs or LogContext([answer], scaling))
    if isinstance(answer, ProtocolError):
        return _describe_error(answer)
    if isinstance(answer, Request):
        request = printable(answer.text.decode("ascii", "replace"), LONGEST_NAME)
        return {"protocol": PROTOCOL, "kind": "request", "request": request}
    if isinstance(answer, Identification):
        return {"protocol": PROTOCOL, "kind": "identification", **_describe_identification(answer)}
    if isinstance(answer, ShortAnswer):
        return _describe_short(answer, scaling)
    return _describe_readout(answer)


def _describe_error(error: ProtocolError) -> Description:
    described: Description = {"protocol": PROTOCOL, "error": error_told(error)}
    if isinstance(error, FrameError):
        described["bytes"] = error.frame.hex().upper()
        if isinstance(error, ChecksumError):
            described["bcc"] = "bad"
    return described


def _describe_identification(identification: Identification) -> Description:
    return {
        "manufacturer": identification.manufacturer,
        "baud_id": identification.baud_character,
        "ident": identification.ident,
        "mode": identification.mode,
        "baud": identification.baud,
    }


def _describe_short(answer: ShortAnswer, scaling: Scaling) -> Description:
    described: Description = {"protocol": PROTOCOL, "kind": "short_request", "request": answer.request}
    return {
        **described,
        "fields": dict(answer.fields),
        "measurements": measured_in(answer, scaling),
        "bcc": "absent",
    }


def _describe_readout(readout: Readout) -> Description:
    described: Description = {"protocol": PROTOCOL, "kind": "data_message"}
    if readout.identification is not None:
        described |= _describe_identification(readout.identification)
    measured = readout.measured()
    unread = [*readout.unread, *SignedPowers().split(readout.announced, measured)]
    described |= {
        "objects": describe_objects(readout.sets),
        "measurements": measured,
        "bcc": readout.bcc,
    }
    if unread:
        described["unread"] = unread
    if readout.identification is None:
        described["note"] = NO_IDENTIFICATION
    return described


def describe_objects(sets: Sequence[DataSet]) -> dict[str, Any]:
    """The data sets by code: one ``{"value", "unit"}``, or a list where a code has several values."""
    objects: dict[str, Any] = {}
    for data_set in sets:
        values = [_object(value) for value in data_set.values]
        if data_set.code in objects:
            known = objects[data_set.code]
            values = [*(known if isinstance(known, list) else [known]), *values]
        objects[data_set.code] = values[0] if len(values) == 1 else values
    return objects


def _object(value: DataValue) -> dict[str, Decimal | str]:
    return {"value": value.value, "unit": value.unit}
