"""What opens encrypted frames: which key it refuses, and by what it knows its own memory again."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.ciphering.opener import CipherOpener

KEY, AUTHENTICATION_KEY = bytes(range(16)), bytes(range(16, 32))


@pytest.mark.parametrize(
    ("key", "authentication_key", "says"),
    [
        (KEY[:15], AUTHENTICATION_KEY, "the key has 15 bytes; AES-128 needs 16"),
        (KEY, AUTHENTICATION_KEY + b"\0", "the authentication key has 17 bytes; AES-128 needs 16"),
        (KEY, b"", "the authentication key has 0 bytes; AES-128 needs 16"),
    ],
)
def test_a_key_of_another_length_is_named(key: bytes, authentication_key: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{says}$"):
        CipherOpener(key, authentication_key)


def test_memory_of_earlier_versions_is_known_again() -> None:
    """Reckoned otherwise, an upgrade would forget which frames were recorded, and tell nobody."""
    assert CipherOpener(KEY, AUTHENTICATION_KEY).check_value == "3a64c967"
    assert CipherOpener(KEY).check_value == "7ddc01c2"
