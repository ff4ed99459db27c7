"""Data-notification: what a meter pushes, with the time at which it did.

DLMS UA 1000-2 (Green Book) 9.4.6.11::

    0F | invoke id and priority, 4 | date-time: 00, or 0C and 12 octets | value

Kaifa and Kamstrup's older firmware write the date-time as a value, with its tag: 09 0C.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from smart_meter_reader.codecs.dlms.axdr import OCTETS, AxdrError, Item, decode_item
from smart_meter_reader.codecs.dlms.date_time import LENGTH, MeterTime, parse_date_time
from smart_meter_reader.codecs.dlms.framing.unframed import (
    DESCRIPTOR_LENGTH,
    UnframedProgress,
    begin_unframed,
    go_on,
)

TAG: Final = 0x0F
_HEADER: Final = 5


class TaglessValue(NamedTuple):
    """A value behind a descriptor without tags: class, OBIS code and attribute as they stand there."""

    interface_class: int
    obis: bytes
    attribute: int
    value: Item


class Notification(NamedTuple):
    """One pushed list. Either ``body`` is its value, or ``described`` are those of a list without tags."""

    invoke_id: int
    time: MeterTime | None
    time_given: bool  # whether there were octets for a time, whatever they say
    body: Item | None
    described: tuple[TaglessValue, ...]
    end: int


def parse_notification(apdu: bytes, place: int = 0) -> Notification:
    """The notification at ``place``. Raises AxdrError."""
    if apdu[place : place + 1] != bytes([TAG]):
        raise AxdrError("no data-notification", place)
    start = place + _HEADER
    if len(apdu) <= start:
        raise AxdrError("a notification ends too early", place, incomplete=True)
    invoke_id = int.from_bytes(apdu[place + 1 : start], "big")
    tagged = apdu[start] == OCTETS and apdu[start + 1 : start + 2] == bytes([LENGTH])
    length_place = start + 1 if tagged else start
    length = apdu[length_place]
    if length not in (0, LENGTH):
        raise AxdrError(f"a date-time of {length} octets", length_place)
    begin = length_place + 1 + length
    time = parse_date_time(apdu[length_place + 1 : begin])
    progress = begin_unframed(apdu, place)
    if isinstance(progress, UnframedProgress):
        described, end = _described(apdu, progress)
        if described and not _has_tags(apdu, begin, end):
            return Notification(invoke_id, time, bool(length), None, described, end)
    body, end = decode_item(apdu, begin)
    return Notification(invoke_id, time, bool(length), body, (), end)


def _described(apdu: bytes, progress: UnframedProgress) -> tuple[tuple[TaglessValue, ...], int]:
    """All of a list without tags, and where it ends; empty when it is none after all."""
    found = []
    while progress.remaining:
        place = progress.place
        further = go_on(apdu, progress)
        if isinstance(further, str):
            return (), 0
        value, _ = decode_item(apdu, place + DESCRIPTOR_LENGTH)
        found.append(
            TaglessValue(
                int.from_bytes(apdu[place + 2 : place + 4], "big"),
                apdu[place + 4 : place + 10],
                apdu[place + 10],
                value,
            )
        )
        progress = further
    return tuple(found), progress.place


def _has_tags(apdu: bytes, begin: int, end: int) -> bool:
    """Whether what was read without tags up to ``end`` is whole with them: a structure may begin so."""
    try:
        return decode_item(apdu, begin)[1] >= end
    except AxdrError:
        return False


def is_believable(plaintext: bytes) -> bool:
    """Whether it is one notification and nothing else: what speaks for a key where no tag does.

    Stricter than reading: a time must be one, and the list not empty.
    """
    try:
        notification = parse_notification(plaintext)
    except AxdrError:
        return False
    whole = notification.end == len(plaintext)
    timed = notification.time is not None or not notification.time_given
    listed = bool(notification.described) or (notification.body is not None and bool(notification.body.items))
    return whole and timed and listed
