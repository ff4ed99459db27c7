"""Reading the log of a MULTICAL 601's or 801's logger module: A0h and A2h."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from smart_meter_reader.codecs.kmp.loggers import (
    MAX_LOG_REGISTERS,
    LogIdPresentRequest,
    LogRecords,
    LogRow,
    LogTimePastRequest,
    LogTimePresentRequest,
    RecordInfo,
    info_words,
    log_time,
)
from smart_meter_reader.exceptions import LoggerRefusedError, NotInLoggerError
from smart_meter_reader.meters.kmp.connection import KmpConnection
from smart_meter_reader.meters.kmp.loggers.places import RECORD_IDS, LoggerExtent, RecordLog

# What the examples of 5512-447 ask for. With more, a device may reach a limit of its own, and an answer
# that says so tells nothing else for sure.
_MAX_LENGTH: Final = 128
_DATE_AND_CLOCK: Final = (1003, 1002)
_BEGINNING: Final = log_time(datetime(2000, 1, 1))  # noqa: DTZ001 - the meter knows no zone


async def read_extent(connection: KmpConnection, log: RecordLog) -> LoggerExtent | None:
    """What ``walk.read_extent`` says: one short answer, from the first record of all.

    5512-447 leaves open whether a time before the first record is "out of the current range": a meter that
    says so is asked for its newest record, and the oldest one is found by halving, in some twenty answers.
    """
    request = LogTimePresentRequest(log.log, _DATE_AND_CLOCK, 1, _MAX_LENGTH, _BEGINNING)
    answer = await connection.read_records(request, log.address)
    if answer.info & RecordInfo.EMPTY:
        return None
    if answer.info & RecordInfo.NOT_IN_LOG:
        return await _searched_extent(connection, log)
    _check(answer, log)
    if not answer.rows:
        return None
    oldest, newest = answer.rows[0].log_id, answer.newest_record_id
    # Ids begin anew: those after that count on.
    return LoggerExtent(oldest, oldest + (newest - oldest) % RECORD_IDS, answer.rows[0])


async def _searched_extent(connection: KmpConnection, log: RecordLog) -> LoggerExtent | None:
    """The newest record by the meter's own clock, the oldest one by asking for ever older ids."""
    live = await connection.read_registers(_DATE_AND_CLOCK)
    now = LogRow(0, tuple(live.values())).time
    if now is None:
        raise NotInLoggerError("not_in_logger", "the meter tells no date and clock to search its log by")
    request = LogTimePastRequest(log.log, _DATE_AND_CLOCK, 1, _MAX_LENGTH, log_time(now.standard), 0)
    answer = await connection.read_records(request, log.address)
    _check(answer, log)
    newest = answer.newest_record_id
    held, gone = 0, 1  # how far behind the newest a record is certainly held, and certainly not
    while gone < RECORD_IDS and await _record(connection, log, newest - gone) is not None:
        held, gone = gone, 2 * gone
    while gone - held > 1:
        middle = (held + gone) // 2
        if await _record(connection, log, newest - middle) is None:
            gone = middle
        else:
            held = middle
    row = await _record(connection, log, newest - held)
    if row is None:
        raise NotInLoggerError("not_in_logger", f"record {newest - held} of log {log.log} has just gone")
    return LoggerExtent(row.log_id, row.log_id + held, row)


async def _record(connection: KmpConnection, log: RecordLog, record_id: int) -> LogRow | None:
    """One record; None when the log does not hold it."""
    request = LogIdPresentRequest(log.log, _DATE_AND_CLOCK, 1, _MAX_LENGTH, record_id % RECORD_IDS)
    answer = await connection.read_records(request, log.address)
    if answer.info & RecordInfo.NOT_IN_LOG:
        return None
    _check(answer, log)
    return answer.rows[0] if answer.rows else None


async def read_page(
    connection: KmpConnection, log: RecordLog, first_id: int, count: int, registers: Sequence[int]
) -> tuple[LogRow, ...]:
    """Records back from ``first_id``, newest first, as many of ``count`` as fit into one answer.

    Raises ValueError for more than eight registers, LoggerRefusedError, and what
    ``KmpConnection.read_records`` raises.
    """
    if len(registers) > MAX_LOG_REGISTERS:
        raise ValueError(f"a log of this kind is asked for {MAX_LOG_REGISTERS} registers at most")
    fitting = min(count, records_fitting(len(registers)))
    while True:
        begin = first_id - fitting + 1
        request = LogIdPresentRequest(log.log, tuple(registers), fitting, _MAX_LENGTH, begin % RECORD_IDS)
        answer = await connection.read_records(request, log.address)
        if answer.info & RecordInfo.LENGTH_REACHED and fitting > 1:
            fitting = -(-fitting // 2)  # longer values than expected: fewer records are sure
            continue
        _check(answer, log)
        if len(answer.rows) != fitting:
            raise NotInLoggerError(
                "not_in_logger",
                f"log {log.log} gives {len(answer.rows)} of {fitting} records from {begin} on",
            )
        # Ids that count on where those of the meter begin anew.
        rows = (row._replace(log_id=begin + number) for number, row in enumerate(answer.rows))
        return tuple(reversed(tuple(rows)))


def records_fitting(registers: int) -> int:
    """How many records of values of four bytes an answer takes. 5512-447, 6.3.1: 8 + 5n + m (2 + 4n)."""
    return max(1, (_MAX_LENGTH - 8 - 5 * registers) // (2 + 4 * registers))


def _check(answer: LogRecords, log: RecordLog) -> None:
    """Raises LoggerRefusedError when the answer says anything: its rows are not sure then."""
    if not answer.info:
        return
    words = ", ".join(info_words(answer.info))
    gone = RecordInfo.EMPTY | RecordInfo.NOT_IN_LOG | RecordInfo.END_REACHED
    kind = NotInLoggerError if answer.info & gone else LoggerRefusedError
    raise kind("not_in_logger" if answer.info & gone else "logger_error", f"log {log.log} answers: {words}")
