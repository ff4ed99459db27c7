"""Encrypted notifications: policies, known keys, counters, and why one does not open."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.ciphering.keys import Policy
from smart_meter_reader.codecs.dlms.cipher import BURGENLAND_AUTHENTICATION_KEY, DlmsOpener, encrypt
from smart_meter_reader.codecs.dlms.framing.hdlc import encode_hdlc
from smart_meter_reader.codecs.dlms.notification import is_believable
from tests.codecs.dlms.vectors import Outcome, opener, read, reasons, telegrams, wire

KEY, AK, TITLE = bytes(range(16)), bytes(range(16, 32)), b"KFM\x67\0\0\0\x09"
PLAIN = wire("hdlc-aidon-no-list1")[12:-3]


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
