"""Long frames of M-Bus that carry DLMS, as in Austria (EN 13757-2, 5.3; EN 13757-1, annex on TPDUs)::

    68 | L | L | 68 | C | A | CI | source TSAP | destination TSAP | piece | checksum | 16

L counts from C to the piece, the checksum is their sum modulo 256. CI: bits 0-3 number the pieces of one APDU
from 0, bit 4 says that it is the last one. Sagemcom writes L = 01 for 257 octets: an L that is too small
for what a frame holds at least is taken for L + 256, and checksum and stop octet decide.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

START: Final = 0x68
STOP: Final = 0x16
# C, A, CI and the two TSAPs.
_PREFIX: Final = 5
_TOO_SHORT: Final = 3
_HEAD: Final = 7  # up to CI
_AROUND: Final = 6  # 68 L L 68, checksum, 16
# SND-UD, the frame count bit left aside.
_SEND: Final = 0x53
_TO_ALL: Final = 0xFF
_COUNT_BIT: Final = 0x20
_LAST: Final = 0x10
_SEQUENCE: Final = 0x0F
LONGEST: Final = 256 + _TOO_SHORT - 1 + _AROUND


class MbusFrame(NamedTuple):
    """A frame with a right checksum: one piece of an APDU."""

    sequence: int
    last: bool
    tsaps: bytes
    piece: bytes
    raw: bytes


Verdict = Literal["more", "no", "damaged"]


def read_frame(received: bytes | bytearray, begin: int) -> MbusFrame | Verdict:
    """The frame whose 68 is at ``begin``; "more" bytes are needed, "no": it is none.

    "damaged" has the head of a frame that carries DLMS, and a wrong octet in it, checksum or end.
    """
    head = bytes(received[begin : begin + _HEAD])
    if len(head) > 4 and head[4] & ~_COUNT_BIT != _SEND:
        return "no"
    # One of the two is damage where all else of the head is right; both are another thing.
    faults = (len(head) > 2 and head[1] != head[2]) + (len(head) > 3 and head[3] != START)
    if faults > 1:
        return "no"
    if len(head) < _HEAD:
        return "more"
    if head[6] & ~(_LAST | _SEQUENCE):
        return "no"
    if faults:
        return "damaged" if head[5] == _TO_ALL else "no"
    length = head[1] if head[1] >= _TOO_SHORT else head[1] + 256
    if length < _PREFIX:
        return "no"
    if len(received) < begin + length + _AROUND:
        return "more"
    content = bytes(received[begin + 4 : begin + 4 + length])
    if bytes(received[begin + 4 + length : begin + 6 + length]) != bytes([sum(content) & 0xFF, STOP]):
        return "damaged"
    raw = bytes(received[begin : begin + length + _AROUND])
    return MbusFrame(head[6] & _SEQUENCE, bool(head[6] & _LAST), content[3:_PREFIX], content[_PREFIX:], raw)


def encode_mbus(piece: bytes, sequence: int, *, last: bool, tsaps: bytes = b"\x01\x67") -> bytes:
    """One frame. Raises ValueError for more than 253 octets or a sequence number above 15."""
    content = bytes([_SEND, _TO_ALL, (_LAST if last else 0) | sequence]) + tsaps + piece
    if len(content) > 256 + _TOO_SHORT - 1 or sequence > _SEQUENCE:
        raise ValueError("that does not fit into one M-Bus frame")
    length = len(content) & 0xFF
    return bytes([START, length, length, START]) + content + bytes([sum(content) & 0xFF, STOP])
