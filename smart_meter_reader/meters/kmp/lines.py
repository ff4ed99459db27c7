"""The line of a KMP meter: its optical head."""

from __future__ import annotations

from smart_meter_reader.transport.line import LineSettings

OPTICAL_LINE = LineSettings(baud=1200, bytesize=8, parity="N", stopbits=2)
