"""Parity in the eighth bit: what a line of seven bits and parity looks like when it is read as 8N1."""

from __future__ import annotations

from typing import Literal

# IEC 62056-21 §5.1: one start bit, seven data bits, even parity, one stop bit; P1 before DSMR 4 likewise.
_EVEN = bytes((byte & 0x7F) | ((byte & 0x7F).bit_count() & 1) << 7 for byte in range(256))
_ODD = bytes(byte ^ 0x80 for byte in _EVEN)
_WITHOUT = bytes(byte & 0x7F for byte in range(256))


def add_parity(text: bytes, parity: Literal["N", "E", "O"] = "E") -> bytes:
    """Seven-bit bytes with parity in the eighth bit, even unless "O": b"/#1" becomes AF A3 B1."""
    return text.translate(_ODD if parity == "O" else _EVEN)


def strip_parity(received: bytes) -> bytes:
    """The seven data bits of every byte, whatever the eighth says."""
    return received.translate(_WITHOUT)


def carries_parity(received: bytes) -> bool:
    """Whether the eighth bit is in use: a line whose parity was taken off elsewhere never sets it."""
    return not received.isascii()


def count_parity_errors(received: bytes) -> int:
    """Bytes whose eighth bit is not even parity; 0 where the eighth bit is not in use."""
    if not carries_parity(received):
        return 0
    return sum(byte != _EVEN[byte] for byte in received)
