"""What the messages about loggers have in common: packed numbers and lists of register ids."""

from __future__ import annotations

import struct
from typing import Final

from smart_meter_reader.exceptions import ProtocolError

_MAX_REGISTERS = 0xFF
MOST_ENTRIES: Final = 0xFFFF
"""No logger has more: the answer to GetConfiguration tells its depth in two octets."""


def packed(layout: struct.Struct, *fields: int | bytes) -> bytes:
    """The bytes of the fields. Raises ValueError when a number does not fit its place."""
    try:
        return layout.pack(*fields)
    except struct.error as error:
        raise ValueError(f"a number does not fit its place in the message: {error}") from None


def count_of(registers: tuple[int, ...], most: int = _MAX_REGISTERS) -> int:
    """How many registers there are. Raises ValueError for more than a message takes."""
    if len(registers) > most:
        raise ValueError(f"a message takes {most} registers at most, not {len(registers)}")
    return len(registers)


def encode_ids(registers: tuple[int, ...]) -> bytes:
    """The ids, two bytes each. Raises ValueError for one that does not fit."""
    return packed(struct.Struct(f">{len(registers)}H"), *registers)


def decode_ids(payload: bytes, position: int, count: int) -> tuple[int, ...]:
    """The ids that are all that follows ``position``. Raises ProtocolError (``length``)."""
    if len(payload) != position + 2 * count:
        there = len(payload) - position
        raise ProtocolError("length", f"{count} register ids take {2 * count} bytes; {there} are there")
    return struct.unpack_from(f">{count}H", payload, position)


def expect_at_least(payload: bytes, least: int, what: str) -> None:
    """Raises ProtocolError (``length``) for a payload that is shorter."""
    if len(payload) < least:
        raise ProtocolError("length", f"{what} carries {least} bytes or more, not {len(payload)}")
