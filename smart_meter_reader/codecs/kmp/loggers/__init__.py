"""The loggers of KMP meters: what is asked of them, what they answer, and which answer belongs to what.

``past_requests`` and ``past`` are the newer generation (B8h), ``compressed`` what electricity meters of it
answer, ``records`` and ``record_answers`` the older one (A0h to A3h), ``rows`` and ``info`` what their
answers hold, ``matching`` tells whether one answers the other.
"""

from __future__ import annotations

from smart_meter_reader.codecs.kmp.loggers.compressed import CompressedLogAnswer
from smart_meter_reader.codecs.kmp.loggers.info import UNUSABLE, LoggerInfo, RecordInfo, info_words
from smart_meter_reader.codecs.kmp.loggers.matching import is_answer_to
from smart_meter_reader.codecs.kmp.loggers.past import LogAnswer, LoggerConfiguration, log_answer
from smart_meter_reader.codecs.kmp.loggers.past_requests import (
    FROM_THE_OLDEST,
    Logger,
    LoggerConfigurationRequest,
    LogIdPastAbsRequest,
    LogLastEntryPastAbsRequest,
    PastRequest,
)
from smart_meter_reader.codecs.kmp.loggers.record_answers import LogRecords, log_records
from smart_meter_reader.codecs.kmp.loggers.records import (
    INTERVAL_LOG,
    MAX_LOG_REGISTERS,
    EventStatus,
    EventStatusRequest,
    LoadProfileConfigRequest,
    LogIdPresentRequest,
    LogLastPresentRequest,
    LogTimePastRequest,
    LogTimePresentRequest,
    RecordsRequest,
    log_time,
    read_log_time,
)
from smart_meter_reader.codecs.kmp.loggers.rows import DATE_AND_TIME, LogRow

__all__ = [
    "DATE_AND_TIME",
    "FROM_THE_OLDEST",
    "INTERVAL_LOG",
    "MAX_LOG_REGISTERS",
    "UNUSABLE",
    "CompressedLogAnswer",
    "EventStatus",
    "EventStatusRequest",
    "LoadProfileConfigRequest",
    "LogAnswer",
    "LogIdPastAbsRequest",
    "LogIdPresentRequest",
    "LogLastEntryPastAbsRequest",
    "LogLastPresentRequest",
    "LogRecords",
    "LogRow",
    "LogTimePastRequest",
    "LogTimePresentRequest",
    "Logger",
    "LoggerConfiguration",
    "LoggerConfigurationRequest",
    "LoggerInfo",
    "PastRequest",
    "RecordInfo",
    "RecordsRequest",
    "info_words",
    "is_answer_to",
    "log_answer",
    "log_records",
    "log_time",
    "read_log_time",
]
