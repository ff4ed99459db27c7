"""What a line carries: identifications, data messages, lines of short answers, and requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from smart_meter_reader.codecs.iec62056_21.bcc import Bcc
from smart_meter_reader.codecs.iec62056_21.request import BAUD_MODE_B, BAUD_MODE_C

_MANUFACTURERS: Mapping[str, str] = MappingProxyType(
    {
        "ESY": "EasyMeter",
        "ISK": "Iskraemeco",
        "KAM": "Kamstrup",
        "LGZ": "Landis+Gyr",
        "LUG": "Landis+Gyr",
    }
)


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
