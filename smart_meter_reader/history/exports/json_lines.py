"""JSON (RFC 8259): one array, an object in each line, so that it can be read whole or line by line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from smart_meter_reader.history.exports.lines import ExportLine
from smart_meter_reader.history.periods import LocalCalendar
from smart_meter_reader.json_text import message_text


def write_json(out: BinaryIO, lines: Iterable[ExportLine], house: LocalCalendar) -> None:
    """The keys are the heads of the CSV for machines; numbers have the meter's digits. Raises OSError."""
    separator = b"[\n"
    for line in lines:
        told = {
            "start": house.local(line.begin).isoformat(),
            "end": house.local(line.end).isoformat(),
            "meter": line.meter,
            "quantity": line.quantity,
            "counter_start": line.counter_begin,
            "counter_end": line.counter_end,
            "difference": line.difference,
            "unit": line.unit,
            "estimated": line.estimated,
            "origin": None if line.origin is None else line.origin.word,
        }
        out.write(separator + message_text(told).encode())
        separator = b",\n"
    out.write(b"\n]\n" if separator == b",\n" else b"[]\n")
