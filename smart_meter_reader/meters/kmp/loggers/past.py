"""Reading the loggers of MULTICAL 303, 403, 603, 803 and KWM2231: B8h with 06h and 07h."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from smart_meter_reader.codecs.kmp.loggers import (
    DATE_AND_TIME,
    FROM_THE_OLDEST,
    LogAnswer,
    LoggerInfo,
    LogIdPastAbsRequest,
    LogLastEntryPastAbsRequest,
    LogRow,
    info_words,
)
from smart_meter_reader.exceptions import LoggerRefusedError, NoSuchLoggerError, NotInLoggerError
from smart_meter_reader.meters.kmp.connection import KmpConnection
from smart_meter_reader.meters.kmp.loggers.places import LoggerExtent, PastLogger

_NOT_THERE: Final = LoggerInfo.EMPTY | LoggerInfo.NOT_IN_LOGGER


async def read_extent(connection: KmpConnection, logger: PastLogger) -> LoggerExtent | None:
    """What ``walk.read_extent`` says: one short answer."""
    request = LogLastEntryPastAbsRequest(logger.number, FROM_THE_OLDEST, 1, (DATE_AND_TIME,))
    answer = await connection.read_log(request)
    if answer.info & LoggerInfo.EMPTY:
        return None
    _check(answer)
    if not answer.rows:
        # It has no register 348: the id is all there is to know.
        return LoggerExtent(answer.first_log_id, answer.newest_log_id, LogRow(answer.first_log_id, ()))
    return LoggerExtent(answer.first_log_id, answer.newest_log_id, answer.rows[0])


async def read_page(
    connection: KmpConnection, logger: PastLogger, first_id: int, count: int, registers: Sequence[int]
) -> tuple[LogRow, ...]:
    """Rows back from ``first_id``, as many of ``count`` as the meter gives in one answer, one at the least.

    Raises LoggerRefusedError, and what ``KmpConnection.read_log`` raises.
    """
    answer = await connection.read_log(LogIdPastAbsRequest(logger.number, first_id, count, tuple(registers)))
    _check(answer)
    if not answer.rows:
        raise LoggerRefusedError(
            "no_rows",
            f"logger {logger.number} gives no row for entry {first_id}"
            f" ({', '.join(info_words(answer.info)) or 'without a reason'}): ask for registers that it keeps",
        )
    return answer.rows


def _check(answer: LogAnswer) -> None:
    """Raises LoggerRefusedError when the answer says that there are no rows."""
    if answer.usable:
        return
    words = ", ".join(info_words(answer.info))
    if answer.info & LoggerInfo.INVALID_REQUEST:
        raise NoSuchLoggerError("no_such_logger", f"the meter has no logger {answer.logger}: {words}")
    if answer.info & _NOT_THERE:
        raise NotInLoggerError("not_in_logger", f"logger {answer.logger} of the meter answers: {words}")
    raise LoggerRefusedError("logger_error", f"logger {answer.logger} of the meter answers: {words}")
