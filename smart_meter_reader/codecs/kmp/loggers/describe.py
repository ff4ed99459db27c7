"""Tells what is asked of loggers, and what they answer, in plain objects."""

from __future__ import annotations

from smart_meter_reader.codecs.capture import Description
from smart_meter_reader.codecs.kmp.describe_register import describe_id, describe_register
from smart_meter_reader.codecs.kmp.loggers.compressed import CompressedLogAnswer
from smart_meter_reader.codecs.kmp.loggers.info import info_words
from smart_meter_reader.codecs.kmp.loggers.past import LogAnswer, LoggerConfiguration
from smart_meter_reader.codecs.kmp.loggers.past_requests import (
    LoggerConfigurationRequest,
    LogIdPastAbsRequest,
    LogLastEntryPastAbsRequest,
)
from smart_meter_reader.codecs.kmp.loggers.record_answers import LogRecords
from smart_meter_reader.codecs.kmp.loggers.records import (
    EventStatus,
    LogIdPresentRequest,
    LogLastPresentRequest,
    LogTimePastRequest,
    LogTimePresentRequest,
    RecordsRequest,
    read_log_time,
)
from smart_meter_reader.codecs.kmp.loggers.rows import LogRow
from smart_meter_reader.exceptions import ValueFormatError


def describe_logger_message(message: object) -> Description:
    """What a message about loggers carries, by one key; {} for any other message.

    ``log_request`` is what is asked for, ``log`` rows of B8h or records of A0h to A3h, ``configuration`` what
    a logger keeps, ``event_status`` the status bytes. ``log_id`` is the record id in A0h to A3h; the ``time``
    is the meter's standard time, None where the row does not tell it. An answer to A0h to A3h with any info
    bit set has no rows, and None for logger and ids, since nothing says where these are.
    """
    match message:
        case LogAnswer() | CompressedLogAnswer():
            return {"log": _log(message)}
        case LogRecords():
            return {"log": _records(message)}
        case LoggerConfiguration():
            return {"configuration": _configuration(message)}
        case EventStatus():
            return {"event_status": _event_status(message)}
        case _:
            asked = _request(message)
            return {"log_request": asked} if asked else {}


def _log(answer: LogAnswer | CompressedLogAnswer) -> Description:
    return {
        "logger": answer.logger,
        "first_log_id": answer.first_log_id,
        "newest_log_id": answer.newest_log_id,
        "info": info_words(answer.info),
        "rows": [_row(row) for row in answer.rows],
    }


def _records(answer: LogRecords) -> Description:
    rows = answer.rows
    sure = not answer.info
    return {
        "logger": answer.log if sure else None,
        "first_log_id": rows[0].log_id if rows else None,
        "newest_log_id": answer.newest_record_id if sure else None,
        "last_read_log_id": answer.last_read_record_id if sure else None,
        "info": info_words(answer.info),
        "rows": [_row(row) for row in rows],
    }


def _row(row: LogRow) -> Description:
    return {
        "log_id": row.log_id,
        "time": _time(row),
        "registers": [describe_register(register) for register in row.registers],
    }


def _time(row: LogRow) -> str | None:
    try:
        found = row.time
    except ValueFormatError:
        return None  # the register itself says what is wrong
    return found.text if found else None


def _configuration(answer: LoggerConfiguration) -> Description:
    return {
        "logger": answer.logger,
        "depth": answer.depth,
        "target_dates": [f"--{month:02}-{day:02}" for month, day in (answer.date1, answer.date2) if month],
        "max_interval_records": answer.max_interval_records,
        "interval": answer.interval,
        "registers": [describe_id(register) for register in answer.registers],
    }


def _event_status(answer: EventStatus) -> Description:
    return {
        "bytes": answer.status.hex().upper(),
        "unread_interval_records": answer.unread_interval_records,
        "unread_rtc_records": answer.unread_rtc_records,
    }


def _request(request: object) -> Description:
    match request:
        case LoggerConfigurationRequest():
            return {"logger": request.logger}
        case LogIdPastAbsRequest():
            place: Description = {"log_id": request.log_id}
        case LogLastEntryPastAbsRequest():
            place = {"offset": request.offset}
        case LogTimePresentRequest() | LogLastPresentRequest() | LogIdPresentRequest() | LogTimePastRequest():
            return _records_request(request)
        case _:
            return {}
    registers = [describe_id(register) for register in request.registers]
    return {"logger": request.logger, **place, "entries": request.entries, "registers": registers}


def _records_request(request: RecordsRequest) -> Description:
    described: Description = {"logger": request.log}
    if isinstance(request, LogTimePresentRequest | LogTimePastRequest):
        described["time"] = _asked_time(request.time)
    if isinstance(request, LogIdPresentRequest):
        described["log_id"] = request.record_id
    if isinstance(request, LogTimePastRequest):
        described["offset"] = request.offset
    described["entries"] = request.records
    described["max_length"] = request.max_length
    described["registers"] = [describe_id(register) for register in request.registers]
    return described


def _asked_time(time: bytes) -> str:
    try:
        return read_log_time(time).isoformat()
    except ValueFormatError:
        return time.hex().upper()
