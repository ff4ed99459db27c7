"""General-glo-ciphering around notifications, and why a frame does not open.

DLMS UA 1000-2 (Green Book) 9.2.7.2::

    DB | 08 | system title, 8 | length, BER | security control | invocation counter, 4 | ciphertext | tag, 12

Security control: bit 5 encrypted, bit 4 authenticated (then there is a tag), bits 0 to 3 the suite. Kaifa
sets those of suite 1 and encrypts with AES-128 all the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final, NamedTuple

from smart_meter_reader.codecs.ciphering.keys import (
    AUTHENTICATED,
    ENCRYPTED,
    LUXEMBOURG_AUTHENTICATION_KEY,
    TAG_LENGTH,
    Authentication,
)
from smart_meter_reader.codecs.ciphering.opener import CipherOpener
from smart_meter_reader.codecs.dlms.axdr import AxdrError, decode_length, encode_length
from smart_meter_reader.codecs.dlms.notification import TAG as NOTIFICATION
from smart_meter_reader.codecs.dlms.notification import is_believable
from smart_meter_reader.exceptions import DamagedCipherError, DecryptionError, MalformedError, WrongTagError

TAG: Final = 0xDB
TITLE_LENGTH: Final = 8
_COMPRESSED: Final = 0x80
# The same for all meters of Netz Burgenland (Austria), as users of its portal were told.
BURGENLAND_AUTHENTICATION_KEY: Final = bytes.fromhex("C0C1C2C3C4C5C6C7C8C9CACBCCCDCECF")


class SealedApdu(NamedTuple):
    """A whole frame, taken apart and not yet decrypted. ``end`` is where it ends in its APDU."""

    system_title: bytes
    security: int
    frame_counter: int
    body: bytes
    end: int

    @property
    def nonce(self) -> bytes:
        """System title and frame counter."""
        return self.system_title + self.frame_counter.to_bytes(4, "big")


class OpenedApdu(NamedTuple):
    """What a frame held, and how far it can be trusted."""

    plaintext: bytes
    authentication: Authentication
    frame_counter: int
    system_title: bytes
    warning: DecryptionError | None = None  # why the tag failed, where the policy lets that pass


def parse_cipher_frame(apdu: bytes, place: int = 0) -> SealedApdu:
    """The frame at ``place``. Raises MalformedError."""
    try:
        if apdu[place : place + 2] != bytes([TAG, TITLE_LENGTH]):
            raise AxdrError("no general-glo-ciphering with a system title of eight octets", place)
        body = place + 2 + TITLE_LENGTH
        length, begin = decode_length(apdu, body)
        security = apdu[begin] if begin < len(apdu) else 0
        least = 1 + 4 + (TAG_LENGTH if security & AUTHENTICATED else 0)
        if begin + length > len(apdu) or length < least:
            raise AxdrError(f"{length} octets are announced and {len(apdu) - begin} are there", begin)
        if security & _COMPRESSED:
            raise AxdrError("what is inside is compressed, which is not read here", begin)
    except AxdrError as error:
        raise MalformedError("malformed", f"an encrypted frame makes no sense: {error}", apdu) from None
    return SealedApdu(
        system_title=apdu[place + 2 : body],
        security=security,
        frame_counter=int.from_bytes(apdu[begin + 1 : begin + 5], "big"),
        body=apdu[begin + 5 : begin + length],
        end=begin + length,
    )


class DlmsOpener(CipherOpener):
    """Decrypts frames with one meter's keys.

    ``policy``: "require" accepts a frame with a tag only when that is right, and, where an authentication
    key was given, none without; "warn" accepts what decrypts to exactly one notification; "off" does not
    look at the tag, and wants the same. In much of Austria meters send no tag at all, and nobody has an
    authentication key: without one, such frames are accepted when they decrypt to exactly one notification.
    """

    known_authentication_keys: ClassVar = (LUXEMBOURG_AUTHENTICATION_KEY, BURGENLAND_AUTHENTICATION_KEY)
    vouching: ClassVar[str] = "its structure alone"

    def open(self, frame: SealedApdu, now: datetime | None = None) -> OpenedApdu:
        """Decrypt and judge one frame received at ``now`` (for the counters, see there).

        Raises DecryptionError with the reason ``wrong_encryption_key``, ``wrong_authentication_key``,
        ``no_authentication_key``, ``not_authenticated``, ``damaged`` or ``replayed``.
        """
        title, counter = frame.system_title, frame.frame_counter
        plaintext = None if self.policy == "off" else self._authenticate(frame)
        if plaintext is not None:
            self._tag_proven = self._key_proven = True
            self.counters.count(title, counter, now)
            return OpenedApdu(plaintext, "verified", counter, title)
        opened = self._without_tag(frame)
        self._key_proven |= bool(frame.security & ENCRYPTED)
        self.counters.check(title, counter, against_proven=self.policy != "off")
        return opened

    def _without_tag(self, frame: SealedApdu) -> OpenedApdu:
        """Judge a frame whose tag is wrong, missing or not wanted: by what it decrypts to."""
        plaintext = self._decrypt_unverified(frame)
        title, counter = frame.system_title, frame.frame_counter
        if not is_believable(plaintext):
            raise self._cause(frame, plaintext)
        tagged = bool(frame.security & AUTHENTICATED)
        nothing_wanted = not tagged and not self._own_authentication_key and not self._tag_proven
        if self.policy == "off" or nothing_wanted:
            return OpenedApdu(plaintext, "none", counter, title)
        refusal = self._refusal(frame)
        if self.policy == "require":
            raise refusal
        return OpenedApdu(plaintext, "failed" if tagged else "none", counter, title, refusal)

    def _cause(self, frame: SealedApdu, plaintext: bytes) -> DecryptionError:
        """Why a frame does not decrypt to a notification."""
        who = f"frame {frame.frame_counter} of the meter with system title {frame.system_title.hex()}"
        # Counter mode goes wrong where the octets do: the begin tells about the key.
        begins_well = plaintext[:1] == bytes([NOTIFICATION]) and plaintext[5:6] in (b"\0", b"\x09", b"\x0c")
        if self._key_proven or begins_well:
            return DamagedCipherError(
                "damaged", f"{who} decrypts to a notification that makes no sense: it was damaged on the way"
            )
        return WrongTagError(
            "wrong_encryption_key",
            f"{who} does not decrypt to a notification: check the encryption key (GUEK, EK or GPK60), and "
            "that it is this meter's; after work on the meter the grid operator may have set a new one",
        )


def encrypt(
    plaintext: bytes,
    key: bytes,
    authentication_key: bytes | None,
    title: bytes,
    counter: int,
    security: int | None = None,
) -> bytes:
    """The frame as a meter with these keys writes it; without ``authentication_key`` it has no tag."""
    from smart_meter_reader.codecs.ciphering.aes import AesGcm  # only who encrypts pays for cryptography

    if security is None:
        security = ENCRYPTED | (AUTHENTICATED if authentication_key is not None else 0)
    additional = bytes([security]) + authentication_key if authentication_key else b""
    ciphertext, tag = AesGcm(key).seal(title + counter.to_bytes(4, "big"), additional, plaintext)
    body = bytes([security]) + counter.to_bytes(4, "big") + ciphertext
    body += tag if security & AUTHENTICATED else b""
    return bytes([TAG, TITLE_LENGTH]) + title + encode_length(len(body)) + body
