"""Encrypted telegrams: general-glo-ciphering of DLMS with AES-128-GCM, told apart when it fails.

DLMS UA 1000-2 (Green Book) 9.2.7.2, security suite 0; Luxembourg P1 specification 1.1.3 section 3.2.5;
Sagemcom T210-D-r in Austria::

    DB 08 <system title, 8> <length, BER> <security byte> <frame counter, 4> <ciphertext> <tag, 12>

The nonce is title and frame counter, the additional authenticated bytes are security byte and
authentication key. The keys never leave this module: they are in no repr and in no error.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from smart_meter_reader.codecs.p1.encryption.counters import FrameCounters
from smart_meter_reader.codecs.p1.framing.plain import MAX_TELEGRAM, split
from smart_meter_reader.exceptions import DamagedCipherError, DecryptionError, WrongTagError

Policy = Literal["require", "warn", "off"]
Authentication = Literal["verified", "failed", "none"]

KEY_LENGTH: Final = 16
TAG_LENGTH: Final = 12
# Luxembourg P1 specification 1.1.3, section 3.2.5: the same for every meter in the country.
LUXEMBOURG_AUTHENTICATION_KEY: Final = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
_AUTHENTICATED: Final = 0x10
_ENCRYPTED: Final = 0x20

# The length in its short form or with one to three octets; the security byte of suite 0.
_HEADER = re.compile(
    rb"\xdb\x08(.{8})(?:([\x11-\x7f])|\x81(.)|\x82(..)|\x83(...))([\x10\x20\x30])", re.DOTALL
)
LONGEST_HEADER: Final = 15


@dataclass(frozen=True, slots=True)
class CipherFrame:
    """A whole frame, taken apart and not yet decrypted. ``body`` is ciphertext and tag."""

    system_title: bytes
    security: int
    frame_counter: int
    body: bytes
    raw: bytes = field(repr=False)

    @property
    def nonce(self) -> bytes:
        return self.system_title + self.frame_counter.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Opened:
    """A decrypted telegram from '/' to '!', and how far it can be trusted."""

    telegram: bytes
    checksum: Literal["ok", "absent", "bad"]
    authentication: Authentication
    frame_counter: int
    warning: DecryptionError | None = None  # why the tag failed, where the policy lets that pass


def find_header(stream: bytes | bytearray, position: int = 0) -> tuple[int, int] | None:
    """Start and total length of the next frame by its header; None when there is no plausible header."""
    while True:
        match = _HEADER.search(stream, position)
        if match is None:
            return None
        short, *octets, _ = match.groups()[1:]
        length = short[0] if short else int.from_bytes(next(filter(None, octets)), "big")
        # Security byte, frame counter and tag at least; no telegram is longer than the cap.
        if 1 + 4 + TAG_LENGTH <= length <= MAX_TELEGRAM:
            return match.start(), match.end() - 1 + length - match.start()
        position = match.start() + 1


def partial_header(stream: bytes | bytearray) -> int:
    """Where a header may begin at the end of ``stream``; its length when none does."""
    begin = stream.find(0xDB, max(0, len(stream) - LONGEST_HEADER))
    while begin >= 0:
        if begin + 1 == len(stream) or stream[begin + 1] == 8:
            return begin
        begin = stream.find(0xDB, begin + 1)
    return len(stream)


def parse_frame(raw: bytes) -> CipherFrame:
    """Take a frame apart; ``raw`` is what ``find_header`` delimited."""
    match = _HEADER.match(raw)
    if match is None:
        raise ValueError("no frame of general-glo-ciphering")
    counter = match.end()
    return CipherFrame(
        system_title=match[1],
        security=match[6][0],
        frame_counter=int.from_bytes(raw[counter : counter + 4], "big"),
        body=raw[counter + 4 :],
        raw=raw,
    )


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


class Opener:
    """Decrypts frames with one meter's keys and keeps what that takes: proofs and frame counters.

    ``policy``: "require" accepts only a frame whose tag is right; "warn" accepts one with a wrong tag when
    the checksum inside is right; "off" does not look at the tag, and still wants the checksum.
    Without ``authentication_key`` Luxembourg's constant is tried, and none at all.

    ``counters`` is what is worth remembering over a restart, with ``check_value``: other keys, with which a
    meter's counter begins anew, have another one. It tells nothing of the keys.
    """

    def __init__(
        self, key: bytes, authentication_key: bytes | None = None, policy: Policy = "require"
    ) -> None:
        for name, given in (("key", key), ("authentication key", authentication_key)):
            if given is not None and len(given) != KEY_LENGTH:
                raise ValueError(f"the {name} has {len(given)} bytes; AES-128 needs {KEY_LENGTH}")
        # cryptography takes memory, which only who has a key shall pay for.
        from smart_meter_reader.codecs.p1.encryption.aes import AesGcm

        self._aes = AesGcm(key)
        self._own_authentication_key = authentication_key is not None
        self._authentication_keys = (
            [authentication_key] if authentication_key is not None else [LUXEMBOURG_AUTHENTICATION_KEY, b""]
        )
        self.policy = policy
        self._key_proven = False
        self._tag_proven = False
        self.counters = FrameCounters()
        digest = hashlib.sha256(b"frame counters" + key + (authentication_key or b""))
        self.check_value = digest.hexdigest()[:8]

    def __repr__(self) -> str:
        return f"Opener(policy={self.policy!r}, keys hidden)"

    def open(self, frame: CipherFrame, now: datetime | None = None) -> Opened:
        """Decrypt and judge one frame received at ``now`` (for the counters, see there).

        Raises DecryptionError with the reason ``wrong_encryption_key``, ``wrong_authentication_key``,
        ``no_authentication_key``, ``not_authenticated``, ``damaged``, ``not_a_telegram`` or ``replayed``.
        """
        plaintext = None if self.policy == "off" else self._authenticate(frame)
        opened = self._without_tag(frame) if plaintext is None else _verified(plaintext, frame)
        title, counter = frame.system_title, frame.frame_counter
        if opened.authentication == "verified":
            self._tag_proven = self._key_proven = True
            self.counters.count(title, counter, now)
        else:
            self._key_proven |= bool(frame.security & _ENCRYPTED)
            # Who does not look at tags does not look at what one has proven either.
            self.counters.check(title, counter, against_proven=self.policy != "off")
        return opened

    def is_likely(self, begin: CipherFrame) -> bool:
        """Whether the first block decrypts to the beginning of a telegram; ``begin`` may end behind it.

        Costs one block of AES. Whoever has no key can only repeat what a meter has sent.
        """
        return bool(begin.security & _ENCRYPTED) and _begins_like_text(
            self._aes.first_block(begin.nonce, begin.body)
        )

    def _authenticate(self, frame: CipherFrame) -> bytes | None:
        """The plaintext when the tag is right under one of the authentication keys, else None."""
        if not frame.security & _AUTHENTICATED:
            return None
        for index, authentication_key in enumerate(self._authentication_keys):
            plaintext = self._decrypt(frame, authentication_key)
            if plaintext is not None:
                # The one that fits stands first for the next frame.
                self._authentication_keys.insert(0, self._authentication_keys.pop(index))
                return plaintext
        return None

    def _decrypt(self, frame: CipherFrame, authentication_key: bytes) -> bytes | None:
        ciphertext, tag = frame.body[:-TAG_LENGTH], frame.body[-TAG_LENGTH:]
        additional = bytes([frame.security]) + authentication_key if authentication_key else b""
        if frame.security & _ENCRYPTED:
            return self._aes.open(frame.nonce, tag, additional, ciphertext)
        vouched = self._aes.open(frame.nonce, tag, additional + ciphertext, b"")
        return None if vouched is None else ciphertext

    def _decrypt_unverified(self, frame: CipherFrame) -> bytes:
        body = frame.body[:-TAG_LENGTH] if frame.security & _AUTHENTICATED else frame.body
        return self._aes.decrypt_unverified(frame.nonce, body) if frame.security & _ENCRYPTED else body

    def _without_tag(self, frame: CipherFrame) -> Opened:
        """Judge a frame whose tag is wrong, missing or not wanted: by the checksum inside."""
        plaintext = self._decrypt_unverified(frame)
        parts = split(plaintext)
        if parts is None or parts[1] != "ok":
            raise self._cause(frame, plaintext, parts is not None and parts[1] == "absent")
        if self.policy == "off":
            return Opened(*parts, "none", frame.frame_counter)
        refusal = self._refusal(frame)
        if self.policy == "require":
            raise refusal
        authentication: Authentication = "failed" if frame.security & _AUTHENTICATED else "none"
        return Opened(*parts, authentication, frame.frame_counter, refusal)

    def _refusal(self, frame: CipherFrame) -> DecryptionError:
        """Why a frame that decrypts well is not authentic."""
        if not frame.security & _AUTHENTICATED:
            advice = ': set authentication = "warn" to accept that' if self.policy == "require" else ""
            return DecryptionError(
                "not_authenticated",
                f"the meter encrypts but does not authenticate (security byte 20){advice}",
            )
        if self._tag_proven:
            return DamagedCipherError(
                "damaged", "the tag is wrong, though it was right before with these keys"
            )
        if self._own_authentication_key:
            return WrongTagError(
                "wrong_authentication_key",
                "the telegram decrypts well, but its tag is wrong: check authentication_key; if the grid "
                'operator gives out no other, authentication = "warn" relies on the checksum inside',
            )
        return WrongTagError(
            "no_authentication_key",
            "the telegram decrypts well, but its tag cannot be checked: set authentication_key (GAK), "
            'or authentication = "warn" to rely on the checksum inside',
        )

    def _cause(self, frame: CipherFrame, plaintext: bytes, unchecked: bool) -> DecryptionError:
        """Why a frame does not decrypt to a telegram with a good checksum."""
        counter = f"frame {frame.frame_counter}"
        if unchecked:
            detail = f"{counter}: the tag is wrong and there is no checksum inside: nothing vouches for it"
            if self._tag_proven:
                return DamagedCipherError("damaged", detail)
            return WrongTagError("wrong_authentication_key", detail)
        # A second header of the same meter inside: the rest of the frame it began with got lost.
        spliced = frame.raw.count(frame.raw[:10]) > 1
        if self._key_proven or spliced or _begins_like_text(plaintext):
            return DamagedCipherError(
                "damaged",
                f"{counter} was damaged on the way, or is spliced from two: tag and checksum are wrong",
            )
        return WrongTagError(
            "wrong_encryption_key",
            f"{counter} does not decrypt to text: check the encryption key (GUEK); after work on the "
            "meter the grid operator may have set a new one",
        )


def _verified(plaintext: bytes, frame: CipherFrame) -> Opened:
    """A frame with the right tag. The tag vouches for every byte, so a wrong checksum inside is only told."""
    parts = split(plaintext)
    if parts is None:
        raise DecryptionError("not_a_telegram", "the frame is authentic but holds no P1 telegram")
    return Opened(*parts, "verified", frame.frame_counter)


def _begins_like_text(plaintext: bytes) -> bool:
    """Counter mode goes wrong where the bytes do, and right again after: the begin tells about the key."""
    begin = plaintext[:16]
    return begin[:1] == b"/" and all(32 <= byte < 127 or byte in b"\r\n\xab\x02" for byte in begin)
