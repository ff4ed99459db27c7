"""Checksums of 16 bits with the polynomial of CCITT, reflected: X.25 and Kermit.

Computed by the C code that Python brings along: ``crc_hqx`` is the same polynomial with the bits of each
octet the other way round.
"""

from __future__ import annotations

from binascii import crc_hqx
from typing import Final

MIRRORED: Final = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))
"""Each octet with its bits the other way round."""


def crc16_x25(covered: bytes) -> int:
    """CRC-16/X-25: reflected 0x1021, init and final XOR 0xFFFF (ITU-T X.25)."""
    return _reflected(covered, 0xFFFF) ^ 0xFFFF


def crc16_kermit(covered: bytes) -> int:
    """CRC-16/KERMIT: reflected 0x1021, init 0, no final XOR (ITU-T V.41, as Kermit has it)."""
    return _reflected(covered, 0)


def _reflected(covered: bytes, start: int) -> int:
    mirrored = crc_hqx(covered.translate(MIRRORED), start)
    return int.from_bytes(mirrored.to_bytes(2, "big").translate(MIRRORED), "little")
