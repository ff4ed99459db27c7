"""Records that no emulated meter sends, as meters of others do."""

from __future__ import annotations

import struct

from smart_meter_reader.codecs.mbus.encode import NOW


def real_record(number: float, vif: bytes) -> bytes:
    """A record with a floating number."""
    return NOW.dif(5) + vif + struct.pack("<f", number)


def text_record(text: str, vif: bytes) -> bytes:
    """A record of variable length with a text of up to 191 characters."""
    octets = text.encode("latin-1")[::-1]
    return NOW.dif(0x0D) + vif + bytes([len(octets)]) + octets
