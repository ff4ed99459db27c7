"""The line of a meter that sends SML at its optical head."""

from __future__ import annotations

from smart_meter_reader.transport.line import LineSettings

LINE = LineSettings(baud=9_600, bytesize=8, parity="N", stopbits=1)
