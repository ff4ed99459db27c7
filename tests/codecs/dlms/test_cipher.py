"""Encrypted notifications: policies, known keys, counters, and why one does not open."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.ciphering.keys import Policy
from smart_meter_reader.codecs.dlms.cipher import (
    BURGENLAND_AUTHENTICATION_KEY,
    DlmsOpener,
    SealedApdu,
    encrypt,
    parse_cipher_frame,
)
from smart_meter_reader.codecs.dlms.framing.hdlc import encode_hdlc
from smart_meter_reader.codecs.dlms.notification import is_believable
from smart_meter_reader.exceptions import MalformedError
from tests.codecs.dlms.vectors import Outcome, opener, read, reasons, telegrams, wire

KEY, AK, TITLE = bytes(range(16)), bytes(range(16, 32)), b"KFM\x67\0\0\0\x09"
PLAIN = wire("hdlc-aidon-no-list1")[12:-3]
SHORT = bytes.fromhex("0f00000001" + "00" + "0101" + "0600000001")


def sealed(counter: int, ak: bytes | None = AK, security: int | None = None, key: bytes = KEY) -> bytes:
    return encode_hdlc(b"\xe6\xe7\x00" + encrypt(PLAIN, key, ak, TITLE, counter, security))


def outcome(stream: bytes, own: DlmsOpener | None) -> list[str]:
    """How each telegram was trusted, or why it was not."""
    found: list[Outcome] = read(stream, own)
    return [each.reason if isinstance(each, Exception) else each.envelope.authentication for each in found]


@pytest.mark.parametrize(
    ("policy", "ak", "tagged", "untagged"),
    [
        ("require", AK, "verified", "not_authenticated"),
        ("warn", AK, "verified", "none"),
        ("off", AK, "none", "none"),
        ("require", None, "no_authentication_key", "none"),
        ("warn", None, "failed", "none"),
        ("off", None, "none", "none"),
        ("require", bytes(16), "wrong_authentication_key", "not_authenticated"),
        ("warn", bytes(16), "failed", "none"),
    ],
)
def test_policies(policy: Policy, ak: bytes | None, tagged: str, untagged: str) -> None:
    assert outcome(sealed(1), DlmsOpener(KEY, ak, policy)) == [tagged]
    for security in (0x20, 0x21):
        assert outcome(sealed(1, None, security), DlmsOpener(KEY, ak, policy)) == [untagged]


def test_without_a_key_the_meter_is_named() -> None:
    (error,) = read(sealed(1))
    assert isinstance(error, Exception)
    assert TITLE.hex() in str(error)
    assert outcome(sealed(1), None) == ["no_key"]


@pytest.mark.parametrize("policy", ["require", "warn", "off"])
def test_a_wrong_key_is_told_and_gives_nothing(policy: Policy) -> None:
    for security, ak in ((None, AK), (0x20, None)):
        assert outcome(sealed(1, ak, security), DlmsOpener(bytes(16), AK, policy)) == ["wrong_encryption_key"]


@pytest.mark.parametrize("ak", [BURGENLAND_AUTHENTICATION_KEY, b""])
def test_authentication_keys_that_everybody_knows(ak: bytes) -> None:
    assert outcome(sealed(1, ak), DlmsOpener(KEY)) == ["verified"]


def test_a_frame_that_was_recorded_is_refused() -> None:
    own = DlmsOpener(KEY, AK)
    assert outcome(sealed(5) + sealed(5) + sealed(4) + sealed(6), own) == [
        *("verified", "replayed", "replayed", "verified")
    ]


def test_after_a_right_tag_none_goes_without() -> None:
    own = DlmsOpener(KEY)
    assert outcome(sealed(1, BURGENLAND_AUTHENTICATION_KEY), own) == ["verified"]
    assert outcome(sealed(2, None), own) == ["not_authenticated"]


def test_a_plain_telegram_is_refused_where_a_key_is_set() -> None:
    assert outcome(wire("hdlc-aidon-no-list1"), DlmsOpener(KEY)) == ["not_encrypted"]
    assert outcome(wire("hdlc-aidon-no-list1"), DlmsOpener(KEY, None, "warn")) == ["none"]


def test_nothing_of_a_key_is_shown() -> None:
    assert repr(DlmsOpener(KEY, AK)) == "DlmsOpener(policy='require', keys hidden)"


@pytest.mark.parametrize("identifier", ["hdlc-kamstrup-undecryptable", "mbus-kmswest-undecryptable"])
def test_nothing_comes_of_what_nobody_can_decrypt(identifier: str) -> None:
    assert telegrams(read(wire(identifier), opener(identifier))) == []
    assert reasons(read(wire(identifier), opener(identifier))) == ["wrong_encryption_key"]


def test_what_speaks_for_a_key() -> None:
    assert is_believable(PLAIN)
    assert not is_believable(PLAIN + b"\0")
    assert not is_believable(PLAIN[:-1])
    assert not is_believable(b"\x0f\0\0\0\0\0\0")  # nothing in it


@pytest.mark.parametrize("security", [0xA0, 0xB0])
def test_compressed_frames_are_refused(security: int) -> None:
    assert outcome(sealed(1, AK, security), DlmsOpener(KEY, AK)) == ["malformed"]


def apdu(security: int, content: bytes, length: int | None = None) -> bytes:
    """A whole frame of general-glo-ciphering, with another length than its own where one is given."""
    body = bytes([security]) + content
    return b"\xdb\x08" + TITLE + bytes([len(body) if length is None else length]) + body


@pytest.mark.parametrize(("before", "behind"), [(b"", b""), (b"\1\2\3", b"\4\5")])
def test_a_frame_is_taken_apart_where_it_stands(before: bytes, behind: bytes) -> None:
    whole = apdu(0x20, b"\x01\x02\x03\x04text")
    taken = parse_cipher_frame(before + whole + behind, len(before))
    assert taken == SealedApdu(TITLE, 0x20, 0x01020304, b"text", len(before) + len(whole))
    assert taken.nonce == TITLE + b"\x01\x02\x03\x04"


@pytest.mark.parametrize(
    ("security", "content", "fits"),
    [
        # Security control and counter; and twelve octets of a tag, where there is one.
        (0x20, 4, True),
        (0x20, 3, False),
        (0x30, 16, True),
        (0x30, 15, False),
        (0x10, 16, True),
        (0x10, 15, False),
        (0x21, 4, True),
        (0x2F, 4, True),
    ],
)
def test_the_shortest_frames(security: int, content: int, fits: bool) -> None:
    whole = apdu(security, bytes(content))
    if fits:
        assert parse_cipher_frame(whole).end == len(whole)
        return
    with pytest.raises(
        MalformedError, match=f"{content + 1} octets are announced and {content + 1} are there"
    ):
        parse_cipher_frame(whole)


@pytest.mark.parametrize(
    ("whole", "said"),
    [
        (apdu(0x20, bytes(20), 22), "22 octets are announced and 21 are there"),
        (apdu(0x20, bytes(20))[:-1], "21 octets are announced and 20 are there"),
        (b"\xdb\x08" + TITLE + b"\0", "0 octets are announced and 0 are there"),
        (b"\xdb\x08" + TITLE, "a length is missing"),
        (b"\xdb\x07" + apdu(0x20, bytes(20))[2:], "no general-glo-ciphering with a system title of eight"),
        (b"\xdc\x08" + apdu(0x20, bytes(20))[2:], "no general-glo-ciphering with a system title of eight"),
        (apdu(0xA0, bytes(20)), "what is inside is compressed"),
    ],
)
def test_what_is_no_frame_that_is_read(whole: bytes, said: str) -> None:
    with pytest.raises(MalformedError, match=said) as caught:
        parse_cipher_frame(whole)
    assert caught.value.frame == whole


def test_what_does_not_open_after_one_that_did_was_damaged() -> None:
    spoilt = bytearray(encrypt(PLAIN, KEY, None, TITLE, 2))
    spoilt[16] ^= 0xFF  # the first octet of the ciphertext: nothing begins like a notification
    damaged = encode_hdlc(b"\xe6\xe7\x00" + spoilt)
    assert outcome(damaged, DlmsOpener(KEY)) == ["wrong_encryption_key"]
    assert outcome(sealed(1, None) + damaged, DlmsOpener(KEY)) == ["none", "damaged"]
    assert outcome(sealed(1) + damaged, DlmsOpener(KEY, AK)) == ["verified", "damaged"]


@pytest.mark.parametrize(
    ("plaintext", "reason"),
    [
        # Counter mode goes wrong where the octets do: a begin like that of a notification speaks for the key.
        ("0f00000001" + "00" + "ffff", "damaged"),
        ("0f00000001" + "09" + "ffff", "damaged"),
        ("0f00000001" + "0c" + "ffff", "damaged"),
        ("0f00000001" + "01" + "ffff", "wrong_encryption_key"),
        ("0e00000001" + "00" + "ffff", "wrong_encryption_key"),
        ("0f" + "00" * 4, "wrong_encryption_key"),
    ],
)
def test_how_what_was_encrypted_begins_tells_about_the_key(plaintext: str, reason: str) -> None:
    stream = encode_hdlc(b"\xe6\xe7\x00" + encrypt(bytes.fromhex(plaintext), KEY, None, TITLE, 1))
    assert outcome(stream, DlmsOpener(KEY)) == [reason]


def test_a_counter_that_was_proven_counts_for_frames_without_a_tag() -> None:
    own = DlmsOpener(KEY, AK, "warn")
    assert outcome(sealed(5) + sealed(4, None), own) == ["verified", "replayed"]


def test_what_was_not_encrypted_proves_no_key() -> None:
    plain = encode_hdlc(b"\xe6\xe7\x00" + apdu(0x00, b"\0\0\0\1" + SHORT))
    noise = encode_hdlc(b"\xe6\xe7\x00" + apdu(0x20, b"\0\0\0\2" + bytes(20)))
    assert outcome(plain + noise, DlmsOpener(KEY, None, "off")) == ["none", "wrong_encryption_key"]


def test_without_an_authentication_key_a_frame_says_that_it_is_encrypted_alone() -> None:
    assert parse_cipher_frame(encrypt(SHORT, KEY, None, TITLE, 1)).security == 0x20
    assert parse_cipher_frame(encrypt(SHORT, KEY, AK, TITLE, 1)).security == 0x30
