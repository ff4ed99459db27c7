"""The lines of P1 ports."""

from __future__ import annotations

from smart_meter_reader.transport.line import LineSettings

FAST_LINE = LineSettings(baud=115_200, bytesize=8, parity="N", stopbits=1)  # DSMR 4 and later
SLOW_LINE = LineSettings(baud=9_600, bytesize=7, parity="E", stopbits=1)  # DSMR 2.2 and 3
