"""Passwords as they stand in the settings: a salt, and what scrypt makes of both. Pure but for the salt.

Source: RFC 7914. N = 2^14, r = 8, p = 5 is what OWASP's password storage cheat sheet names for 16 MiB.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

_COST, _BLOCK, _PARALLEL = 2**14, 8, 5
_SALT, _KEY = 16, 32
_MEMORY = 64 * 1024 * 1024
WRITTEN_FORM = r"scrypt:[A-Za-z0-9_-]{22}:[A-Za-z0-9_-]{43}"
# What is longer is no password that a person types, and costs time.
LONGEST_PASSWORD = 200
SHORTEST_PASSWORD = 8


def written(password: str, salt: bytes | None = None) -> str:
    """What stands in the settings for a password; another text each time."""
    salt = os.urandom(_SALT) if salt is None else salt
    return f"scrypt:{_text(salt)}:{_text(_scrypt(password, salt))}"


def is_password(password: str, kept: str) -> bool:
    """Whether it is the one that ``written`` got. Takes a tenth of a second and 16 MiB, right or wrong."""
    _, salt, key = kept.split(":")
    made = _scrypt(password[:LONGEST_PASSWORD], _bytes(salt))
    return hmac.compare_digest(made, _bytes(key)) and len(password) <= LONGEST_PASSWORD


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=_COST,
        r=_BLOCK,
        p=_PARALLEL,
        maxmem=_MEMORY,
        dklen=_KEY,
    )


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
