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
    """A frame of general-glo-ciphering around ``telegram`` (layout: see ``header``), length in form 82."""
    nonce = system_title + frame_counter.to_bytes(4, "big")
    content = _sealed(telegram, (key, authentication_key), nonce, security)
    return b"\xdb\x08" + system_title + content


def encrypt_untitled(
    covered: bytes, key: bytes, authentication_key: bytes, frame_counter: int, *, security: int = 0x30
) -> bytes:
    """A telegram as Elgama encrypts it (layout: see ``header``); ``covered`` reaches from '/' to '!'."""
    identification, blank, body = covered.partition(b"\r\n\r\n")
    nonce = bytes(8) + frame_counter.to_bytes(4, "big")
    content = _sealed(body.removesuffix(b"!"), (key, authentication_key), nonce, security)
    return encode_telegram(identification + blank + b"\0" + content + b"!")


def _sealed(plaintext: bytes, keys: tuple[bytes, bytes], nonce: bytes, security: int) -> bytes:
    """Length in form 82, security byte, frame counter, ciphertext and tag."""
    from smart_meter_reader.codecs.ciphering.aes import AesGcm  # only who encrypts pays for cryptography

    key, authentication_key = keys
    additional = bytes([security]) + authentication_key if authentication_key else b""
    if security == 0x10:
        _, tag = AesGcm(key).seal(nonce, additional + plaintext, b"")
        body = plaintext
    else:
        body, tag = AesGcm(key).seal(nonce, additional, plaintext)
    if security & 0x10:
        body += tag
    content = bytes([security]) + nonce[-4:] + body
    return b"\x82" + len(content).to_bytes(2, "big") + content
