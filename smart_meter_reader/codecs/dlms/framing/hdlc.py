"""HDLC frames, format type 3: delimited by their length, since nothing is stuffed and 7E occurs inside.

IEC 62056-46 (DLMS UA 1000-2, Green Book, 8.4)::

    7E | format, 2 | destination, 1 to 4 | source, 1 to 4 | control | HCS, 2 | information | FCS, 2 | 7E

Format: bits 15-12 are A, bit 11 says that more segments follow, bits 10-0 count all octets between the flags.
Addresses end with the octet whose lowest bit is 1. HCS and FCS are CRC-16/X.25, low octet first.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from smart_meter_reader.codecs.p1.framing.checksum import crc16_x25

FLAG: Final = 0x7E
_FLAG: Final = b"\x7e"
FORMAT: Final = 0xA0
"""The high four bits of what follows the flag."""
_LENGTH_MASK: Final = 0x07
_SEGMENTED: Final = 0x08
LONGEST: Final = 2047 + 2
"""Eleven bits of length, and both flags."""
# Format, two addresses of one octet, control, FCS.
_SHORTEST: Final = 7
_MOST_ADDRESS_OCTETS: Final = 4


class HdlcFrame(NamedTuple):
    """A frame with both check sequences right."""

    destination: bytes
    source: bytes
    control: int
    segmented: bool  # more segments of the same information follow
    information: bytes
    raw: bytes


class HdlcHeader(NamedTuple):
    """What stands before the information, with a right HCS. ``length``: octets between the flags."""

    destination: bytes
    source: bytes
    control: int
    segmented: bool
    length: int
    end: int  # octets from the flag on, behind the HCS


Verdict = Literal["more", "no"]


def read_header(received: bytes | bytearray, begin: int) -> HdlcHeader | Verdict:
    """The header of the frame whose flag is at ``begin``; "more" bytes are needed, or "no": it is none."""
    available = len(received) - begin
    if available < 3:
        return "more" if available < 2 or received[begin + 1] & 0xF0 == FORMAT else "no"
    first = received[begin + 1]
    length = (first & _LENGTH_MASK) << 8 | received[begin + 2]
    if first & 0xF0 != FORMAT or length < _SHORTEST:
        return "no"
    source = _address_end(received, begin + 3)
    control = source if isinstance(source, str) else _address_end(received, source)
    if isinstance(source, str) or isinstance(control, str):
        return "more" if "more" in (source, control) else "no"
    end = control + 3
    if end > len(received):
        return "more"
    expected = int.from_bytes(received[end - 2 : end], "little")
    if end - begin > length + 1 or crc16_x25(bytes(received[begin + 1 : end - 2])) != expected:
        return "no"
    return HdlcHeader(
        bytes(received[begin + 3 : source]),
        bytes(received[source:control]),
        received[control],
        bool(first & _SEGMENTED),
        length,
        end - begin,
    )


def _address_end(received: bytes | bytearray, place: int) -> int | Verdict:
    """Where the address at ``place`` ends: behind the octet whose lowest bit is 1."""
    octets = received[place : place + _MOST_ADDRESS_OCTETS]
    for count, octet in enumerate(octets, 1):
        if octet & 1:
            return place + count
    return "more" if len(octets) < _MOST_ADDRESS_OCTETS else "no"


def read_body(received: bytes | bytearray, begin: int, header: HdlcHeader) -> HdlcFrame | Verdict:
    """The whole frame; "more" bytes are needed, or "no": its FCS or closing flag is wrong."""
    closing = begin + 1 + header.length
    if closing >= len(received):
        return "more"
    covered = bytes(received[begin + 1 : closing - 2])
    fcs = int.from_bytes(received[closing - 2 : closing], "little")
    if received[closing] != FLAG or crc16_x25(covered) != fcs:
        return "no"
    return HdlcFrame(
        header.destination,
        header.source,
        header.control,
        header.segmented,
        bytes(received[begin + header.end : closing - 2]),
        bytes(received[begin : closing + 1]),
    )


def encode_hdlc(
    information: bytes,
    *,
    destination: bytes = b"\x41",
    source: bytes = b"\x08\x83",
    control: int = 0x13,
    segmented: bool = False,
) -> bytes:
    """One frame between its flags. Raises ValueError when it would be longer than a frame can be."""
    length = 2 + len(destination) + len(source) + 1 + 2 + len(information) + 2
    if length + 2 > LONGEST:
        raise ValueError(f"{len(information)} octets of information do not fit into one HDLC frame")
    first = FORMAT | (_SEGMENTED if segmented else 0) | length >> 8
    header = bytes([first, length & 0xFF]) + destination + source + bytes([control])
    header += crc16_x25(header).to_bytes(2, "little")
    covered = header + information
    return _FLAG + covered + crc16_x25(covered).to_bytes(2, "little") + _FLAG
