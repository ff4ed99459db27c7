"""How an emulated MULTICAL 303, 403 or 603 answers when asked for its loggers: B8h."""

from __future__ import annotations

from collections.abc import Mapping

from smart_meter_reader.codecs.kmp.loggers import (
    LogAnswer,
    LoggerConfiguration,
    LoggerConfigurationRequest,
    LoggerInfo,
    LogIdPastAbsRequest,
    LogLastEntryPastAbsRequest,
    LogRow,
    PastRequest,
    log_answer,
)
from smart_meter_reader.codecs.kmp.record import RECORD_HEAD
from smart_meter_reader.meters.kmp.emulated_loggers.contents import Contents

# So many bytes of payload, where the meter has no limit of its own: a frame still, with all of it stuffed.
UNLIMITED = 32_000
_HEAD = 15  # what comes before the rows
_TARGET_DATE = (1, 1)


def answer_past(
    contents: Mapping[int, Contents], request: PastRequest, seconds: float, limit: int, *, empty: bool = False
) -> LoggerConfiguration | LogAnswer | None:
    """The answer at so many emulated seconds, of ``limit`` bytes at the most; None: the meter is silent.

    An ``empty`` logger sends a row of zeros, as a real one does.
    """
    logger = contents.get(request.logger)
    if isinstance(request, LoggerConfigurationRequest):
        if logger is None:
            return None
        date1 = _TARGET_DATE if logger.logger.name == "YEAR" else (0, 0)
        return LoggerConfiguration(request.logger, logger.depth, logger.registers, date1)
    if logger is None:
        return LogAnswer(request.SUB, request.logger, 0, 0, LoggerInfo.INVALID_REQUEST)
    oldest, newest = logger.range(seconds)
    if empty or newest < oldest:
        return _of_an_empty_one(logger, request, seconds)
    first = _first(request, oldest, newest)
    if not oldest <= first <= newest:
        return LogAnswer(request.SUB, request.logger, 0, newest, LoggerInfo.NOT_IN_LOGGER)
    rows, info = _rows(logger, request, first, oldest, seconds, limit)
    info |= _lacking(logger, request)
    if not rows or not rows[0].registers:
        return LogAnswer(request.SUB, request.logger, first, newest, info)
    if rows[0].log_id == newest:
        info |= LoggerInfo.NEWEST_INCLUDED
    if rows[-1].log_id == oldest:
        info |= LoggerInfo.OLDEST_INCLUDED
    return log_answer(request.SUB, request.logger, newest, info, rows)


def _first(request: LogIdPastAbsRequest | LogLastEntryPastAbsRequest, oldest: int, newest: int) -> int:
    if isinstance(request, LogIdPastAbsRequest):
        return request.log_id
    return max(oldest, newest - request.offset)


def _rows(
    logger: Contents,
    request: LogIdPastAbsRequest | LogLastEntryPastAbsRequest,
    first: int,
    oldest: int,
    seconds: float,
    limit: int,
) -> tuple[tuple[LogRow, ...], LoggerInfo]:
    registers, info = request.registers, LoggerInfo(0)
    row = logger.row(first, seconds, registers)
    while len(row.registers) > 1 and _HEAD + _size(row, formats=True) > limit:
        registers = registers[:-1]
        info |= LoggerInfo.REGISTERS_TRUNCATED
        row = logger.row(first, seconds, registers)
    room = limit - _HEAD - _size(row, formats=True)
    fitting = 1 + max(0, room // max(1, _size(row, formats=False)))
    rows = [row]
    for log_id in range(first - 1, max(oldest - 1, first - request.entries), -1):
        if logger.is_older_format(log_id, seconds) != logger.is_older_format(first, seconds):
            info |= LoggerInfo.FORMAT_CHANGED
            break
        if len(rows) == fitting:
            break
        rows.append(logger.row(log_id, seconds, registers))
    if len(rows) < request.entries:
        info |= LoggerInfo.NOT_ALL_INCLUDED
    return tuple(rows), info


def _of_an_empty_one(
    logger: Contents, request: LogIdPastAbsRequest | LogLastEntryPastAbsRequest, seconds: float
) -> LogAnswer:
    blank = logger.row(1, seconds, request.registers)
    zeros = b"".join(
        register._replace(sign_exponent=0, mantissa=bytes(len(register.mantissa))).encode()
        for register in blank.registers
    )
    info, width = LoggerInfo.EMPTY, len(blank.registers)
    return LogAnswer(request.SUB, request.logger, 0, 0, info, (), entries=1, width=width, unread=zeros)


def _lacking(logger: Contents, request: LogIdPastAbsRequest | LogLastEntryPastAbsRequest) -> LoggerInfo:
    lacks = set(request.registers) - set(logger.registers)
    return LoggerInfo.REGISTER_NOT_SUPPORTED if lacks else LoggerInfo(0)


def _size(row: LogRow, *, formats: bool) -> int:
    heads = RECORD_HEAD.size * len(row.registers) if formats else 0
    return heads + sum(len(register.mantissa) for register in row.registers)
