"""What the loggers of MULTICAL 303, 403, 603 and 803 and of KWM2231 answer: B8h with 05h, 06h and 07h.

Sources: captures in jktjkt/PyKMP, and what was worked out from its traffic (docs/references.md).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Final, TypeAlias

from smart_meter_reader.codecs.kmp.commands import (
    GET_LOG,
    LOG_CONFIGURATION,
    LOG_ID_PAST_ABS,
    LOG_ID_PRESENT,
    LOG_LAST_ENTRY_PAST_ABS,
    LOG_TIME_PAST,
    LOG_TIME_PRESENT,
)
from smart_meter_reader.codecs.kmp.loggers.compressed import CompressedLogAnswer, decode_compressed
from smart_meter_reader.codecs.kmp.loggers.info import UNUSABLE, LoggerInfo
from smart_meter_reader.codecs.kmp.loggers.layout import (
    count_of,
    decode_ids,
    encode_ids,
    expect_at_least,
    packed,
)
from smart_meter_reader.codecs.kmp.loggers.rows import (
    LogRow,
    decode_formats,
    decode_values,
    encode_rows,
    values_size,
)
from smart_meter_reader.codecs.kmp.record import RECORD_HEAD, RegisterValue
from smart_meter_reader.exceptions import ProtocolError

# Sub-command, logger, entries, number of registers, first log id, newest log id, info; rows follow.
_ANSWER_HEAD: Final = struct.Struct(">BBHBIIH")
# Sub-command, logger; format and value of date 1, date 2, most interval records, interval; depth, registers.
_CONFIGURATION: Final = struct.Struct(">BBB2sB2sBBBBHB")


@dataclass(frozen=True, slots=True)
class LoggerConfiguration:
    """What a logger keeps: ``depth`` entries at most, of these registers.

    ``date1`` and ``date2`` are the year logger's target days as (month, day), (0, 0) when off. The formats
    in front of them, of ``max_interval_records`` and of ``interval`` are kept as they were sent: no source
    tells what they mean.
    """

    CID: ClassVar[int] = GET_LOG
    SUB: ClassVar[int] = LOG_CONFIGURATION

    logger: int
    depth: int
    registers: tuple[int, ...]
    date1: tuple[int, int] = (0, 0)
    date2: tuple[int, int] = (0, 0)
    max_interval_records: int = 0
    interval: int = 0
    formats: tuple[int, int, int, int] = (1, 1, 1, 1)

    def encode(self) -> bytes:
        """The payload. Raises ValueError when a number does not fit its place."""
        date1, date2, records, interval = self.formats
        head = packed(
            _CONFIGURATION,
            *(self.SUB, self.logger, date1, bytes(self.date1), date2, bytes(self.date2)),
            *(records, self.max_interval_records, interval, self.interval, self.depth),
            count_of(self.registers),
        )
        return head + encode_ids(self.registers)


@dataclass(frozen=True, slots=True)
class LogAnswer:
    """What 06h and 07h answer: rows of one format, newest first; row k has the id ``first_log_id`` - k.

    Where ``info`` has one of the bits ``UNUSABLE`` there are no rows, even if some were sent: an empty logger
    sends a row of zeros. ``entries`` and ``width`` are then the counts that were sent, and ``unread`` what
    came with them; else they are the number of rows and of the registers in each.
    """

    CID: ClassVar[int] = GET_LOG

    sub: int
    logger: int
    first_log_id: int
    newest_log_id: int
    info: LoggerInfo
    rows: tuple[LogRow, ...] = ()
    entries: int = 0
    width: int = 0
    unread: bytes = b""

    @property
    def usable(self) -> bool:
        """Whether nothing in ``info`` speaks against the rows."""
        return not self.info & UNUSABLE

    def encode(self) -> bytes:
        """The payload. Raises ValueError when a number does not fit its place, or rows differ in format."""
        head = packed(
            _ANSWER_HEAD,
            *(self.sub, self.logger, self.entries, self.width),
            *(self.first_log_id, self.newest_log_id, int(self.info)),
        )
        return head + (encode_rows(self.rows, lambda row: b"") if self.rows else self.unread)


def log_answer(
    sub: int, logger: int, newest_log_id: int, info: LoggerInfo, rows: tuple[LogRow, ...]
) -> LogAnswer:
    """The answer that a meter gives with these rows, of which there is one at least."""
    first = rows[0]
    return LogAnswer(
        sub, logger, first.log_id, newest_log_id, info, rows, entries=len(rows), width=len(first.registers)
    )


def without_unread(answer: LogAnswer) -> LogAnswer:
    """The same answer with zeros for the values of rows that do not count; their formats stay."""
    if not answer.unread:
        return answer
    rows = _decode_rows(answer.encode(), answer.entries, answer.width, answer.first_log_id, answer.info)
    blank = tuple(row._replace(registers=tuple(map(_zero, row.registers))) for row in rows)
    return replace(answer, unread=encode_rows(blank, lambda row: b""))


def _zero(register: RegisterValue) -> RegisterValue:
    return register._replace(mantissa=bytes(len(register.mantissa)))


def decode_past_answer(payload: bytes) -> LoggerConfiguration | LogAnswer | CompressedLogAnswer | None:
    """What a meter answered to B8h; None for another sub-command.

    Raises ProtocolError, and gives no row, for an answer with a cut row, bytes left over, or counts and ids
    that cannot be.
    """
    decode = _ANSWERS.get(payload[0]) if payload else None
    return decode(payload) if decode else None


def least_length(payload: bytes) -> int:
    """How many bytes an answer to 06h or 07h has at the least, by those of its payload that have come."""
    if len(payload) < _ANSWER_HEAD.size:
        return _ANSWER_HEAD.size
    entries: int
    width: int
    _, _, entries, width, _, _, bits = _ANSWER_HEAD.unpack_from(payload)
    if bits & UNUSABLE or not entries or not width:
        return _ANSWER_HEAD.size
    try:
        formats, position = decode_formats(payload, _ANSWER_HEAD.size, width)
    except ProtocolError:
        return _ANSWER_HEAD.size + width * (RECORD_HEAD.size + 1)
    return position + (entries - 1) * values_size(formats)


def _decode_configuration(payload: bytes) -> LoggerConfiguration:
    expect_at_least(payload, _CONFIGURATION.size, "a GetConfiguration answer")
    (_, logger, format1, date1, format2, date2, records_format, records, interval_format, interval, *rest) = (
        _CONFIGURATION.unpack_from(payload)
    )
    depth, count = rest
    return LoggerConfiguration(
        logger,
        depth,
        decode_ids(payload, _CONFIGURATION.size, count),
        (date1[0], date1[1]),
        (date2[0], date2[1]),
        records,
        interval,
        (format1, format2, records_format, interval_format),
    )


def _decode_log(payload: bytes) -> LogAnswer:
    expect_at_least(payload, _ANSWER_HEAD.size, "an answer with rows of a logger")
    sub, logger, entries, width, first, newest, bits = _ANSWER_HEAD.unpack_from(payload)
    info = LoggerInfo(bits)
    if info & UNUSABLE:
        unread = payload[_ANSWER_HEAD.size :]
        if unread:  # rows that do not count are whole too, or the answer is none at all
            _decode_rows(payload, entries, width, first, info)
        return LogAnswer(sub, logger, first, newest, info, (), entries, width, unread)
    rows = _decode_rows(payload, entries, width, first, info)
    if rows and not len(rows) - 1 <= first <= newest:
        raise ProtocolError(
            "ids", f"{len(rows)} entries back from id {first}, of a logger whose newest has id {newest}"
        )
    return LogAnswer(sub, logger, first, newest, info, rows, entries, width)


def _decode_rows(
    payload: bytes, entries: int, width: int, first: int, info: LoggerInfo
) -> tuple[LogRow, ...]:
    position = _ANSWER_HEAD.size
    if not entries or not width:
        # Of a logger that has none of the registers, there may be entries of which nothing is to be told.
        none_known = info & (LoggerInfo.REGISTER_NOT_SUPPORTED | LoggerInfo.REGISTERS_TRUNCATED)
        if len(payload) != position or (entries and not none_known):
            raise _wrong_length(payload, position, entries, width)
        return ()
    formats, position = decode_formats(payload, position, width)
    step = values_size(formats)
    if len(payload) != position + (entries - 1) * step:
        raise _wrong_length(payload, position + (entries - 1) * step, entries, width)
    further = (
        LogRow(first - number, tuple(decode_values(payload, position + (number - 1) * step, formats)))
        for number in range(1, entries)
    )
    return LogRow(first, formats), *further


def _wrong_length(payload: bytes, expected: int, entries: int, width: int) -> ProtocolError:
    return ProtocolError(
        "length",
        f"{entries} entries of {width} registers take {expected} bytes, and {len(payload)} came: "
        "none of them is believed",
    )


_Answer: TypeAlias = LoggerConfiguration | LogAnswer | CompressedLogAnswer
_ANSWERS: Final[Mapping[int, Callable[[bytes], _Answer]]] = MappingProxyType(
    {
        LOG_TIME_PRESENT: decode_compressed,
        LOG_ID_PRESENT: decode_compressed,
        LOG_TIME_PAST: decode_compressed,
        LOG_CONFIGURATION: _decode_configuration,
        LOG_ID_PAST_ABS: _decode_log,
        LOG_LAST_ENTRY_PAST_ABS: _decode_log,
    }
)
