"""Telegrams of SML as a meter sends them: for the emulated meter, for redaction, and for tests.

The reverse of ``frame``, ``messages`` and ``telegram``; sources as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smart_meter_reader.codecs.crc16 import crc16_kermit, crc16_x25
from smart_meter_reader.codecs.obis import ObisCode
from smart_meter_reader.codecs.sml.frame import END, ESCAPE, START, Checksum
from smart_meter_reader.codecs.sml.messages import CLOSE, GET_LIST, OPEN
from smart_meter_reader.codecs.sml.presentation import (
    ABSENT,
    BOOLEAN,
    LIST,
    OCTETS,
    SIGNED,
    UNSIGNED,
    Element,
    write_tl,
)

_ABSENT: Final = bytes([ABSENT])


@dataclass(frozen=True, slots=True)
class Value:
    """One entry to be sent. A number is ``signed`` or not and as wide as it takes, or ``octets`` at least."""

    code: ObisCode
    value: int | bytes | bool | None
    unit: int | None = None
    scaler: int | None = None
    status: int | None = None
    octets: int = 1
    signed: bool = True


def encode_telegram(
    server_id: bytes,
    values: Sequence[Value],
    *,
    number: int = 0,
    sensor_time: Element = None,
    checksum: Checksum = "x25",
) -> bytes:
    """A whole frame: open, value list, close. ``number`` makes the transaction ids."""
    identification = octets_of(server_id)
    opening = _list(_ABSENT, _ABSENT, octets_of(number.to_bytes(4, "big")), identification, _ABSENT, _ABSENT)
    entries = _list(*(_entry(value) for value in values))
    told = _list(_ABSENT, identification, _ABSENT, element_of(sensor_time), entries, _ABSENT, _ABSENT)
    bodies = ((OPEN, opening), (GET_LIST, told), (CLOSE, _list(_ABSENT)))
    payload = b"".join(
        encode_message(number * 3 + index, tag, body, checksum) for index, (tag, body) in enumerate(bodies)
    )
    return encode_frame(payload, checksum)


def encode_message(transaction: int, tag: int, body: bytes, checksum: Checksum = "x25") -> bytes:
    """One message around an encoded body."""
    name = octets_of((transaction & 0xFFFFFFFF).to_bytes(4, "big"))
    covered = write_tl(LIST, 6) + name + _number(0, 1) + _number(0, 1) + _list(_number(tag, 2), body)
    return covered + write_tl(UNSIGNED, 2) + message_checksum(covered, checksum) + b"\x00"


def message_checksum(covered: bytes, checksum: Checksum) -> bytes:
    """The two octets behind a message."""
    return (crc16_x25 if checksum == "x25" else crc16_kermit)(covered).to_bytes(2, "little")


def encode_frame(payload: bytes, checksum: Checksum = "x25") -> bytes:
    """The transport layer around messages: escapes doubled, filled up to a multiple of four."""
    escaped = payload.replace(ESCAPE, ESCAPE + ESCAPE)
    fill = -len(escaped) % 4
    covered = START + escaped + bytes(fill) + ESCAPE + bytes([END, fill])
    if checksum == "x25":
        return covered + crc16_x25(covered).to_bytes(2, "little")
    return covered + crc16_kermit(covered).to_bytes(2, "big")


def element_of(element: Element) -> bytes:
    """An element with as few octets as do; numbers unsigned where they can be."""
    match element:
        case None:
            return _ABSENT
        case bool():
            return write_tl(BOOLEAN, 1) + bytes([element])
        case int():
            return _number(element, 1, signed=element < 0)
        case bytes():
            return octets_of(element)
        case list():
            return _list(*map(element_of, element))


def octets_of(octets: bytes) -> bytes:
    """Octets as an element."""
    return write_tl(OCTETS, len(octets)) + octets


def _entry(value: Value) -> bytes:
    written = value.value
    if isinstance(written, int) and not isinstance(written, bool):
        content = _number(written, value.octets, signed=value.signed)
    else:
        content = element_of(written)
    return _list(
        octets_of(bytes(value.code)),
        element_of(value.status),
        _ABSENT,
        element_of(value.unit),
        _ABSENT if value.scaler is None else _number(value.scaler, 1, signed=True),
        content,
        _ABSENT,
    )


def _list(*elements: bytes) -> bytes:
    return write_tl(LIST, len(elements)) + b"".join(elements)


def _number(number: int, octets: int, *, signed: bool = False) -> bytes:
    bits = (number if number >= 0 else ~number).bit_length() + signed
    width = max(octets, -(-bits // 8))
    return write_tl(SIGNED if signed else UNSIGNED, width) + number.to_bytes(width, "big", signed=signed)
