"""The line on which an IEC 62056-21 meter is first spoken to: its optical head."""

from __future__ import annotations

from smart_meter_reader.codecs.iec62056_21.request import SIGN_ON_BAUD
from smart_meter_reader.transport.line import LineSettings

SIGN_ON_LINE = LineSettings(SIGN_ON_BAUD, bytesize=7, parity="E", stopbits=2)
LINE_END = SIGN_ON_LINE.seconds(3) / 2
"""Seconds from a CR until the LF behind it is over; in mode B the speed changes after that and not before."""
PUSH_LINE = LineSettings(9_600, bytesize=7, parity="E", stopbits=1)
"""That of meters that send by themselves (mode D of today's, with an optical head): Logarex, EBZ, EMH."""
