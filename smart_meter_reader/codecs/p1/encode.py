"""The other direction, for emulators and tests: telegrams with their checksum, and encrypted frames."""

from __future__ import annotations

from typing import Literal

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from smart_meter_reader.codecs.p1.checksum import crc16_arc, crc16_x25
from smart_meter_reader.codecs.p1.cipher import TAG_LENGTH

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
    nonce = system_title + frame_counter.to_bytes(4, "big")
    encryptor = Cipher(algorithms.AES(key), modes.GCM(nonce, None, TAG_LENGTH)).encryptor()
    if authentication_key:
        encryptor.authenticate_additional_data(bytes([security]) + authentication_key)
    if security == 0x10:
        encryptor.authenticate_additional_data(telegram)
        body = telegram + encryptor.finalize() + encryptor.tag[:TAG_LENGTH]
    else:
        body = encryptor.update(telegram) + encryptor.finalize()
        body += encryptor.tag[:TAG_LENGTH] if security & 0x10 else b""
    content = bytes([security]) + frame_counter.to_bytes(4, "big") + body
    return b"\xdb\x08" + system_title + b"\x82" + len(content).to_bytes(2, "big") + content
