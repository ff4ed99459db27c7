"""The line on which an IEC 62056-21 meter is first spoken to: its optical head."""

from __future__ import annotations

from smart_meter_reader.codecs.iec62056_21.request import SIGN_ON_BAUD
from smart_meter_reader.transport.line import LineSettings

SIGN_ON_LINE = LineSettings(SIGN_ON_BAUD, bytesize=7, parity="E", stopbits=2)
