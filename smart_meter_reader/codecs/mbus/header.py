"""The header of an M-Bus answer: identification number, maker, version, medium, access number, status.

Sources: EN 13757-3, 5 (CI field, data headers) and 6; The M-Bus: A Documentation, 6.3 and 6.4; the media
also by OMS Specification volume 2, table 2; versions of Kamstrup's meters by what their makers' captures and
the public tables in docs/references.md tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

LONG_LENGTH: Final = 12
SHORT_LENGTH: Final = 4

MEDIA: Final[Mapping[int, str]] = MappingProxyType(
    {
        0x00: "other",
        0x01: "oil",
        0x02: "electricity",
        0x03: "gas",
        0x04: "heat (outlet)",
        0x05: "steam",
        0x06: "warm water",
        0x07: "water",
        0x08: "heat cost allocator",
        0x09: "compressed air",
        0x0A: "cooling (outlet)",
        0x0B: "cooling (inlet)",
        0x0C: "heat (inlet)",
        0x0D: "heat/cooling",
        0x0E: "bus/system",
        0x0F: "unknown",
        0x14: "calorific value",
        0x15: "hot water",
        0x16: "cold water",
        0x17: "dual register water",
        0x18: "pressure",
        0x19: "A/D converter",
        0x1A: "smoke detector",
        0x1B: "room sensor",
        0x1C: "gas detector",
        0x20: "breaker",
        0x21: "valve",
        0x25: "display",
        0x28: "waste water",
        0x29: "garbage",
        0x31: "communication controller",
        0x36: "radio converter (system side)",
        0x37: "radio converter (meter side)",
    }
)
ELECTRICITY: Final = 0x02
GAS: Final = 0x03
WATER: Final = frozenset({0x06, 0x07, 0x15, 0x16, 0x17})
COOLING: Final = frozenset({0x0A, 0x0B})
HEAT: Final = frozenset({0x04, 0x0C, 0x0D})

# EN 13757-3, 6.3 (status byte): two bits for the application, three for the meter, three for its maker.
_APPLICATION: Final = ("", "busy", "an application error", "an abnormal state")
_STATES: Final = ((0x04, "low power"), (0x08, "a permanent error"), (0x10, "a temporary error"))

KAMSTRUP: Final = "KAM"
_KAMSTRUP_VERSIONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        0x08: "601",
        0x19: "402",
        0x1C: "602",
        0x30: "302",
        0x34: "403",
        0x35: "603",
        0x39: "803",
        0x40: "303",
    }
)


@dataclass(frozen=True, slots=True)
class Header:
    """Who answers. ``id``: eight digits; ``maker``: three letters. Short headers leave these empty."""

    id: str = ""
    maker: str = ""
    version: int = 0
    medium: int = 0x0F
    access: int = 0
    status: int = 0
    configuration: int = 0  # the "signature", which is none: how what follows is encrypted

    def encode(self) -> bytes:
        """The twelve octets of a long header."""
        return (
            bytes.fromhex(self.id)[::-1]
            + encode_maker(self.maker)
            + bytes((self.version, self.medium, self.access, self.status))
            + self.configuration.to_bytes(2, "little")
        )

    @property
    def medium_name(self) -> str:
        """What it measures, in words."""
        return MEDIA.get(self.medium, f"medium {self.medium:02X}h")

    @property
    def model(self) -> str:
        """What the maker calls the meter, where its version tells; else ""."""
        if self.maker != KAMSTRUP:
            return ""
        if self.version == 0x01:  # an electricity meter and a heat meter share it
            return "382" if self.medium == ELECTRICITY else "MULTICAL 401"
        model = _KAMSTRUP_VERSIONS.get(self.version, "")
        return f"MULTICAL {model}" if model else ""

    @property
    def states(self) -> tuple[str, ...]:
        """What the status byte reports, as words."""
        return tuple(_states(self.status))

    @property
    def is_encrypted(self) -> bool:
        """Whether records follow as AES (mode 5 or 7) with at least one block: meters on a wire hardly do."""
        return self.configuration >> 8 & 0x1F in (5, 7) and bool(self.configuration & 0xF0)


def parse_long(octets: bytes) -> Header:
    """The header of twelve octets."""
    return Header(
        id=octets[3::-1].hex().upper(),
        maker=maker_letters(octets[4:6]),
        version=octets[6],
        medium=octets[7],
        access=octets[8],
        status=octets[9],
        configuration=int.from_bytes(octets[10:12], "little"),
    )


def parse_short(octets: bytes) -> Header:
    """The header of four octets: access number, status, configuration."""
    return Header(access=octets[0], status=octets[1], configuration=int.from_bytes(octets[2:4], "little"))


def maker_letters(octets: bytes) -> str:
    """EN 13757-3, 6.3.1: three letters of five bits each, the first in the highest."""
    code = int.from_bytes(octets, "little")
    return "".join(chr((code >> shift & 0x1F) + 64) for shift in (10, 5, 0))


def encode_maker(letters: str) -> bytes:
    """The two octets of a maker's three letters."""
    code = 0
    for letter in letters:
        code = code << 5 | ord(letter) - 64
    return code.to_bytes(2, "little")


def _states(status: int) -> Iterator[str]:
    if application := _APPLICATION[status & 0x03]:
        yield application
    yield from (words for bit, words in _STATES if status & bit)
