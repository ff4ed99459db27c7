"""What the reader sends: sign-on, option select, Kamstrup's short requests, wake-up sequences."""

from __future__ import annotations

import re

from smart_meter_reader.exceptions import ProtocolError

# IEC 62056-21 §6.3.2: the baud rate by the identification's Z in mode C, and by its letter in mode B.
BAUD_MODE_C = {"0": 300, "1": 600, "2": 1200, "3": 2400, "4": 4800, "5": 9600, "6": 19200}
BAUD_MODE_B = {"A": 600, "B": 1200, "C": 2400, "D": 4800, "E": 9600, "F": 19200}

SIGN_ON_BAUD = 300  # IEC 62056-21 §6.4: modes A, B and C begin at 300 Bd
SHORT_ANSWER_BAUD = 1200  # 5511-634 §4: short requests at 300 Bd and their answers at 1200 Bd
MODE_D_BAUD = 2400  # IEC 62056-21 §6.4.5

SHORT_REQUESTS = tuple("#" + letter for letter in "123456789BCDJ")
"""The short requests that MULTICAL 66-CDE answers (5511-634 §4; #7 to #9 and #J are logger dumps)."""

_ADDRESS = re.compile(r"[0-9A-Za-z ]{0,32}")  # IEC 62056-21 §6.3.1


def sign_on(address: str = "") -> bytes:
    """``/?address!`` CR LF. Raises ProtocolError for an address that the standard does not allow."""
    if not _ADDRESS.fullmatch(address):
        raise ProtocolError("address", f"{address!r} is no device address: up to 32 letters, digits, blanks")
    return f"/?{address}!\r\n".encode("ascii")


def momentary_sign_on() -> bytes:
    """``/#!`` CR LF: Landis+Gyr's UH50 adds power, flow and temperatures to its readout.

    Source: psvanstrom/esphome-uh50reader (MIT).
    """
    return b"/#!\r\n"


def option_select(baud_character: str) -> bytes:
    """ACK 0 Z 0 CR LF: normal protocol, speed Z, data readout (IEC 62056-21 §6.3.3)."""
    return f"\x060{baud_character}0\r\n".encode("ascii")


def short_request(name: str) -> bytes:
    """The bytes of a short request: "#1" gives ``/#1`` CR (5511-634 §4; the CR is optional to the meter)."""
    if name not in SHORT_REQUESTS:
        raise ProtocolError("request", f"{name!r} is no short request: one of {', '.join(SHORT_REQUESTS)}")
    return f"/{name}\r".encode("ascii")
