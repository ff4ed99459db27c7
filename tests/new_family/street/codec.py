"""The street protocol: functions of bytes."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from smart_meter_reader.exceptions import ChecksumError, FrameError

REQUEST = b"?"
FRAME = re.compile(rb"\*([0-9]{8});([0-9]{6}\.[0-9]{3})#([0-9A-F]{2})\r\n", re.ASCII)


class Answer(NamedTuple):
    """What the meter says: its number, and its energy in kWh."""

    number: str
    energy: Decimal


def encode(answer: Answer) -> bytes:
    """The answer as the meter sends it."""
    text = f"{answer.number};{answer.energy:010.3f}".encode()
    return b"*%s#%02X\r\n" % (text, sum(text) & 0xFF)


def decode(frame: bytes) -> Answer:
    """The answer in a frame. Raises FrameError."""
    found = FRAME.fullmatch(frame)
    if found is None:
        raise FrameError("form", f"{frame!r} is no answer", frame)
    if sum(b"%s;%s" % found.group(1, 2)) & 0xFF != int(found[3], 16):
        raise ChecksumError("checksum", "the sum is wrong: damaged on the line", frame)
    return Answer(found[1].decode(), Decimal(found[2].decode()))
