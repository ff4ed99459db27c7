"""What bytes are that contain no telegram: another protocol, a wrong signal, or noise."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from smart_meter_reader.codecs.p1.framing.checksum import crc16_x25
from smart_meter_reader.codecs.p1.framing.plain import DATA_LINE

OtherProtocol = Literal["hdlc", "dlms", "mbus", "sml"]
Garbage = Literal[OtherProtocol, "parity", "inverted", "unknown"]

EXPLANATIONS: dict[Garbage, str] = {
    "hdlc": "this port sends DLMS in HDLC frames (7E A...) and not the text of P1: the client dlms reads it; "
    'set client = "dlms", and the same keys where it encrypts',
    "dlms": "this port sends DLMS in M-Bus frames (68 .. 68 53), as in Austria, and not the text of P1: the "
    'client dlms reads it; set client = "dlms", and the same keys',
    "mbus": "this port sends M-Bus frames (68 .. 68) by itself and not the text of P1: on a bus with heat or "
    "water meters another program asks them; the client mbus reads them",
    "sml": "this port sends SML (1B1B1B1B 01010101), as German meters do at their optical head: it is read "
    "with the client sml",
    "parity": "the bytes carry parity: the line is 7E1 (DSMR 2.2 and 3), set that at the serial server",
    "inverted": "most bytes are no text: the signal is probably inverted (use a P1 cable) or the speed wrong",
    "unknown": "no telegram in what arrives",
}
OTHER_FRAMES: frozenset[Garbage] = frozenset({"hdlc", "dlms", "mbus", "sml"})
"""Whole frames of something else: speed and format of the line are right."""
_ENOUGH = 64
# BSI TR-03109-1, annex IV: escape sequence, and the begin of a message of version 1.
_SML_START = b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01"


def recognise(received: bytes) -> Garbage:
    """What ``received``, a stretch without any telegram, probably is."""
    other = other_protocol(received)
    if other is not None:
        return other
    if any(byte > 0x7F for byte in received):
        if _has_parity(received):
            return "parity"
        text = sum(32 <= byte < 127 or byte in b"\r\n" for byte in received)
        # Inverted text keeps its start bit's place and turns nearly every byte into one above 7F.
        if len(received) >= _ENOUGH and text < 0.6 * len(received):
            return "inverted"
    return "unknown"


def other_protocol(received: bytes) -> OtherProtocol | None:
    """The protocol of which ``received`` has a whole frame with a right check sequence, or SML's start."""
    if _SML_START in received:
        return "sml"
    if _is_hdlc(received):
        return "hdlc"
    return _mbus_kind(received)


def _has_parity(received: bytes) -> bool:
    """Lines of a telegram in which nearly every byte has an even number of ones; of bare text, half have.

    A telegram among a few bytes of noise has bytes above 7F as well. So has a text without end, of which one
    character (9, say, with four ones) is repeated: hence each byte that occurs counts once more.
    """
    return (
        _share_of_even(received) > 0.9
        and _share_of_even(set(received)) > 0.75
        and bool(DATA_LINE.search(bytes(byte & 0x7F for byte in received)))
    )


def _share_of_even(octets: Collection[int]) -> float:
    return sum(byte.bit_count() % 2 == 0 for byte in octets) / len(octets)


def _is_hdlc(received: bytes) -> bool:
    """ISO/IEC 13239: flag 7E, frame type 3 with an 11 bit length, frame check sequence, flag 7E."""
    begin = received.find(b"\x7e")
    while 0 <= begin < len(received) - 2:
        if received[begin + 1] & 0xF0 == 0xA0:
            end = begin + 1 + ((received[begin + 1] & 0x07) << 8 | received[begin + 2])
            frame = received[begin + 1 : end]
            if received[end : end + 1] == b"\x7e" and crc16_x25(frame[:-2]) == int.from_bytes(
                frame[-2:], "little"
            ):
                return True
        begin = received.find(b"\x7e", begin + 1)
    return False


def _mbus_kind(received: bytes) -> Literal["dlms", "mbus"] | None:
    """EN 13757-2, 5.3: 68 L L 68, then L bytes, their sum, and 16. What carries DLMS has a CI below 20."""
    begin = received.find(b"\x68")
    while 0 <= begin < len(received) - 3:
        length = received[begin + 1]
        content = received[begin + 4 : begin + 4 + length]
        if received[begin + 2 : begin + 4] == bytes([length, 0x68]) and received[
            begin + 4 + length : begin + 6 + length
        ] == bytes([sum(content) & 0xFF, 0x16]):
            return "dlms" if len(content) > 3 and content[2] < 0x20 else "mbus"
        begin = received.find(b"\x68", begin + 1)
    return None
