"""The messages of a frame, and the value list that a meter sends in one of them.

TR-03109-1 annex IV b, section 7: a message is a list of transaction id, group, what to do on errors, body
(tag and content), checksum, and 00. Of the bodies, SML_GetList.Res (0701) has values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from smart_meter_reader.codecs.crc16 import crc16_kermit, crc16_x25
from smart_meter_reader.codecs.sml.presentation import (
    DEEPEST,
    END,
    LIST,
    UNSIGNED,
    Element,
    malformed,
    read_element,
    read_tl,
)
from smart_meter_reader.codecs.sml.telegram import ValueList, read_value_list

OPEN, GET_LIST, CLOSE = 0x0101, 0x0701, 0x0201
_PARTS: Final = 6
_MOST_MESSAGES: Final = 64


@dataclass(frozen=True, slots=True)
class SmlMessage:
    """One message. ``covered`` is what its checksum is computed from, ``checksum`` as it was sent."""

    tag: int
    values: ValueList | None  # of a GetList.Res
    covered: bytes
    checksum: bytes

    def fits_x25(self) -> bool:
        """Whether its checksum is X.25's. One of a single octet is the low one: the high one is zero."""
        return bool(self.checksum) and crc16_x25(self.covered) in self._sent()

    def fits_kermit(self) -> bool:
        """Whether its checksum is Kermit's, in either order."""
        return bool(self.checksum) and crc16_kermit(self.covered) in self._sent()

    def _sent(self) -> tuple[int, int]:
        return int.from_bytes(self.checksum, "little"), int.from_bytes(self.checksum, "big")


def parse_messages(payload: bytes) -> tuple[SmlMessage, ...]:
    """All messages of a frame. Raises MalformedError."""
    messages: list[SmlMessage] = []
    place = 0
    while place < len(payload):
        if len(messages) == _MOST_MESSAGES:
            raise malformed(f"more than {_MOST_MESSAGES} messages", place)
        message, place = _message(payload, place)
        messages.append(message)
    return tuple(messages)


def _message(payload: bytes, begin: int) -> tuple[SmlMessage, int]:
    place = _list_of(payload, begin, _PARTS, "a message")
    for _ in range(3):
        _, place = read_element(payload, place, DEEPEST)
    place = _list_of(payload, place, 2, "the body of a message")
    tag, place = read_element(payload, place, DEEPEST)
    values: ValueList | None = None
    if tag == GET_LIST:
        values, place = read_value_list(payload, place)
    else:
        _, place = read_element(payload, place)
    covered = payload[begin:place]
    checksum, place = _checksum(payload, place)
    if payload[place : place + 1] != bytes([END]):
        raise malformed("a message without end", place)
    return SmlMessage(tag if isinstance(tag, int) else 0, values, covered, checksum), place + 1


def _list_of(payload: bytes, place: int, count: int, what: str) -> int:
    kind, length, inside = read_tl(payload, place)
    if (kind, length) != (LIST, count):
        raise malformed(f"{what} is no list of {count}", place)
    return inside


def _checksum(payload: bytes, place: int) -> tuple[bytes, int]:
    """The octets of the checksum: one is legal, for a high one of zero is no digit of a number; or none."""
    kind, length, inside = read_tl(payload, place)
    if kind == UNSIGNED or length == 0:
        return payload[inside : inside + length], inside + length
    element: Element
    element, after = read_element(payload, place, DEEPEST)
    raise malformed(f"a checksum that is no number: {element!r}", after)
