"""General-glo-ciphering with AES-128-GCM: opens frames with one meter's keys, whatever they hold.

DLMS UA 1000-2 (Green Book) 9.2.7.2, security suite 0. The nonce is system title and frame counter, the
additional authenticated bytes are security byte and authentication key. The keys never leave this room: they
are in no repr and in no error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import ClassVar, Protocol

from smart_meter_reader.codecs.ciphering.counters import FrameCounters
from smart_meter_reader.codecs.ciphering.keys import (
    AUTHENTICATED,
    ENCRYPTED,
    KEY_LENGTH,
    LUXEMBOURG_AUTHENTICATION_KEY,
    TAG_LENGTH,
    Policy,
)
from smart_meter_reader.exceptions import DamagedCipherError, DecryptionError, WrongTagError


class Ciphered(Protocol):
    """A whole frame, taken apart and not yet decrypted. ``body`` is ciphertext and tag."""

    @property
    def security(self) -> int:
        """The security control byte."""

    @property
    def body(self) -> bytes:
        """Ciphertext, and the tag where there is one."""

    @property
    def nonce(self) -> bytes:
        """System title and frame counter."""


class CipherOpener:
    """Decrypts frames with one meter's keys and keeps what that takes: proofs and frame counters.

    What is inside is judged by the subclass of each protocol. Without ``authentication_key`` those that
    everybody knows are tried, and none at all.

    ``counters`` is what is worth remembering over a restart, with ``check_value``: other keys, with which a
    meter's counter begins anew, have another one. It tells nothing of the keys.
    """

    known_authentication_keys: ClassVar[Sequence[bytes]] = (LUXEMBOURG_AUTHENTICATION_KEY,)
    vouching: ClassVar[str] = "the checksum inside"  # what is relied on where no tag is

    def __init__(
        self, key: bytes, authentication_key: bytes | None = None, policy: Policy = "require"
    ) -> None:
        for name, given in (("key", key), ("authentication key", authentication_key)):
            if given is not None and len(given) != KEY_LENGTH:
                raise ValueError(f"the {name} has {len(given)} bytes; AES-128 needs {KEY_LENGTH}")
        # cryptography takes memory, which only who has a key shall pay for.
        from smart_meter_reader.codecs.ciphering.aes import AesGcm

        self._aes = AesGcm(key)
        self._own_authentication_key = authentication_key is not None
        self._authentication_keys = (
            [authentication_key] if authentication_key is not None else [*self.known_authentication_keys, b""]
        )
        self.policy = policy
        self._key_proven = False
        self._tag_proven = False
        self.counters = FrameCounters()
        digest = hashlib.sha256(b"frame counters" + key + (authentication_key or b""))
        self.check_value = digest.hexdigest()[:8]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(policy={self.policy!r}, keys hidden)"

    def _authenticate(self, frame: Ciphered) -> bytes | None:
        """The plaintext when the tag is right under one of the authentication keys, else None."""
        if not frame.security & AUTHENTICATED:
            return None
        for index, authentication_key in enumerate(self._authentication_keys):
            plaintext = self._decrypt(frame, authentication_key)
            if plaintext is not None:
                # The one that fits stands first for the next frame.
                self._authentication_keys.insert(0, self._authentication_keys.pop(index))
                return plaintext
        return None

    def _decrypt(self, frame: Ciphered, authentication_key: bytes) -> bytes | None:
        ciphertext, tag = frame.body[:-TAG_LENGTH], frame.body[-TAG_LENGTH:]
        additional = bytes([frame.security]) + authentication_key if authentication_key else b""
        if frame.security & ENCRYPTED:
            return self._aes.open(frame.nonce, tag, additional, ciphertext)
        vouched = self._aes.open(frame.nonce, tag, additional + ciphertext, b"")
        return None if vouched is None else ciphertext

    def _decrypt_unverified(self, frame: Ciphered) -> bytes:
        body = frame.body[:-TAG_LENGTH] if frame.security & AUTHENTICATED else frame.body
        return self._aes.decrypt_unverified(frame.nonce, body) if frame.security & ENCRYPTED else body

    def _refusal(self, frame: Ciphered) -> DecryptionError:
        """Why a frame that decrypts well is not authentic."""
        if not frame.security & AUTHENTICATED:
            advice = ': set authentication = "warn" to accept that' if self.policy == "require" else ""
            return DecryptionError(
                "not_authenticated",
                f"the meter encrypts but does not authenticate (security byte {frame.security:02X}){advice}",
            )
        if self._tag_proven:
            return DamagedCipherError(
                "damaged", "the tag is wrong, though it was right before with these keys"
            )
        if self._own_authentication_key:
            return WrongTagError(
                "wrong_authentication_key",
                "the telegram decrypts well, but its tag is wrong: check authentication_key; if the grid "
                f'operator gives out no other, authentication = "warn" relies on {self.vouching}',
            )
        return WrongTagError(
            "no_authentication_key",
            "the telegram decrypts well, but its tag cannot be checked: set authentication_key (GAK), "
            f'or authentication = "warn" to rely on {self.vouching}',
        )
