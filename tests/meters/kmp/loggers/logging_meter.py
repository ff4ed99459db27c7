"""An emulated MULTICAL with loggers by the clock of this computer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from smart_meter_reader.codecs.kmp import (
    HEAT_METER,
    START_RESPONSE,
    RegisterValue,
    Request,
    encode_frame,
)
from smart_meter_reader.codecs.kmp.loggers import (
    DATE_AND_TIME,
    FROM_THE_OLDEST,
    LogAnswer,
    Logger,
    LoggerConfiguration,
    LoggerConfigurationRequest,
    LoggerInfo,
    LogIdPastAbsRequest,
    LogLastEntryPastAbsRequest,
    LogRow,
    log_answer,
)
from smart_meter_reader.codecs.kmp.number import encode_value
from smart_meter_reader.meters.kmp.emulator import KamstrupMeter

REGISTERS = (DATE_AND_TIME, 60, 68, 97)
STEPS = {Logger.MONTH: timedelta(days=30), Logger.DAY: timedelta(days=1), Logger.HOUR: timedelta(hours=1)}


class LoggingMeter(KamstrupMeter):
    """Hours since ``born`` (UTC, on the full hour), a page of ``page`` rows. ``now`` is the meter's time."""

    def __init__(self, *, depths: Mapping[int, int], born: datetime, page: int = 6, **also: Any) -> None:
        super().__init__(**also)
        self.depths, self.born, self.page = dict(depths), born, page
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.line_rows = 0

    def answer(self, request: Request, seconds: float, address: int = HEAT_METER) -> bytes | None:
        match request:
            case LoggerConfigurationRequest(logger=logger):
                depth = self.depths.get(logger, 0)
                payload = LoggerConfiguration(logger, depth, REGISTERS if depth else ()).encode()
            case LogLastEntryPastAbsRequest() | LogIdPastAbsRequest():
                payload = self._log(request).encode()
            case _:
                return super().answer(request, seconds, address)
        return encode_frame(START_RESPONSE, HEAT_METER, request.CID, payload)

    def extent(self, logger: int) -> tuple[int, int]:
        newest = (self.now() - self.born) // STEPS[Logger(logger)] - 1
        return max(0, newest - self.depths[logger] + 1), newest

    def _log(self, request: LogLastEntryPastAbsRequest | LogIdPastAbsRequest) -> LogAnswer:
        oldest, newest = self.extent(request.logger)
        if newest < 0:
            return LogAnswer(request.SUB, request.logger, 0, 0, LoggerInfo.EMPTY)
        if isinstance(request, LogIdPastAbsRequest):
            first = request.log_id
        else:
            first = oldest if request.offset == FROM_THE_OLDEST else newest - request.offset
        if not oldest <= first <= newest:
            return LogAnswer(request.SUB, request.logger, 0, newest, LoggerInfo.NOT_IN_LOGGER)
        last = max(oldest, first - min(request.entries, self.page) + 1)
        rows = tuple(self._row(request, number) for number in range(first, last - 1, -1))
        self.line_rows += len(rows)
        info = LoggerInfo.NOT_ALL_INCLUDED if len(rows) < request.entries else LoggerInfo(0)
        return log_answer(request.SUB, request.logger, newest, info, rows)

    def _row(self, request: LogLastEntryPastAbsRequest | LogIdPastAbsRequest, number: int) -> LogRow:
        made = self.born + STEPS[Logger(request.logger)] * (number + 1) + timedelta(seconds=4)
        known = [register for register in request.registers if register in REGISTERS]
        stamp = bytes((0, made.year - 2000, made.month, made.day, made.hour, made.minute, made.second))
        values = (
            RegisterValue(DATE_AND_TIME, 0x4F, 0, stamp)
            if each == DATE_AND_TIME
            else self._total(each, number)
            for each in known
        )
        return LogRow(number, tuple(values))

    def _total(self, register: int, number: int) -> RegisterValue:
        sign_exponent, mantissa = encode_value(1000 + number, 3, 4)
        return RegisterValue(register, 3, sign_exponent, mantissa)
