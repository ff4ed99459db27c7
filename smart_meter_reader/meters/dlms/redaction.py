"""Redacts recordings of meters that push DLMS: numbers of meters, system titles, texts; checksums anew.

An encrypted telegram is decrypted, redacted, and encrypted again with keys that everybody may know; without
its key it is left out, since nobody can tell what is in it. So is what is damaged, and what is in no frame.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from smart_meter_reader.codecs.ciphering.keys import AUTHENTICATED, parse_key
from smart_meter_reader.codecs.dlms.axdr import OCTETS, STRINGS, UINT32, AxdrError, Item, encode_item
from smart_meter_reader.codecs.dlms.cipher import TAG as CIPHERED
from smart_meter_reader.codecs.dlms.cipher import DlmsOpener, SealedApdu, encrypt, parse_cipher_frame
from smart_meter_reader.codecs.dlms.framing.frames import Framed, FrameReader
from smart_meter_reader.codecs.dlms.framing.hdlc import HdlcFrame, encode_hdlc
from smart_meter_reader.codecs.dlms.framing.joining import LLC, Joiner
from smart_meter_reader.codecs.dlms.framing.mbus_frame import MbusFrame, encode_mbus
from smart_meter_reader.codecs.dlms.identity import NAMING
from smart_meter_reader.codecs.dlms.layouts import read_layout
from smart_meter_reader.codecs.dlms.notification import parse_notification
from smart_meter_reader.exceptions import DecryptionError, FrameError
from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.recordings.pseudonyms import Pseudonyms
from smart_meter_reader.recordings.rewriting import Rewritten, bytes_left_out, rewrite_as_they_end
from smart_meter_reader.recordings.text import RecordedEvent

PUBLIC_KEY: Final = bytes(range(16))
PUBLIC_AUTHENTICATION_KEY: Final = bytes(range(16, 32))
"""As for P1: keys that everybody may know."""
# For telegrams whose tag could not be verified: it cannot be with the public key either.
_UNKNOWN_AUTHENTICATION_KEY: Final = bytes(range(32, 48))
# What the first letters and digits of a device name say of maker and type is nobody's secret.
_DEVICE_NAME: Final = re.compile(r"[A-Z]{3}[0-9]{5}(?=[0-9]{4,})")
# Names of lists, tariffs and models tell no meter from another.
_OF_MANY: Final = re.compile(
    r"KFM_[0-9]{3}|AIDON_V[0-9]{4}|Kamstrup_V[0-9]{4}|6841[0-9]{3}BN[0-9]{9}|MA[0-9]{3}[A-Z][0-9][A-Z]?|T[0-9]"
)
_MODEL: Final = "96.1.7"


def redact(events: Sequence[RecordedEvent], names: Pseudonyms, settings: ClientSettings | None) -> Rewritten:
    """The stream with everything replaced that may name a person or a device. ``settings`` have the keys."""
    redactor = _StreamRedactor(names, _opener(settings))
    written = tuple(rewrite_as_they_end(events, redactor.take, redactor.finish))
    return Rewritten(written, redactor.settings, redactor.notes)


def _opener(settings: ClientSettings | None) -> DlmsOpener | None:
    """What decrypts the telegrams, whatever their tags are worth; None without a key."""
    key, authentication_key = (None, None) if settings is None else settings.decryption_keys
    if key is None:
        return None
    own = parse_key(authentication_key.reveal()) if authentication_key is not None else None
    return DlmsOpener(parse_key(key.reveal()), own, "warn")


class _StreamRedactor:
    """Bytes in, as they arrived; whole telegrams out, redacted, with the burst that ended them."""

    def __init__(self, names: Pseudonyms, opener: DlmsOpener | None) -> None:
        self._names = names
        self._opener = opener
        self._reader = FrameReader()
        self._joiner = Joiner()
        self._frames: list[Framed] = []
        self._closed = 0  # encrypted telegrams that nothing opened
        self._damaged = 0
        self._encrypted = False

    @property
    def settings(self) -> dict[str, str]:
        """The keys that replaying needs now."""
        if not self._encrypted:
            return {}
        return {
            "key": json.dumps(PUBLIC_KEY.hex()),
            "authentication_key": json.dumps(PUBLIC_AUTHENTICATION_KEY.hex()),
            # Meters that send no tag go on doing so.
            "authentication": json.dumps("warn"),
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person who gets it must know."""
        notes = []
        if self._encrypted:
            notes.append("telegrams are encrypted with public keys, which stand in the recording")
        if self._closed:
            notes.append(f"{self._closed} encrypted telegrams without a fitting key are left out")
        if self._damaged:
            notes.append(f"{self._damaged} damaged frames or telegrams are left out")
        return (*notes, *bytes_left_out(self._reader.skipped))

    def take(self, received: bytes) -> bytes:
        """What these bytes complete, fit to be given away."""
        self._reader.receive_data(received)
        return self._completed()

    def finish(self) -> bytes:
        """The recording has ended: what is still in what came, fit to be given away."""
        self._reader.finish()
        written = self._completed()
        self._damaged += sum(1 for _ in self._joiner.drop("the recording ends"))
        return written

    def _completed(self) -> bytes:
        written = b""
        while True:
            try:
                arrival = self._reader.next_frame()
            except FrameError:
                self._damaged += 1
                continue
            if arrival is None:
                return written
            self._frames.append(arrival.frame)
            for outcome in self._joiner.take(arrival):
                if isinstance(outcome, FrameError):
                    self._damaged += 1
                    self._frames = self._frames[-1:]
                else:
                    written += self._rewrite(outcome)
            if not self._joiner.collecting:
                self._frames.clear()

    def _rewrite(self, apdu: bytes) -> bytes:
        """The frames that carried this APDU, with another one of the same length in them."""
        try:
            anew = _sealed(self, apdu) if apdu[:1] == bytes([CIPHERED]) else redact_apdu(apdu, self._names)
        except DecryptionError:
            self._closed += 1
            return b""
        except (FrameError, AxdrError):
            self._damaged += 1
            return b""
        return b"".join(_reframed(self._frames, apdu, anew))

    def open(self, frame: SealedApdu) -> tuple[bytes, bool]:
        """What is inside, and whether its tag was right. Raises DecryptionError."""
        self._names.of(frame.system_title.hex())  # known even where nothing opens: errors tell it
        if self._opener is None:
            raise DecryptionError("no_key", "there is no key")
        opened = self._opener.open(frame)
        self._encrypted = True
        return opened.plaintext, opened.authentication == "verified"

    def title_for(self, frame: SealedApdu) -> bytes:
        """What stands for a system title, which begins with three letters for the maker."""
        number = int(self._names.of(str(int.from_bytes(frame.system_title[3:], "big"))))
        return frame.system_title[:3] + number.to_bytes(5, "big")

    def plain(self, plaintext: bytes) -> bytes:
        """One notification, redacted."""
        return redact_apdu(plaintext, self._names)


def _sealed(redactor: _StreamRedactor, apdu: bytes) -> bytes:
    frame = parse_cipher_frame(apdu)
    plaintext, verified = redactor.open(frame)
    own = PUBLIC_AUTHENTICATION_KEY if verified else _UNKNOWN_AUTHENTICATION_KEY
    anew = encrypt(
        redactor.plain(plaintext),
        PUBLIC_KEY,
        own if frame.security & AUTHENTICATED else None,
        redactor.title_for(frame),
        frame.frame_counter,
        frame.security,
    )
    return anew + apdu[frame.end :]


def redact_apdu(apdu: bytes, names: Pseudonyms) -> bytes:
    """Notifications with other numbers and texts in the place of what names somebody. Raises AxdrError."""
    place = 0
    while True:
        end = parse_notification(apdu, place).end
        before, own, behind = apdu[:place], apdu[place:end], apdu[end:]
        for text, anew in _replacements(own, names):
            own = own.replace(text, anew)
        apdu = before + own + behind
        if not behind:
            return apdu
        place = end + len(LLC)


def _replacements(apdu: bytes, names: Pseudonyms) -> Iterator[tuple[bytes, bytes]]:
    """What stands in a notification and what shall, as long as before."""
    pushed = read_layout(parse_notification(apdu))
    for entry in pushed.entries:
        names_somebody = entry.code.a == 0 or entry.code.reduced in NAMING
        if names_somebody and entry.code.reduced != _MODEL:
            yield from _replacement(entry.value, names, bytes(entry.code))
    for item in pushed.nameless:
        if item.tag in STRINGS:
            yield from _replacement(item, names)


def _replacement(item: Item, names: Pseudonyms, code: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
    if item.tag in STRINGS:
        text = item.octets.decode("latin-1")
        anew = _pseudonym(text, names)
        if anew != text:
            yield encode_item(item), encode_item(Item(item.tag, anew.encode("latin-1")))
    elif item.tag == UINT32 and isinstance(item.content, int) and code:
        number = int(names.of(str(item.content)))
        before = encode_item(Item(OCTETS, code)) + encode_item(item)
        yield before, encode_item(Item(OCTETS, code)) + encode_item(Item(UINT32, number))


def _pseudonym(text: str, names: Pseudonyms) -> str:
    """Another text of the same length; the same where it names nobody: octets, a list's name."""
    if not text.isascii() or not text.isprintable() or _OF_MANY.fullmatch(text) or not text.strip("0 "):
        return text
    device = _DEVICE_NAME.match(text)
    if device is not None:
        names.of(text)
        return device[0] + names.of(text[device.end() :])
    return names.of(text)


def _reframed(frames: Sequence[Framed], apdu: bytes, anew: bytes) -> Iterator[bytes]:
    """The frames with the octets of another APDU of the same length in the place of this one's."""
    place = 0
    for frame in frames:
        content = _content(frame)
        # What is not of the APDU: the LLC, the header of a block.
        head = next(
            (count for count in range(len(content) + 1) if apdu.startswith(content[count:], place)),
            len(content),
        )
        length = len(content) - head
        yield _with_content(frame, content[:head] + anew[place : place + length])
        place += length


def _content(frame: Framed) -> bytes:
    if isinstance(frame, HdlcFrame):
        return frame.information
    return frame.piece if isinstance(frame, MbusFrame) else frame.raw


def _with_content(frame: Framed, content: bytes) -> bytes:
    if isinstance(frame, HdlcFrame):
        return encode_hdlc(
            content,
            destination=frame.destination,
            source=frame.source,
            control=frame.control,
            segmented=frame.segmented,
        )
    if isinstance(frame, MbusFrame):
        return encode_mbus(content, frame.sequence, last=frame.last, tsaps=frame.tsaps)
    return content
