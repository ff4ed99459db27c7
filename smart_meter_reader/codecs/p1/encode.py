"""The other direction, for emulators and tests: telegrams with their checksum, and encrypted frames."""

from __future__ import annotations

from typing import Literal

from smart_meter_reader.codecs.p1.framing.checksum import crc16_arc, crc16_x25

Algorithm = Literal["arc", "x25", "none"]


def encode_telegram(covered: bytes, algorithm: Algorithm = "arc") -> bytes:
    """A telegram as it goes over the line; ``covered`` reaches from '/' to '!' with CR LF line ends."""
    if algorithm == "none":
        return covered + b"\r\n"
    checksum = crc16_x25(covered) if algorithm == "x25" else crc16_arc(covered)
    return covered + b"%04X\r\n" % checksum


def encrypt_telegram(
    telegram: bytes,
    key: bytes,
    authentication_key: bytes,
    system_title: bytes,
    frame_counter: int,
    *,
    security: int = 0x30,
) -> bytes:
    """A frame of general-glo-ciphering around ``telegram`` (layout: see ``cipher``), length in form 82."""
    from smart_meter_reader.codecs.p1.encryption.aes import AesGcm  # only who encrypts pays for cryptography

    nonce = system_title + frame_counter.to_bytes(4, "big")
    additional = bytes([security]) + authentication_key if authentication_key else b""
    if security == 0x10:
        _, tag = AesGcm(key).seal(nonce, additional + telegram, b"")
        body = telegram
    else:
        body, tag = AesGcm(key).seal(nonce, additional, telegram)
    if security & 0x10:
        body += tag
    content = bytes([security]) + frame_counter.to_bytes(4, "big") + body
    return b"\xdb\x08" + system_title + b"\x82" + len(content).to_bytes(2, "big") + content
