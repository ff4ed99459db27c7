"""What is told of messages about loggers: each kind of them, with every key and what it comes from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from smart_meter_reader.codecs.kmp import OtherMessage, Request, Response
from smart_meter_reader.codecs.kmp.loggers import (
    EventStatus,
    LogAnswer,
    LoggerConfiguration,
    LoggerConfigurationRequest,
    LoggerInfo,
    LogIdPastAbsRequest,
    LogIdPresentRequest,
    LogLastEntryPastAbsRequest,
    LogLastPresentRequest,
    LogRecords,
    LogRow,
    LogTimePastRequest,
    LogTimePresentRequest,
    RecordInfo,
    log_answer,
    log_records,
)
from smart_meter_reader.codecs.kmp.loggers.describe import describe_logger_message
from smart_meter_reader.codecs.kmp.record import RegisterValue

ENERGY, VOLUME = {"id": 60, "name": "heat_energy"}, {"id": 68, "name": "volume"}
TIME = bytes.fromhex("0705180a1e000000")
SUMMER = RegisterValue(348, 0x4F, 0, bytes.fromhex("3c10061e0e3037"))
NEVER = RegisterValue(348, 0x4F, 0, bytes.fromhex("3c100d1e0e3037"))  # a month of 13
COUNTED = RegisterValue(60, 8, 0x42, (12_345).to_bytes(4, "big"))
TOLD_COUNTED = ENERGY | {"value": Decimal("123.45"), "unit": "GJ"}
DATE_AND_TIME = {"id": 348, "name": "date_and_time"}


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (LoggerConfigurationRequest(5), {"logger": 5}),
        (
            LogIdPastAbsRequest(5, 9120, 24, (60, 68)),
            {"logger": 5, "log_id": 9120, "entries": 24, "registers": [ENERGY, VOLUME]},
        ),
        (
            LogLastEntryPastAbsRequest(4, 65535, 1, (60,)),
            {"logger": 4, "offset": 65535, "entries": 1, "registers": [ENERGY]},
        ),
        (
            LogTimePresentRequest(1, (60, 68), 3, 128, TIME),
            {
                "logger": 1,
                "time": "2007-05-24T10:30:00",
                "entries": 3,
                "max_length": 128,
                "registers": [ENERGY, VOLUME],
            },
        ),
        (
            LogLastPresentRequest(1, (60,), 3, 128),
            {"logger": 1, "entries": 3, "max_length": 128, "registers": [ENERGY]},
        ),
        (
            LogIdPresentRequest(2, (68,), 4, 255, 4339),
            {"logger": 2, "log_id": 4339, "entries": 4, "max_length": 255, "registers": [VOLUME]},
        ),
        (
            LogTimePastRequest(1, (60,), 3, 128, bytes.fromhex("070d180a1e000000"), 6),
            {
                "logger": 1,
                "time": "070D180A1E000000",  # a month of 13
                "offset": 6,
                "entries": 3,
                "max_length": 128,
                "registers": [ENERGY],
            },
        ),
    ],
)
def test_what_is_asked_for(request_: Request, told: dict[str, Any]) -> None:
    described = describe_logger_message(request_)
    assert described == {"log_request": told}
    assert list(described["log_request"]) == list(told)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            LoggerConfiguration(2, 20, (60, 68), (1, 31), (0, 0), 7, 15),
            {
                "configuration": {
                    "logger": 2,
                    "depth": 20,
                    "target_dates": ["--01-31"],
                    "max_interval_records": 7,
                    "interval": 15,
                    "registers": [ENERGY, VOLUME],
                }
            },
        ),
        (
            EventStatus(bytes.fromhex("0000010a")),
            {
                "event_status": {
                    "bytes": "0000010A",
                    "unread_interval_records": True,
                    "unread_rtc_records": False,
                }
            },
        ),
        (
            EventStatus(bytes.fromhex("00000200")),
            {
                "event_status": {
                    "bytes": "00000200",
                    "unread_interval_records": False,
                    "unread_rtc_records": True,
                }
            },
        ),
        (OtherMessage(0x9C, b""), {}),
    ],
)
def test_what_is_answered(answer: Response, told: dict[str, Any]) -> None:
    assert describe_logger_message(answer) == told


def test_rows_have_the_meters_time_and_what_they_hold() -> None:
    rows = (LogRow(9, (SUMMER, COUNTED)), LogRow(8, (NEVER, COUNTED)))
    told = describe_logger_message(log_answer(6, 5, 12, LoggerInfo.NOT_ALL_INCLUDED, rows))["log"]
    sound, wrong = told.pop("rows")
    assert told == {
        "logger": 5,
        "first_log_id": 9,
        "newest_log_id": 12,
        "info": ["not all entries included"],
    }
    stamp = DATE_AND_TIME | {"value": "2016-06-30T14:48:55", "unit": "", "dst_minutes": 60}
    assert sound == {"log_id": 9, "time": "2016-06-30T14:48:55", "registers": [stamp, TOLD_COUNTED]}
    assert (wrong["log_id"], wrong["time"]) == (8, None)
    assert wrong["registers"][0]["error"]["kind"] == "value"
    assert wrong["registers"][1] == TOLD_COUNTED


def test_a_row_without_a_register_for_it_has_no_time() -> None:
    told = describe_logger_message(log_records(0xA2, 1, 4354, (LogRow(4339, (COUNTED,)),)))
    assert told == {
        "log": {
            "logger": 1,
            "first_log_id": 4339,
            "last_read_log_id": 4339,
            "newest_log_id": 4354,
            "info": [],
            "rows": [{"log_id": 4339, "time": None, "registers": [TOLD_COUNTED]}],
        }
    }


def test_records_whose_info_says_something_tell_that_alone() -> None:
    told = describe_logger_message(LogRecords(0xA0, RecordInfo.NOT_IN_LOG, 7, (), 8, 0, 9))["log"]
    assert told == {
        "logger": None,
        "first_log_id": None,
        "last_read_log_id": None,
        "newest_log_id": None,
        "info": ["id or time not in the logger"],
        "rows": [],
    }


def test_an_answer_whose_info_speaks_against_rows_has_none() -> None:
    told = describe_logger_message(LogAnswer(7, 4, 0, 645, LoggerInfo.MEMORY_ERROR))["log"]
    assert told == {
        "logger": 4,
        "first_log_id": 0,
        "newest_log_id": 645,
        "info": ["memory error"],
        "rows": [],
    }
