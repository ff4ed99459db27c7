"""What emulated meters write: telegrams and encrypted frames, beside captures and a library of others."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from smart_meter_reader.codecs.p1.encode import encode_telegram, encrypt_telegram, encrypt_untitled
from smart_meter_reader.codecs.p1.framing.checksum import crc16_x25
from tests.codecs.p1.vectors import BY_ID, keys, wire

KEY, AUTHENTICATION_KEY = bytes(range(16)), bytes(range(0xD0, 0xE0))
TITLE, COUNTER = b"SAGtitle", 0x01020304
HEADER = bytes([1, 2, 3, 4])
PLAIN = b"/XMX5\r\n\r\n1-0:1.7.0(00.300*kW)\r\n!9D5C\r\n"


@pytest.mark.parametrize("name", ["nl-dsmr50-isk", "nl-dsmr42-kaifa"])
def test_the_checksum_of_a_capture(name: str) -> None:
    sent = wire(name)
    covered = sent[: sent.index(b"!") + 1]
    assert encode_telegram(covered) == encode_telegram(covered, "arc") == sent[: len(covered) + 6]


def test_no_checksum_and_that_of_hdlc() -> None:
    assert encode_telegram(b"/ISk5\r\n\r\n!", "none") == b"/ISk5\r\n\r\n!\r\n"
    # 0x000F has its noughts.
    covered = next(
        each for each in (b"/ISk5%d\r\n\r\n!" % number for number in range(9999)) if crc16_x25(each) < 16
    )
    assert encode_telegram(covered, "x25") == covered + b"000%X\r\n" % crc16_x25(covered)


@pytest.mark.parametrize("name", ["enc-at-rekeyed-0000165e", "enc-at-rekeyed-00001664"])
def test_a_frame_of_a_capture(name: str) -> None:
    sent, plain = wire(name), BY_ID[name]["plaintext_text"].encode("latin-1")
    title, counter = bytes.fromhex(BY_ID[name]["header"]["system_title"]), int(name[-4:], 16)
    assert encrypt_telegram(plain, *keys(name), title, counter) == sent


def test_how_a_frame_is_encrypted_authenticated_or_both() -> None:
    nonce = TITLE + HEADER

    def frame(security: int, body: bytes) -> bytes:
        length = (5 + len(body)).to_bytes(2, "big")
        return b"\xdb\x08" + TITLE + b"\x82" + length + bytes([security]) + HEADER + body

    def encrypted(security: int, authentication_key: bytes = AUTHENTICATION_KEY) -> bytes:
        return encrypt_telegram(PLAIN, KEY, authentication_key, TITLE, COUNTER, security=security)

    def sealed(plain: bytes, more: bytes) -> bytes:
        return AESGCM(KEY).encrypt(nonce, plain, more)

    both = sealed(PLAIN, b"\x30" + AUTHENTICATION_KEY)
    # Tags have twelve octets here.
    assert encrypted(0x30) == frame(0x30, both[:-4])
    assert encrypted(0x20) == frame(0x20, both[:-16])
    # The lowest four bits name the suite, and ask for no tag.
    assert encrypted(0x21) == frame(0x21, both[:-16])
    tag = sealed(b"", b"\x10" + AUTHENTICATION_KEY + PLAIN)
    assert encrypted(0x10) == frame(0x10, PLAIN + tag[:12])
    # Without an authentication key nothing is authenticated beside the telegram, not even the security byte.
    assert encrypted(0x30, b"") == frame(0x30, sealed(PLAIN, b"")[:-4])


def test_a_frame_without_a_title() -> None:
    covered = b"/EGM5G15\r\n\r\n1-0:1.7.0(00.300*kW)\r\n!"
    told = encrypt_untitled(covered, KEY, AUTHENTICATION_KEY, COUNTER)
    body = AESGCM(KEY).encrypt(bytes(8) + HEADER, b"1-0:1.7.0(00.300*kW)\r\n", b"\x30" + AUTHENTICATION_KEY)
    content = b"\x30" + HEADER + body[:-4]
    inside = b"/EGM5G15\r\n\r\n\0\x82" + len(content).to_bytes(2, "big") + content + b"!"
    assert told == encode_telegram(inside)
    # The first blank line ends the identification, whatever stands behind it.
    more = encrypt_untitled(covered[:-1] + b"\r\n\r\n!", KEY, AUTHENTICATION_KEY, COUNTER)
    assert more.startswith(b"/EGM5G15\r\n\r\n\0\x82")
    unsealed = encrypt_untitled(covered, KEY, AUTHENTICATION_KEY, COUNTER, security=0x20)
    assert unsealed[16:21] == b"\x20" + HEADER
    assert len(told) - len(unsealed) == 12
