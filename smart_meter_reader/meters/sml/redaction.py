"""Redacts SML: server ids, serial numbers and public keys; checksums anew, every run as long as before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from smart_meter_reader.codecs.crc16 import crc16_kermit, crc16_x25
from smart_meter_reader.codecs.sml.encode import message_checksum
from smart_meter_reader.codecs.sml.frame import ESCAPE, START, FrameReader, SmlFrame
from smart_meter_reader.codecs.sml.identity import identity_of
from smart_meter_reader.codecs.sml.measure import AFFECTED_DZG, PUBLIC_KEY
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.recordings.pseudonyms import Pseudonyms
from smart_meter_reader.recordings.rewriting import Rewritten, rewrite_runs
from smart_meter_reader.recordings.text import RecordedEvent

# What names a device, among the entries: its number, and what the grid operator calls it.
_NAMING: Final = frozenset({"0.0.0", "0.0.9", "96.1.0", "96.1.1", "96.1.255", "96.50.2", "199.240.6"})
_SHORTEST: Final = 5  # octets: shorter ones are versions
_KEY_OCTETS: Final = 48
_NUMBER: Final = 4  # octets of a server id, at its end
_MADE_UP: Final = 1_000_000
# Where a telegram is damaged: server ids, and octets as long as a key.
_IDS: Final = re.compile(
    rb"\x0b(?:[\x09\x0a]\x01[A-Za-z]{3}|\x06[A-Za-z]{3}[^\x00-\x1f]?).{1}(?P<number>.{4})", re.DOTALL
)
_KEYS: Final = re.compile(rb"\x83\x02(?P<key>.{48})", re.DOTALL)
_TEXT_NUMBER: Final = re.compile(rb"(?:1 ?[A-Z]{3} ?)?[0-9][0-9 ]{6,}")


def redact(events: Sequence[RecordedEvent], names: Pseudonyms, settings: ClientSettings | None) -> Rewritten:
    """The stream with everything replaced that may name a person or a device."""
    return Rewritten(tuple(rewrite_runs(events, lambda _, run: _stream(run, names))))


def _stream(stream: bytes, names: Pseudonyms) -> bytes:
    """Telegrams, damaged and cut ones too, as long as before."""
    frames = list(_frames(stream))
    replaced: dict[bytes, bytes] = {}
    for _, frame in frames:
        for original in _naming(frame):
            if original not in replaced:
                replaced[original] = _made_up(original, names)
    written = bytearray()
    place = 0
    for begin, frame in frames:
        written += _fragment(stream[place:begin], replaced, names)
        place = begin + frame.length
        written += _telegram(stream[begin:place], frame, replaced)
    return bytes(written + _fragment(stream[place:], replaced, names))


def _frames(stream: bytes) -> Iterator[tuple[int, SmlFrame]]:
    """The good frames, each with its place: the next one that begins where it can be read whole."""
    place = stream.find(START)
    while place >= 0:
        reader = FrameReader()
        reader.receive_data(stream[place : place + _LONGEST])
        frame = None
        try:
            frame = reader.next_frame()
        except FrameError:
            pass  # a fragment
        if frame is not None:
            yield place, frame
        place = stream.find(START, place + (len(START) if frame is None else frame.length))


_LONGEST: Final = 4096 + 16


def _naming(frame: SmlFrame) -> Iterator[bytes]:
    """The octets of a frame that name somebody."""
    for message in frame.messages:
        values = message.values
        if values is None:
            continue
        if len(values.server_id) >= _SHORTEST:
            yield values.server_id
        for entry in values.entries:
            value = entry.value
            if not isinstance(value, bytes) or len(value) < _SHORTEST:
                continue
            if (
                entry.code == PUBLIC_KEY
                or len(value) == _KEY_OCTETS
                or entry.code.reduced in _NAMING
                or _TEXT_NUMBER.fullmatch(value)
            ):
                yield value


def _made_up(original: bytes, names: Pseudonyms) -> bytes:
    """As many octets, the same for the same; escapes among them stay, or the telegram would be shorter."""
    identity = identity_of(original)
    names.of(identity.serial_number)
    names.of(original.hex())
    if identity.flag:
        number = int(names.of(f"{identity.number:010d}"))
        # Of a range of its own: nobody's, and where a firmware has a fault, still one that has it.
        base = next((each.start for each in AFFECTED_DZG if identity.number in each), _MADE_UP)
        return original[:-_NUMBER] + (base + number % _MADE_UP).to_bytes(_NUMBER, "big")
    if original.isascii() and original.decode("ascii").isprintable():
        return names.of(original.decode("ascii")).encode("ascii")
    made_up = bytes.fromhex(names.of(original.hex()))
    for found in re.finditer(re.escape(ESCAPE), original):
        made_up = made_up[: found.start()] + ESCAPE + made_up[found.end() :]
    return made_up


def _telegram(telegram: bytes, frame: SmlFrame, replaced: dict[bytes, bytes]) -> bytes:
    """A good telegram with its messages' checksums anew where they were right, and its own."""
    written = telegram
    for message in frame.messages:
        before = _doubled(message.covered)
        after = before
        for original, made_up in replaced.items():
            after = after.replace(_doubled(original), _doubled(made_up))
        if after == before:
            continue
        checksum = message.checksum
        plain = after.replace(ESCAPE + ESCAPE, ESCAPE)
        if len(checksum) == 2:
            if message.fits_x25():
                checksum = message_checksum(plain, "x25")
            elif message.fits_kermit():
                checksum = message_checksum(plain, "kermit")
        tl = bytes([0x61 + len(checksum)])
        written = written.replace(before + tl + message.checksum, after + tl + checksum, 1)
    covered = written[:-2]
    if frame.checksum == "x25":
        return covered + crc16_x25(covered).to_bytes(2, "little")
    return covered + crc16_kermit(covered).to_bytes(2, "big")


def _doubled(octets: bytes) -> bytes:
    return octets.replace(ESCAPE, ESCAPE + ESCAPE)


def _fragment(stream: bytes, replaced: dict[bytes, bytes], names: Pseudonyms) -> bytes:
    """Part of a telegram whose checksum did not confirm it."""
    for original, made_up in replaced.items():
        stream = stream.replace(original, made_up)
    stream = _IDS.sub(lambda found: _with(found, "number", names), stream)
    return _KEYS.sub(lambda found: _with(found, "key", names), stream)


def _with(found: re.Match[bytes], group: str, names: Pseudonyms) -> bytes:
    original = found[group]
    made_up = bytes.fromhex(names.of(original.hex()))
    begin, end = (place - found.start() for place in found.span(group))
    return found[0][:begin] + made_up + found[0][end:]
