"""Encrypted telegrams: general-glo-ciphering of DLMS with AES-128-GCM, told apart when it fails.

DLMS UA 1000-2 (Green Book) 9.2.7.2, security suite 0; Luxembourg P1 specification 1.1.3 section 3.2.5;
Sagemcom T210-D-r in Austria; Elgama in Poland. For the layout of frames see ``header``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from smart_meter_reader.codecs.ciphering.keys import AUTHENTICATED, ENCRYPTED, Authentication
from smart_meter_reader.codecs.ciphering.opener import CipherOpener
from smart_meter_reader.codecs.p1.encryption.header import CipherFrame, is_whole
from smart_meter_reader.codecs.p1.framing.plain import DATA_LINE, take_apart
from smart_meter_reader.exceptions import DamagedCipherError, DecryptionError, WrongTagError


class Opened(NamedTuple):
    """A decrypted telegram from '/' to '!', and how far it can be trusted."""

    telegram: bytes
    checksum: Literal["ok", "absent", "bad"]
    authentication: Authentication
    frame_counter: int
    warning: DecryptionError | None = None  # why the tag failed, where the policy lets that pass


class Opener(CipherOpener):
    """Decrypts frames with one meter's keys and keeps what that takes: proofs and frame counters.

    ``policy``: "require" accepts only a frame whose tag is right; "warn" accepts one with a wrong tag when
    the checksum inside is right; "off" does not look at the tag, and still wants the checksum.
    """

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
            self._key_proven |= bool(frame.security & ENCRYPTED)
            # Who does not look at tags does not look at what one has proven either.
            self.counters.check(title, counter, against_proven=self.policy != "off")
        return opened

    def is_likely(self, begin: CipherFrame) -> bool:
        """Whether the first block decrypts to the beginning of a telegram; ``begin`` may end behind it.

        Costs one block of AES. Whoever has no key can only repeat what a meter has sent.
        """
        return bool(begin.security & ENCRYPTED) and _begins_like_text(
            self._aes.first_block(begin.nonce, begin.body), begin
        )

    def _without_tag(self, frame: CipherFrame) -> Opened:
        """Judge a frame whose tag is wrong, missing or not wanted: by the checksum inside."""
        plaintext = self._decrypt_unverified(frame)
        parts = _telegram_of(plaintext, frame)
        if parts is None or parts[1] != "ok":
            raise self._cause(frame, plaintext, parts is not None and parts[1] == "absent")
        if self.policy == "off":
            return Opened(*parts, "none", frame.frame_counter)
        refusal = self._refusal(frame)
        if self.policy == "require":
            raise refusal
        authentication: Authentication = "failed" if frame.security & AUTHENTICATED else "none"
        return Opened(*parts, authentication, frame.frame_counter, refusal)

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
        if self._key_proven or spliced or _begins_like_text(plaintext, frame):
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
    parts = _telegram_of(plaintext, frame)
    if parts is None:
        raise DecryptionError("not_a_telegram", "the frame is authentic but holds no P1 telegram")
    return Opened(*parts, "verified", frame.frame_counter)


def _telegram_of(plaintext: bytes, frame: CipherFrame) -> tuple[bytes, Literal["ok", "absent", "bad"]] | None:
    """The telegram from '/' to '!', and its checksum; None when there is none in ``plaintext``."""
    if not frame.identification:
        return take_apart(plaintext)
    telegram = frame.identification + plaintext.rstrip(b"\0") + b"!"
    # The checksum outside is over the ciphertext: of the key it is the text that tells.
    if not (plaintext.isascii() and telegram.endswith(b"\n!") and DATA_LINE.search(telegram)):
        return None
    return telegram, "ok" if is_whole(frame) else "bad"


def _begins_like_text(plaintext: bytes, frame: CipherFrame) -> bool:
    """Counter mode goes wrong where the bytes do, and right again after: the begin tells about the key."""
    begin = plaintext[:16]
    starts = bool(frame.identification) or begin[:1] == b"/"
    return starts and all(32 <= byte < 127 or byte in b"\r\n\xab\x02" for byte in begin)
