"""Of which other protocol bytes are in which a decoder found nothing, by whole frames of it."""

from __future__ import annotations

from typing import Literal

from smart_meter_reader.codecs.crc16 import crc16_x25

OtherProtocol = Literal["hdlc", "dlms", "mbus", "sml"]

# BSI TR-03109-1, annex IV: escape sequence, and the begin of a message of version 1.
_SML_START = b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01"


def other_protocol(received: bytes) -> OtherProtocol | None:
    """The protocol of which ``received`` has a whole frame with a right check sequence, or SML's start."""
    if _SML_START in received:
        return "sml"
    if _is_hdlc(received):
        return "hdlc"
    return _mbus_kind(received)


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
