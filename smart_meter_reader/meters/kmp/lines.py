"""The lines of KMP meters at their optical heads."""

from __future__ import annotations

from smart_meter_reader.transport.line import LineSettings

OPTICAL_LINE = LineSettings(baud=1200, bytesize=8, parity="N", stopbits=2)

ELECTRICITY_LINE = LineSettings(baud=9600, bytesize=8, parity="N", stopbits=1)
"""Of the electricity meter 382 (Kamstrup 382Lx7, as Tasmota's users read it)."""
