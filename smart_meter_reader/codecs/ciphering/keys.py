"""The keys of encrypted meters: how people write them, and those that everybody knows."""

from __future__ import annotations

import re
from typing import Final, Literal

Policy = Literal["require", "warn", "off"]
Authentication = Literal["verified", "failed", "none"]

KEY_LENGTH: Final = 16
TAG_LENGTH: Final = 12
# DLMS UA 1000-2 (Green Book) 9.2.7.2, security control byte.
AUTHENTICATED: Final = 0x10
ENCRYPTED: Final = 0x20
# Luxembourg P1 specification 1.1.3, section 3.2.5: the same for every meter in the country.
LUXEMBOURG_AUTHENTICATION_KEY: Final = bytes.fromhex("00112233445566778899AABBCCDDEEFF")


def parse_key(text: str) -> bytes:
    """A key written as 32 hexadecimal digits, blanks, colons and dashes between them allowed.

    Raises ValueError, which says what is wrong without saying any of the key.
    """
    digits = re.sub(r"[\s:-]", "", text)
    if not re.fullmatch(r"[0-9A-Fa-f]*", digits):
        raise ValueError("a key consists of hexadecimal digits (0-9, A-F), with or without blanks")
    if len(digits) != 2 * KEY_LENGTH:
        raise ValueError(f"a key has {2 * KEY_LENGTH} hexadecimal digits, this one has {len(digits)}")
    return bytes.fromhex(digits)
