"""Notifications without any framing, as Sagemcom's XT211 sends them over RS-485 (EG.D, Czech Republic).

    0F | invoke id, 4 | 00 or date-time | 02 02 16 state 01 n
    n times: 02 02 | class, 2 | OBIS, 6 | attribute, 1 | value

Nothing tells where it ends but its own count, and nothing vouches for what it says. So only this very head
counts, each descriptor is looked at once as it arrives, and a descriptor that is none ends the attempt.

A list with tags can have the same head: a state, and structures of two. There the first element's tag stands
where a descriptor has its class, so no class counts that begins with a tag; none has a number from 256 to
7167 (DLMS UA 1000-1, 4.3).
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from smart_meter_reader.codecs.dlms.axdr import NULL, TYPE_NAMES, AxdrError, decode_item, decode_length

LONGEST: Final = 4096
_HEAD = re.compile(rb"\x0f.{4}(?:\x00|\x0c.{12})\x02\x02\x16.\x01", re.DOTALL)
_LONGEST_HEAD: Final = 1 + 4 + 13 + 5
# What stands before each value: the tag and count of a structure of two, class, OBIS code, attribute.
DESCRIPTOR: Final = b"\x02\x02"
DESCRIPTOR_LENGTH: Final = 2 + 2 + 6 + 1
# A class below 256 begins as null-data does: no structure begins with that where it says anything.
_TAGS: Final = frozenset(TYPE_NAMES) - {NULL}


class UnframedFrame(NamedTuple):
    """A whole notification as it stood on the line."""

    raw: bytes


class UnframedProgress(NamedTuple):
    """How far a notification has been looked at: where the next descriptor begins, and how many remain."""

    begin: int
    place: int
    remaining: int


Verdict = Literal["more", "no"]


def may_begin(received: bytes | bytearray, begin: int) -> Verdict:
    """Whether the head at ``begin``, which is cut short by the end of what came, may become one."""
    head = bytes(received[begin : begin + _LONGEST_HEAD])
    known = {0: 0x0F}
    if len(head) > 5:
        body = {0: 6, 0x0C: 18}.get(head[5])
        if body is None:
            return "no"
        known |= {body: 0x02, body + 1: 0x02, body + 2: 0x16, body + 4: 0x01}
    return (
        "more" if all(head[place] == octet for place, octet in known.items() if place < len(head)) else "no"
    )


def begin_unframed(received: bytes | bytearray, begin: int) -> UnframedProgress | Verdict:
    """The notification whose 0F is at ``begin``, before its first descriptor."""
    head = _HEAD.match(received, begin)
    if head is None:
        return may_begin(received, begin)
    try:
        count, place = decode_length(bytes(received[head.end() : head.end() + 5]), 0)
    except AxdrError as error:
        return "more" if error.incomplete else "no"
    if not count or count * DESCRIPTOR_LENGTH > LONGEST:
        return "no"
    return UnframedProgress(begin, head.end() + place, count)


def go_on(received: bytes | bytearray, progress: UnframedProgress) -> UnframedProgress | Verdict:
    """One descriptor and its value more; ``remaining`` 0 tells that the notification ends at ``place``."""
    begin, place, remaining = progress
    head = received[place : place + len(DESCRIPTOR)]
    if head != DESCRIPTOR[: len(head)] or not _TAGS.isdisjoint(received[place + 2 : place + 3]):
        return "no"
    try:
        _, end = decode_item(bytes(received[place + DESCRIPTOR_LENGTH : begin + LONGEST]), 0, 2)
    except AxdrError as error:
        # What has not ended within the longest notification never will: a length was damaged.
        return "more" if error.incomplete and len(received) < begin + LONGEST else "no"
    return UnframedProgress(begin, place + DESCRIPTOR_LENGTH + end, remaining - 1)
