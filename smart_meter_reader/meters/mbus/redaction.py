"""Redacts M-Bus: identification and fabrication numbers, customers' texts; checksums are computed anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from smart_meter_reader.codecs.mbus.frame import (
    ACK,
    SELECT,
    START_LONG,
    START_SHORT,
    STOP,
    Frame,
    FrameReader,
    LongFrame,
    ShortFrame,
    SingleCharacter,
)
from smart_meter_reader.codecs.mbus.header import LONG_LENGTH, SHORT_LENGTH
from smart_meter_reader.codecs.mbus.records import Record
from smart_meter_reader.codecs.mbus.telegram import (
    FIXED,
    SHORT_HEADER,
    VARIABLE,
    MbusTelegram,
    parse_telegram,
)
from smart_meter_reader.codecs.mbus.value_information import is_text_vif
from smart_meter_reader.exceptions import FrameError, IncompleteError, ProtocolError
from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.recordings.pseudonyms import Pseudonyms
from smart_meter_reader.recordings.rewriting import Rewritten, rewrite_runs
from smart_meter_reader.recordings.text import TO_METER, Burst, RecordedEvent
from smart_meter_reader.text import plain

# What a frame is made of stays to be seen where it is damaged; 55 is the wake-up.
_KEPT = frozenset({ACK, START_LONG, START_SHORT, STOP, 0x55, 0x00})
_BLANK = 0xFF
_CONTENT = 4  # where C stands in a long frame
_NO_DIF = b"\x3f"
_NUMBER_LENGTH = 4
# Records that name a device, a place or a customer. Kamstrup's FF 0F is a serial number.
_PRIVATE = ("fabrication number", "enhanced identification", "customer", "access code", "password")
_PRIVATE_MAKERS = ("0f",)
_FIRST_BCD, _LAST_FIELD = 9, 0x0E


def redact(events: Sequence[RecordedEvent], names: Pseudonyms, settings: ClientSettings | None) -> Rewritten:
    """The conversation with the numbers of customers and devices replaced."""
    return Rewritten(tuple(_redacted(events, names)))


def _redacted(events: Sequence[RecordedEvent], names: Pseudonyms) -> Iterator[RecordedEvent]:
    for event in rewrite_runs(events, lambda _, run: _rewritten(run, names)):
        if isinstance(event, Burst) and event.direction == TO_METER:
            yield replace(event, payload=_rewritten(event.payload, names))
        else:
            yield event


def _rewritten(octets: bytes, names: Pseudonyms) -> bytes:
    """As many bytes, frame by frame; of what is none only the bytes that frames are made of."""
    written = bytearray()
    while len(written) < len(octets):
        written += _up_to_damage(octets[len(written) :], names)
    return bytes(written)


def _up_to_damage(octets: bytes, names: Pseudonyms) -> bytes:
    """The bytes rewritten, up to and with the first damaged frame that is there from begin to end."""
    reader = FrameReader()
    reader.receive_data(octets)
    reader.finish()
    written = bytearray()
    while True:
        before = len(octets) - len(reader.pending)
        try:
            frame = reader.next_frame()
        except FrameError as error:
            after = len(octets) - len(reader.pending)
            if isinstance(error, IncompleteError):
                written += _blanked(octets[before:after])
                continue
            return bytes(written + _blanked(octets[before : after - 1]) + _damaged(error.frame))
        after = len(octets) - len(reader.pending)
        if frame is None:
            return bytes(written + _blanked(octets[before:]))
        encoded = _encoded(frame)
        written += _blanked(octets[before : after - len(encoded)])
        written += _frame(frame, encoded, names)


def _damaged(raw: bytes) -> bytes:
    """A frame that is as long and as damaged, but says nothing: its sum is wrong by as much."""
    begin = len(raw) - 2 if raw[0] == START_SHORT else min(_CONTENT + 3, len(raw) - 2)
    blank = raw[:begin] + bytes([_BLANK]) * (len(raw) - 2 - begin)
    start = 1 if raw[0] == START_SHORT else _CONTENT
    wrong = raw[-2] - sum(raw[start:-2])
    return blank + bytes(((sum(blank[start:]) + wrong) & 0xFF, raw[-1]))


def _encoded(frame: Frame) -> bytes:
    """The bytes of a frame, also of a request that our encoder refuses: somebody else's, on the same bus."""
    if isinstance(frame, SingleCharacter | ShortFrame):
        return frame.encode()
    return _with_checksum(bytes((frame.control, frame.address, frame.ci)) + frame.payload)


def _with_checksum(content: bytes) -> bytes:
    length = len(content)
    head = bytes((START_LONG, length, length, START_LONG))
    return head + content + bytes((sum(content) & 0xFF, STOP))


def _blanked(noise: bytes) -> bytes:
    """Bytes of no whole frame: what they are counts, not what they say. A sum that was wrong stays wrong."""
    return bytes(byte if byte in _KEPT else _BLANK for byte in noise)


def _frame(frame: Frame, encoded: bytes, names: Pseudonyms) -> bytes:
    if not isinstance(frame, LongFrame):
        return encoded
    payload = _payload(frame, names)
    return _with_checksum(encoded[4:7] + payload)


def _payload(frame: LongFrame, names: Pseudonyms) -> bytes:
    payload = frame.payload
    if frame.from_reader:
        if frame.ci == SELECT and len(payload) == 8:
            return _selected(payload[:_NUMBER_LENGTH], names) + payload[_NUMBER_LENGTH:]
        return bytes(len(payload))  # nothing that we ask for, and who knows what is in it
    try:
        telegram = parse_telegram(frame)
    except ProtocolError:
        return _unread(frame, names)
    if frame.ci == FIXED:
        return _number(payload[:_NUMBER_LENGTH], names) + payload[_NUMBER_LENGTH:]
    start = len(payload) - len(telegram.octets)
    head = payload[:start]
    if frame.ci == VARIABLE and start == LONG_LENGTH:
        head = _number(head[:_NUMBER_LENGTH], names) + head[_NUMBER_LENGTH:]
    return head + _records(telegram, names)


def _unread(frame: LongFrame, names: Pseudonyms) -> bytes:
    """What makes no sense: its header, and as many octets that make none either."""
    payload = frame.payload
    if len(payload) <= 1:
        return payload  # an error that the meter tells
    if frame.ci == VARIABLE and len(payload) >= LONG_LENGTH:
        number = _number(payload[:_NUMBER_LENGTH], names)
        return number + payload[_NUMBER_LENGTH:LONG_LENGTH] + _NO_DIF * (len(payload) - LONG_LENGTH)
    if frame.ci == SHORT_HEADER and len(payload) >= SHORT_LENGTH:
        return payload[:SHORT_LENGTH] + _NO_DIF * (len(payload) - SHORT_LENGTH)
    return _NO_DIF * len(payload)


def _selected(octets: bytes, names: Pseudonyms) -> bytes:
    """A number that was selected; of one with wildcards the digits that were tried become zeros."""
    digits = octets[::-1].hex()
    if digits.isdecimal():
        return _number(octets, names)
    return bytes.fromhex("".join("f" if digit == "f" else "0" for digit in digits))[::-1]


def _number(octets: bytes, names: Pseudonyms) -> bytes:
    """Decimal digits, the lowest octet first."""
    digits = octets[::-1].hex()
    if not digits.isdecimal():
        return bytes(len(octets))
    return bytes.fromhex(names.of(digits))[::-1]


def _records(telegram: MbusTelegram, names: Pseudonyms) -> bytes:
    written = bytearray(telegram.octets)
    for record in telegram.records:
        if _is_private(record):
            written[record.end - len(record.raw) : record.end] = _private(record, names)
    if telegram.makers:  # whatever is in there, a serial number it may be
        written[-len(telegram.makers) :] = bytes(len(telegram.makers))
    return bytes(written)


def _is_private(record: Record) -> bool:
    return (
        record.quantity.startswith(_PRIVATE)
        or (record.quantity == "manufacturer specific" and record.modifiers == _PRIVATE_MAKERS)
        or (isinstance(record.value, str) and record.dif[0] & 0x0F == 0x0D)
        or is_text_vif(record.vif)
    )


def _private(record: Record, names: Pseudonyms) -> bytes:
    """As many octets that say as little as they can."""
    size = len(record.raw)
    if record.value is None or not any(record.raw):
        return record.raw
    code = record.dif[0] & 0x0F
    if isinstance(record.value, str):
        text = names.of(record.raw[::-1].decode("latin-1"))
        return text.encode("latin-1", "replace")[::-1][:size].ljust(size, b"0")
    if _FIRST_BCD <= code <= _LAST_FIELD and code != 0x0D:
        return _number(record.raw, names)
    number = names.of(plain(record.value).partition(".")[0])
    return (int(number) % (1 << 8 * size - 1)).to_bytes(size, "little")
