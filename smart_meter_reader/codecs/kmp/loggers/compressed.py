"""What OMNIPOWER meters answer to B8h with 00h, 02h and 03h: a whole row, then differences to the row before.

Source: a utility's concentrator (docs/references.md). No heat meter is known to answer these, and no source
tells how to ask.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from smart_meter_reader.codecs.kmp.commands import GET_LOG, LOG_TIME_PAST
from smart_meter_reader.codecs.kmp.loggers.info import UNUSABLE, LoggerInfo, check_named
from smart_meter_reader.codecs.kmp.loggers.layout import MOST_ENTRIES, expect_at_least
from smart_meter_reader.codecs.kmp.loggers.rows import LogRow, decode_formats
from smart_meter_reader.codecs.kmp.record import RegisterValue
from smart_meter_reader.codecs.kmp.units import UNIT_BY_CODE, Layout
from smart_meter_reader.exceptions import ProtocolError

_HEAD: Final = struct.Struct(">BBBI")  # sub-command, logger, number of registers, log id of the first row
_DEFAULT: Final = struct.Struct(">H")  # the register that changes by the same amount from row to row
_TAIL: Final = struct.Struct(">IH")  # newest log id, info
_NO_DEFAULT: Final = 0xFFFF
_NEGATIVE: Final = 0x8  # of the four bits that a register has in front of a row
_SIZE: Final = 0x7
_WHOLE: Final = 7  # the value itself in place of a difference
_SIGN: Final = 0x80  # of SignExp
_KAM_DATE_TIME: Final = 0x48  # a byte, and seconds behind it
# What is no number has no difference that any source tells of.
_COUNTED: Final = frozenset({Layout.NUMBER, Layout.BITS, Layout.TIME, Layout.DATE, Layout.LONG_DATE})


@dataclass(frozen=True, slots=True)
class CompressedLogAnswer:
    """Rows of one format, oldest first; newest first for 03h. ``payload`` is what was sent.

    Where ``info`` has one of the bits ``UNUSABLE`` there are no rows, whatever was sent.
    """

    CID: ClassVar[int] = GET_LOG

    sub: int
    logger: int
    first_log_id: int
    newest_log_id: int
    info: LoggerInfo
    rows: tuple[LogRow, ...]
    payload: bytes

    def encode(self) -> bytes:
        """The payload as it is."""
        return self.payload


def decode_compressed(payload: bytes) -> CompressedLogAnswer:
    """The rows of an answer.

    Raises ProtocolError, and gives no row, for an answer with a cut row, bytes left over, ids that cannot be,
    or a difference of which no source tells what it means.
    """
    expect_at_least(payload, _HEAD.size + _TAIL.size, "an answer with differences between rows of a logger")
    sub, logger, width, first = _HEAD.unpack_from(payload)
    newest, bits = _TAIL.unpack_from(payload, len(payload) - _TAIL.size)
    info = LoggerInfo(bits)
    check_named(info)
    body = payload[: -_TAIL.size]
    # Rows that do not count are whole too, or the answer is none at all.
    found = _rows(body, width) if len(body) > _HEAD.size or not info & UNUSABLE else []
    rows: tuple[LogRow, ...] = ()
    if not info & UNUSABLE:
        step = -1 if sub == LOG_TIME_PAST else 1
        rows = tuple(LogRow(first + step * number, registers) for number, registers in enumerate(found))
        lowest = max(0, newest - MOST_ENTRIES)
        if rows and not all(lowest <= log_id <= newest for log_id in (first, rows[-1].log_id)):
            raise ProtocolError(
                "ids", f"{len(rows)} entries from id {first} on, of a logger whose newest has id {newest}"
            )
    return CompressedLogAnswer(sub, logger, first, newest, info, rows, payload)


def _rows(payload: bytes, width: int) -> list[tuple[RegisterValue, ...]]:
    """The registers of each row, of what stands between the head and the newest id."""
    if not width:
        if len(payload) != _HEAD.size:
            raise ProtocolError("length", f"{len(payload) - _HEAD.size} bytes for rows of no register")
        return []
    registers, position = decode_formats(payload, _HEAD.size, width)
    usual, position = _usual_change(payload, position, registers)
    rows = [registers]
    while position < len(payload):
        registers, position = _next_row(payload, position, registers, usual)
        rows.append(registers)
    return rows


def _usual_change(
    payload: bytes, position: int, registers: Sequence[RegisterValue]
) -> tuple[tuple[int, int], int]:
    """The register that changes from row to row without being told, by how much, and where that ends."""
    (register,) = _DEFAULT.unpack(_taken(payload, position, _DEFAULT.size))
    position += _DEFAULT.size
    if register == _NO_DEFAULT:
        return (register, 0), position
    sizes = {each.register: len(each.mantissa) for each in registers}
    if register not in sizes:
        raise ProtocolError("length", f"register {register}, which is to change by itself, is in no row")
    change = int.from_bytes(_taken(payload, position, sizes[register]), "big")
    return (register, change), position + sizes[register]


def _next_row(
    payload: bytes, position: int, before: Sequence[RegisterValue], usual: tuple[int, int]
) -> tuple[tuple[RegisterValue, ...], int]:
    told = _taken(payload, position, (len(before) + 1) // 2)
    position += len(told)
    row = []
    for register, bits in zip(
        before, (half for byte in told for half in (byte >> 4, byte & 0xF)), strict=False
    ):
        size = bits & _SIZE
        if size == _WHOLE:
            mantissa = _taken(payload, position, len(register.mantissa))
            position += len(mantissa)
        else:
            change = int.from_bytes(_taken(payload, position, size), "big")
            position += size
            if not size and register.register == usual[0]:
                change = usual[1]
            mantissa = _changed(register, -change if bits & _NEGATIVE else change)
        row.append(register._replace(mantissa=mantissa))
    return tuple(row), position


def _changed(register: RegisterValue, change: int) -> bytes:
    """The value of the row before, changed. Raises ProtocolError (``value``)."""
    if not change:
        return register.mantissa
    layout = UNIT_BY_CODE[register.unit_code].layout
    if register.sign_exponent & _SIGN or not (layout in _COUNTED or register.unit_code == _KAM_DATE_TIME):
        raise ProtocolError(
            "data_set", f"no source tells how register {register.register} changes between rows"
        )
    size = len(register.mantissa)
    value = int.from_bytes(register.mantissa, "big") + change
    if not 0 <= value < 1 << 8 * size:
        raise ProtocolError(
            "data_set", f"register {register.register} changes to {value}: too much for {size} bytes"
        )
    return value.to_bytes(size, "big")


def _taken(payload: bytes, position: int, size: int) -> bytes:
    if position + size > len(payload):
        raise ProtocolError("length", "the answer ends within a row: none of its rows is believed")
    return payload[position : position + size]
