"""The lines of meters that push DLMS, the likelier one first."""

from __future__ import annotations

from smart_meter_reader.transport.line import LineSettings

# Aidon, Kaifa, Landis+Gyr, Sagemcom T210-D: M-Bus at 2400 8E1. Kamstrup's HAN module: 8N1.
MBUS_LINE = LineSettings(baud=2400, bytesize=8, parity="E", stopbits=1)
KAMSTRUP_LINE = LineSettings(baud=2400, bytesize=8, parity="N", stopbits=1)
# XT211 over RS-485, E360 at its P1 socket; AM550 at its P1 socket.
RS485_LINE = LineSettings(baud=9600, bytesize=8, parity="N", stopbits=1)
SOCKET_LINE = LineSettings(baud=115_200, bytesize=8, parity="N", stopbits=1)
LINES = (MBUS_LINE, KAMSTRUP_LINE, RS485_LINE, SOCKET_LINE)
