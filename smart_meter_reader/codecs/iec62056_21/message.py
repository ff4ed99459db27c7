"""What a line carries: identifications, data messages, lines of short answers, and requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from smart_meter_reader.codecs.iec62056_21.bcc import Bcc
from smart_meter_reader.codecs.iec62056_21.request import BAUD_MODE_B, BAUD_MODE_C
from smart_meter_reader.text import LONGEST_NAME, printable

_MANUFACTURERS: Mapping[str, str] = MappingProxyType(
    {
        "ESY": "EasyMeter",
        "ISK": "Iskraemeco",
        "KAM": "Kamstrup",
        "LGZ": "Landis+Gyr",
        "LUG": "Landis+Gyr",
    }
)

# IEC 62056-21 §6.3.2, item 23: \\W tells what else the meter can do and is no part of its name;
# EMH writes \\@.
_MODE_SEQUENCES = re.compile(r"^(?:\\[0-9A-Za-z@])+")

# Noise before a short answer ends in something that no field contains; a whole field is not noise.
_LEADING_NOISE = re.compile(
    rb"(?:(?![0-9]{5} )[\x00-\x7f])*[^0-9:;<=>? -](?=[0-9-][0-9:;<=>?]{4})", re.DOTALL
)

# In a bracket that its line did not close: garbage, and the identification that ran into it.
_SWALLOWED = re.compile(rb"/[A-Za-z]{3}[0-9A-Z][ -~]+$")


def manufacturer_name(flag: str) -> str:
    """The maker by the three letters of its identification, in either case; the letters of one unknown."""
    return _MANUFACTURERS.get(flag.upper(), flag)


@dataclass(frozen=True, slots=True)
class Identification:
    """``/XXXZident`` CR LF (IEC 62056-21 §6.3.2): manufacturer XXX, baud character Z, ident."""

    manufacturer: str
    baud_character: str
    ident: str

    @property
    def mode(self) -> str:
        """The protocol mode that Z tells: "C" and "B" offer a speed, "A" is every other character."""
        if self.baud_character in BAUD_MODE_C:
            return "C"
        return "B" if self.baud_character in BAUD_MODE_B else "A"

    @property
    def baud(self) -> int:
        """The speed that Z offers, in Bd; 300 in mode A."""
        return BAUD_MODE_C.get(self.baud_character) or BAUD_MODE_B.get(self.baud_character, 300)


def leading_noise(line: bytes) -> int:
    """How many bytes before the first field of a line are none of its."""
    noise = _LEADING_NOISE.match(line) if b"(" not in line else None
    return noise.end() if noise else len(line) - len(line.lstrip(b"\x00\x02\x7f"))


def swallowed_identification(line: bytes) -> int:
    """Where on a line, whose last bracket is not closed, an identification begins; 0 for nowhere.

    EBZ cut off in a value, with the next message right behind it (Apollon77/ioBroker.smartmeter#32).
    """
    bracket = line.rfind(b"(")
    found = _SWALLOWED.search(line, bracket) if bracket > line.rfind(b")") else None
    return found.start() if found else 0


def parse_identification(line: str) -> Identification:
    """The identification on a line that is one, without its line end."""
    ident = _MODE_SEQUENCES.sub("", line[5:].strip())
    return Identification(line[1:4], line[4], printable(ident, LONGEST_NAME))


@dataclass(frozen=True, slots=True)
class DataBlock:
    """The data sets of a readout as they stood on the line, without STX, ETX and BCC."""

    text: bytes
    bcc: Bcc


@dataclass(frozen=True, slots=True)
class ShortLine:
    """One line of a short answer, without its CR. ``ended`` is False when the capture stopped inside it."""

    text: bytes
    ended: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the reader's own, echoed or recorded, without its line end: b"/#1", b"/?!", ACK b"000"."""

    text: bytes


Frame: TypeAlias = Identification | DataBlock | ShortLine | Request
