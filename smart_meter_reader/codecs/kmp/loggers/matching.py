"""Whether an answer about a logger is the one to a request."""

from __future__ import annotations

from smart_meter_reader.codecs.kmp.commands import GET_LOG_TIME_PAST, GET_LOG_TIME_PRESENT
from smart_meter_reader.codecs.kmp.loggers.past import LogAnswer, LoggerConfiguration
from smart_meter_reader.codecs.kmp.loggers.past_requests import (
    LoggerConfigurationRequest,
    LogIdPastAbsRequest,
    LogLastEntryPastAbsRequest,
    PastRequest,
)
from smart_meter_reader.codecs.kmp.loggers.record_answers import LogRecords
from smart_meter_reader.codecs.kmp.loggers.records import LogIdPresentRequest, RecordsRequest
from smart_meter_reader.codecs.kmp.loggers.rows import LogRow


def is_answer_to(
    request: PastRequest | RecordsRequest, answer: LogAnswer | LoggerConfiguration | LogRecords
) -> bool:
    """Whether command, sub-command, logger, registers and, where one was asked for, the first id agree.

    An answer whose info speaks against rows has no first id: command and logger are all there is to compare,
    and of A0h to A3h the command alone.
    """
    match request, answer:
        case LoggerConfigurationRequest(), LoggerConfiguration():
            return request.logger == answer.logger
        case ((LogIdPastAbsRequest() | LogLastEntryPastAbsRequest()), LogAnswer()):
            if (request.SUB, request.logger) != (answer.sub, answer.logger):
                return False
            if not answer.usable:
                return True
            first_is_right = isinstance(request, LogLastEntryPastAbsRequest) or (
                answer.first_log_id == request.log_id
            )
            return first_is_right and _fits(answer.rows, request.entries, request.registers)
        case _, LogRecords():
            return not isinstance(request, PastRequest) and _is_records_of(request, answer)
    return False


def _is_records_of(request: RecordsRequest, answer: LogRecords) -> bool:
    # 5512-447, 3.3: an answer repeats the CID; its example of A3h, in 6.3.4, has A0h there.
    if answer.cid != request.CID and (request.CID, answer.cid) != (GET_LOG_TIME_PAST, GET_LOG_TIME_PRESENT):
        return False
    if answer.info:
        return True
    if answer.log != request.log or not _fits(answer.rows, request.records, request.registers):
        return False
    rises = len(answer.rows) < 2 or (answer.rows[1].log_id - answer.rows[0].log_id) % (1 << 16) == 1
    if len(answer.rows) > 1 and rises == (request.CID == GET_LOG_TIME_PAST):
        return False
    if isinstance(request, LogIdPresentRequest) and answer.rows:
        return answer.rows[0].log_id == request.record_id
    return True


def _fits(rows: tuple[LogRow, ...], most: int, registers: tuple[int, ...]) -> bool:
    answered = {register.register for register in rows[0].registers} if rows else set()
    return len(rows) <= most and answered <= set(registers)
