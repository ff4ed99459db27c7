"""All loggers of one emulated meter, its own and those of its module, with faults on demand."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.kmp import Request
from smart_meter_reader.codecs.kmp.loggers import (
    EventStatusRequest,
    LogAnswer,
    Logger,
    LoggerConfigurationRequest,
    LoggerInfo,
    LogIdPastAbsRequest,
    LogIdPresentRequest,
    LogLastEntryPastAbsRequest,
    LogLastPresentRequest,
    LogTimePastRequest,
    LogTimePresentRequest,
    PastRequest,
)
from smart_meter_reader.emulators.faults import Faults
from smart_meter_reader.meters.kmp.emulated_loggers.contents import (
    LoggerPast,
    contents_of,
    contents_of_module,
)
from smart_meter_reader.meters.kmp.emulated_loggers.past import answer_past
from smart_meter_reader.meters.kmp.emulated_loggers.records import UNREAD, answer_records
from smart_meter_reader.meters.kmp.emulated_values import Values

FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "empty": "a logger is empty, and sends a row of zeros as real ones do",
        "surplus": "two bytes too many come behind the rows of a logger",
        "cut": "the last row of a logger is cut",
        "shift": "the rows of a logger are those from the entry before the one asked for on",
        "reticent": "it has no info logger: nothing comes when that one is asked for",
        "memory": "a logger answers that its memory failed",
    }
)


class EmulatedLoggers:
    """Answers what is asked of loggers; ``limit`` is how many bytes of payload an answer has at the most."""

    def __init__(self, model: str, values: Values, past: LoggerPast, limit: int) -> None:
        self._own = contents_of(model, values, past)
        self._module = contents_of_module(values, past)
        self._limit = limit

    def answer(self, request: Request, seconds: float, faults: Faults) -> bytes | None:
        """The payload of the meter's own answer at so many emulated seconds; None where it is silent."""
        match request:
            case LogIdPastAbsRequest() | LogLastEntryPastAbsRequest() | LoggerConfigurationRequest():
                return self._answer_past(request, seconds, faults) if self._own else None
            case _:
                return None

    def module_answer(self, request: Request, seconds: float, faults: Faults) -> bytes | None:
        """The payload of the module's answer, likewise."""
        match request:
            case EventStatusRequest():
                return UNREAD.encode()
            case (
                LogTimePresentRequest()
                | LogLastPresentRequest()
                | LogIdPresentRequest()
                | LogTimePastRequest()
            ):
                empty = faults.strike("empty")
                answer = answer_records(self._module, request, seconds, self._limit, empty=empty)
                return None if answer is None else _spoilt(answer.encode(), faults)
            case _:
                return None

    def _answer_past(self, request: PastRequest, seconds: float, faults: Faults) -> bytes | None:
        if request.logger == Logger.INFO and faults.strike("reticent"):
            return None
        if isinstance(request, LogIdPastAbsRequest) and faults.strike("shift"):
            request = LogIdPastAbsRequest(
                request.logger, max(0, request.log_id - 1), request.entries, request.registers
            )
        empty = faults.strike("empty")
        answer = answer_past(self._own, request, seconds, self._limit, empty=empty)
        if answer is None:
            return None
        if not isinstance(answer, LogAnswer):
            return answer.encode()
        if faults.strike("memory"):
            failed = LoggerInfo.MEMORY_ERROR
            return LogAnswer(answer.sub, answer.logger, 0, answer.newest_log_id, failed).encode()
        return _spoilt(answer.encode(), faults)


def _spoilt(payload: bytes, faults: Faults) -> bytes:
    if faults.strike("cut"):
        payload = payload[:-1]
    return payload + b"\x00\x01" if faults.strike("surplus") else payload
