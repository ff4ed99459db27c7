"""Redacts P1 streams: equipment identifiers, texts, long numbers in the header; checksums anew.

An encrypted telegram is decrypted, redacted, and encrypted again with keys that everybody may know; without
its key it is left out, since nobody can tell what is in it. Where some are encrypted, so is what is damaged
or stands in no telegram.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

from smart_meter_reader.codecs.ciphering.keys import parse_key
from smart_meter_reader.codecs.p1.encode import encode_telegram, encrypt_telegram, encrypt_untitled
from smart_meter_reader.codecs.p1.encryption.cipher import Opened, Opener
from smart_meter_reader.codecs.p1.encryption.header import CipherFrame, find_header
from smart_meter_reader.codecs.p1.framing.checksum import crc16_arc, crc16_x25, verify
from smart_meter_reader.codecs.p1.framing.frame import FrameReader
from smart_meter_reader.codecs.p1.framing.plain import PlainFrame
from smart_meter_reader.exceptions import DecryptionError, FrameError
from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.recordings.data_sets import redact_data_sets, redact_fragments, redact_name
from smart_meter_reader.recordings.pseudonyms import Pseudonyms
from smart_meter_reader.recordings.rewriting import (
    Rewritten,
    bytes_left_out,
    rewrite_as_they_end,
    rewrite_runs,
)
from smart_meter_reader.recordings.text import FROM_METER, Burst, RecordedEvent

PUBLIC_KEY: Final = bytes(range(16))
PUBLIC_AUTHENTICATION_KEY: Final = bytes(range(16, 32))
# For telegrams whose tag could not be verified: it cannot be with the public key either.
_UNKNOWN_AUTHENTICATION_KEY: Final = bytes(range(32, 48))

_START = re.compile(rb"/[0-9A-Za-z]{3}[^\r\n]{0,128}\r?\n")
_END = re.compile(rb"\n!(?P<checksum>[0-9A-Fa-f]{4})?(?=[\r\n]|\Z)")
# Of how many headers before one end each is tried.
_MAX_STARTS = 8


def redact(events: Sequence[RecordedEvent], names: Pseudonyms, settings: ClientSettings | None) -> Rewritten:
    """The stream with everything replaced that may name a person or a device. ``settings`` have the keys."""
    received = b"".join(
        event.payload for event in events if isinstance(event, Burst) and event.direction == FROM_METER
    )
    if find_header(received) is None:
        return Rewritten(tuple(rewrite_runs(events, lambda _, run: _stream(run, names))))
    return _encrypted(events, names, _opener(settings))


def _opener(settings: ClientSettings | None) -> Opener | None:
    """What decrypts the telegrams, whatever their tags are worth; None without a key."""
    key, authentication_key = (None, None) if settings is None else settings.decryption_keys
    if key is None:
        return None
    own = parse_key(authentication_key.reveal()) if authentication_key is not None else None
    return Opener(parse_key(key.reveal()), own, "warn")


def _stream(stream: bytes, names: Pseudonyms) -> bytes:
    """Plain telegrams, damaged and cut ones too, as long as before."""
    written = bytearray()
    place = 0
    for end in _END.finditer(stream):
        written += _telegram(stream[place : end.start() + 2], end["checksum"], names)
        place = end.end()
    # A telegram that goes on after the end of the recording, or noise.
    return bytes(written + redact_fragments(_lines(stream[place:], names)))


def _telegram(covered: bytes, checksum: bytes | None, names: Pseudonyms) -> bytes:
    """Everything up to a telegram's '!', and its checksum; what stands before its header is a fragment."""
    starts = [found.start() for found in _START.finditer(covered)][-_MAX_STARTS:]
    if checksum is None:
        start = starts[-1] if starts else len(covered)
        return _fragment(covered[:start], names) + _lines(covered[start:], names)
    expected = int(checksum, 16)
    for start in reversed(starts):
        telegram = covered[start:]
        algorithm = _algorithm(telegram, expected)
        if algorithm is not None:
            written = _lines(telegram, names)
            anew = _checksum(written, algorithm, as_sent=verify(telegram, expected, x25=True) == telegram)
            return _fragment(covered[:start], names) + written + b"%04X" % anew
    written = _fragment(covered, names)
    right = {_algorithm(written[found.start() :], expected) for found in _START.finditer(written)}
    return written + (checksum if right <= {None} else b"%04X" % (expected ^ 1))


Algorithm = Literal["arc", "x25"]


def _algorithm(telegram: bytes, expected: int) -> Algorithm | None:
    if verify(telegram, expected) is not None:
        return "arc"
    return "x25" if verify(telegram, expected, x25=True) is not None else None


def _checksum(telegram: bytes, algorithm: Algorithm, *, as_sent: bool) -> int:
    """``as_sent`` is false where the line ends lost their CR before the recording, and not before the CRC."""
    if not as_sent:
        telegram = re.sub(rb"(?<!\r)\n", b"\r\n", telegram)
    return crc16_arc(telegram) if algorithm == "arc" else crc16_x25(telegram)


def _lines(text: bytes, names: Pseudonyms) -> bytes:
    text = _START.sub(lambda header: redact_name(header[0], names), text)
    return redact_data_sets(text, names, octets=True)


def _fragment(text: bytes, names: Pseudonyms) -> bytes:
    """Part of a telegram whose checksum did not confirm it: values may begin and end anywhere in it."""
    return redact_fragments(_lines(text, names))


def _encrypted(events: Sequence[RecordedEvent], names: Pseudonyms, opener: Opener | None) -> Rewritten:
    frames: list[CipherFrame] = []

    def open_frame(frame: CipherFrame) -> Opened:
        if not frame.identification:
            names.of(frame.system_title.hex())  # known even where nothing opens: errors tell it
            _device_number(frame, names)
        if opener is None:
            raise DecryptionError("no_key", "there is no key")
        opened = opener.open(frame)
        frames.append(frame)
        return opened

    reader = FrameReader(open_frame)
    left_out = Counter[type[FrameError | DecryptionError]]()

    def completed() -> bytes:
        payload = b""
        for found in _frames(reader):
            if isinstance(found, PlainFrame):
                payload += _plain(found, names)
            elif isinstance(found, Opened):
                payload += _encrypt(found, frames.pop(0), names)
            else:
                left_out[DecryptionError if isinstance(found, DecryptionError) else FrameError] += 1
        return payload

    def take(received: bytes) -> bytes:
        reader.receive_data(received)
        return completed()

    def finish() -> bytes:
        reader.finish()
        return completed()

    written = tuple(rewrite_as_they_end(events, take, finish))
    notes = _notes(left_out[DecryptionError], left_out[FrameError], reader.skipped)
    return _told(written, opener, notes)


def _notes(closed: int, damaged: int, skipped: int) -> Iterator[str]:
    """What is not in the recording any more."""
    if closed:
        yield f"{closed} encrypted telegrams without a fitting key are left out"
    if damaged:
        yield f"{damaged} damaged telegrams are left out"
    yield from bytes_left_out(skipped)


def _told(written: tuple[RecordedEvent, ...], opener: Opener | None, left_out: Iterable[str]) -> Rewritten:
    """What was written, and what the person who gets it must know."""
    settings: dict[str, str] = {}
    notes: list[str] = []
    if opener is not None:
        settings["key"] = json.dumps(PUBLIC_KEY.hex())
        settings["authentication_key"] = json.dumps(PUBLIC_AUTHENTICATION_KEY.hex())
        notes.append("telegrams are encrypted with public keys, which stand in the recording")
    return Rewritten(written, settings, (*notes, *left_out))


def _frames(reader: FrameReader) -> Iterator[PlainFrame | Opened | FrameError | DecryptionError]:
    while True:
        try:
            frame = reader.next_frame()
        except (FrameError, DecryptionError) as error:
            yield error
            continue
        if frame is None:
            return
        yield frame


def _plain(frame: PlainFrame, names: Pseudonyms) -> bytes:
    return encode_telegram(_lines(frame.telegram, names), "arc" if frame.checksum == "ok" else "none")


def _encrypt(opened: Opened, frame: CipherFrame, names: Pseudonyms) -> bytes:
    """The redacted telegram, encrypted as its meter would with the public keys."""
    lines = _lines(opened.telegram, names)
    verified = opened.authentication == "verified"
    authentication_key = PUBLIC_AUTHENTICATION_KEY if verified else _UNKNOWN_AUTHENTICATION_KEY
    if frame.identification:
        return encrypt_untitled(
            lines, PUBLIC_KEY, authentication_key, frame.frame_counter, security=frame.security
        )
    made_up = frame.system_title[:3] + _device_number(frame, names).to_bytes(5, "big")
    return encrypt_telegram(
        encode_telegram(lines, "none" if opened.checksum == "absent" else "arc"),
        PUBLIC_KEY,
        authentication_key,
        made_up,
        frame.frame_counter,
        security=frame.security,
    )


def _device_number(frame: CipherFrame, names: Pseudonyms) -> int:
    """What stands for it; it follows three letters for the manufacturer (DLMS UA 1000-2, 4.3.4)."""
    return int(names.of(str(int.from_bytes(frame.system_title[3:], "big"))))
