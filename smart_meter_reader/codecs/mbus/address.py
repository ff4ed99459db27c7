"""Whom an M-Bus request is for: a primary address, or a secondary one with wildcards. Pure.

Sources: EN 13757-2, 5.7.5 (primary addresses); EN 13757-7, 5, and The M-Bus: A Documentation, 7.1 (selection:
a digit F and an octet FF stand for any).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from smart_meter_reader.codecs.mbus.frame import (
    ANY,
    FCB,
    SELECT,
    SELECTED,
    SND_UD,
    LongFrame,
)
from smart_meter_reader.codecs.mbus.header import Header, encode_maker

PRIMARY_PATTERN: Final = r"[0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|250|254"
SECONDARY_PATTERN: Final = r"[0-9Ff]{8}([0-9A-Fa-f]{8})?"
_PRIMARY = re.compile(PRIMARY_PATTERN)
_SECONDARY = re.compile(SECONDARY_PATTERN)
WILDCARD: Final = "F"
_DIGITS: Final = 8
_REST: Final = "F" * 8


@dataclass(frozen=True, slots=True)
class Primary:
    """0 to 250; 254 is answered by every meter, and so is right where there is one only."""

    number: int = ANY

    def __str__(self) -> str:
        return "address 254 (any meter)" if self.number == ANY else f"address {self.number}"


@dataclass(frozen=True, slots=True)
class Secondary:
    """Eight digits of the identification number and eight hexadecimal ones of maker, version, medium."""

    digits: str
    rest: str = _REST

    def __str__(self) -> str:
        return f"secondary address {self.digits}{'' if self.rest == _REST else self.rest}"

    @property
    def is_whole(self) -> bool:
        """Whether no digit of the number is left open."""
        return WILDCARD not in self.digits

    def selection(self) -> LongFrame:
        """The frame that selects the meter, which then answers at 253. SND_UD with FCB, as most send it."""
        payload = bytes.fromhex(self.digits)[::-1] + bytes.fromhex(self.rest)
        return LongFrame(SND_UD | FCB, SELECTED, SELECT, payload)

    def fits(self, header: Header) -> bool:
        """Whether the one who answers is one that this selects."""
        rest = (encode_maker(header.maker) if header.maker else b"\xff\xff") + bytes(
            (header.version, header.medium)
        )
        pairs = zip(self.digits, header.id or self.digits, strict=True)
        if any(wanted not in (WILDCARD, found) for wanted, found in pairs):
            return False
        wanted = bytes.fromhex(self.rest)
        return all(octet in (0xFF, found) for octet, found in zip(wanted, rest, strict=True))


Address: TypeAlias = Primary | Secondary


def address_of(text: str) -> Address | None:
    """What a person has typed: 0 to 250, 254, or 8 or 16 digits; None for anything else."""
    typed = text.strip()
    if _PRIMARY.fullmatch(typed):
        return Primary(int(typed))
    if _SECONDARY.fullmatch(typed):
        return Secondary(typed[:_DIGITS].upper(), typed[_DIGITS:].upper() or _REST)
    return None
