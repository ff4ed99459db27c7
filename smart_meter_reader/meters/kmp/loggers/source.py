"""The loggers of a KMP meter as what is read back asks for them: learnt once, looked at, read by windows."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.kmp.loggers import DATE_AND_TIME, Logger, LogRow
from smart_meter_reader.codecs.kmp.registers import register_of
from smart_meter_reader.exceptions import (
    LoggerRefusedError,
    MeterSilentError,
    UnusableAnswersError,
    ValueFormatError,
    WrongMeterError,
)
from smart_meter_reader.meters.backfill.cost import LineCost, LoggerCost
from smart_meter_reader.meters.backfill.ranges import TimeRange
from smart_meter_reader.meters.backfill.source import Batch, Entry, LogSource
from smart_meter_reader.meters.backfill.state import DAY, HOUR, INFO, MONTH, YEAR, LoggerFacts, Window
from smart_meter_reader.meters.info_codes import InfoCodes
from smart_meter_reader.meters.kmp.connection import KmpConnection
from smart_meter_reader.meters.kmp.identity import Identity, read_serial_register
from smart_meter_reader.meters.kmp.loggers import costs, walk
from smart_meter_reader.meters.kmp.loggers.places import (
    EVENT_CODES,
    EVENT_COUNTERS,
    AnyLogger,
    PastLogger,
    RecordLog,
)
from smart_meter_reader.meters.kmp.reading import read_measurements
from smart_meter_reader.text import is_same_serial

_log = logging.getLogger(__name__)

_NUMBERS: Final[Mapping[str, Logger]] = MappingProxyType(
    # The first tells whether the meter knows the command at all: not every one has years.
    {DAY: Logger.DAY, MONTH: Logger.MONTH, YEAR: Logger.YEAR, HOUR: Logger.HOUR, INFO: Logger.INFO}
)
# What tells when an entry was made: 348, or date and clock.
_STAMPS: Final = (DATE_AND_TIME, 1003, 1002)
# By these it is seen whether an entry is still the same, whatever else is read of it.
_LASTING: Final = (60, 68)
# The interval log of a 601's or 801's module: its example is hourly, and nothing tells how deep it is.
_RECORDS: Final = LoggerFacts(depth=0)
_MOST_DAMAGED: Final = 3


class KmpLogs:
    """What is the same for all connections to one meter: what is asked for, and what it costs."""

    def __init__(
        self, line: LineCost, registers: Sequence[int], zone: tzinfo | None, patience: float = costs.SILENCE
    ) -> None:
        self.zone = zone
        self.learn_seconds = costs.learning_seconds(line, patience)
        self.damaged: Counter[str] = Counter()  # of what is learnt: at how many times it came damaged
        self._line = line
        self._registers = tuple(registers)

    def cost(self, logger: str, facts: LoggerFacts) -> LoggerCost:
        """What this logger costs."""
        return costs.logger_cost(self._line, self.wanted(logger, facts))

    def wanted(self, logger: str, facts: LoggerFacts) -> tuple[int, ...]:
        """The stamp, and of what shall be read what the logger has; of events also the code."""
        if facts.registers == ():  # of the older generation, which does not tell
            return (*_STAMPS[1:], *self._registers)[:8]
        stamps = _STAMPS[:1] if DATE_AND_TIME in facts.registers else _STAMPS[1:]
        kept = (each for each in self._registers if each in facts.registers)
        if logger != INFO:
            return (*stamps, *kept)
        code = next(each for each in EVENT_CODES if each in facts.registers)
        return (*stamps, code, *(each for each in kept if each in EVENT_COUNTERS))

    def over(self, connection: KmpConnection, identity: Identity) -> LogSource:
        """The loggers of this meter at the end of a connection; by its model info codes are explained."""
        return _KmpLogSource(self, connection, self._line, identity)


class _KmpLogSource:
    def __init__(self, logs: KmpLogs, connection: KmpConnection, line: LineCost, identity: Identity) -> None:
        self._logs = logs
        self._identity = identity
        self._connection = connection
        self.learn_seconds = logs.learn_seconds
        self.clock_seconds = costs.poll_seconds(line, 2)
        self.confirm_seconds = costs.poll_seconds(line, 1)

    async def confirm(self) -> None:
        known = self._identity.serial_number
        found = await read_serial_register(self._connection)
        if is_same_serial(found, known):
            return
        # Who it is, one of the two has told, and they need not agree.
        found = str(await self._connection.read_serial_number())
        if not is_same_serial(found, known):
            raise WrongMeterError(
                "another_meter",
                f"{self._connection.port}: meter {found} answers where {known} did: it is asked who it is",
            )

    async def learn(self) -> Mapping[str, LoggerFacts]:
        found: dict[str, LoggerFacts] = {}
        for name, number in _NUMBERS.items():
            facts = await self._configuration(name, number)
            if facts is not None and facts.depth and facts.registers:
                if name != INFO or set(EVENT_CODES) & set(facts.registers):
                    found[name] = facts
            elif not found and facts is None:
                return await self._learn_records()
        return found

    async def _configuration(self, name: str, number: int) -> LoggerFacts | None:
        """None where the meter answers this with nothing that makes sense, and other things well."""
        try:
            answer = await self._connection.read_logger_configuration(number, retries=costs.PROBES)
        except LoggerRefusedError:
            return None
        except (MeterSilentError, UnusableAnswersError) as error:
            await self._is_not_there(name, error)
            return None
        return LoggerFacts(answer.depth, answer.registers)

    async def _learn_records(self) -> Mapping[str, LoggerFacts]:
        try:
            await walk.read_extent(self._connection, RecordLog())
        except LoggerRefusedError:
            return {}
        except (MeterSilentError, UnusableAnswersError) as error:
            await self._is_not_there("module's", error)
            return {}
        return {HOUR: _RECORDS}  # though it may be empty as yet

    async def _is_not_there(self, what: str, error: MeterSilentError | UnusableAnswersError) -> None:
        """Raises where that is not sure: what is learnt counts for ever, and nothing is asked for again.

        Where the meter answers nothing at all, and, a few times, where what it answered came damaged: on a
        bad line short answers come whole, and the long ones about loggers do not.
        """
        await self._connection.read_serial_number()
        if isinstance(error, MeterSilentError):
            return
        self._logs.damaged[what] += 1
        if self._logs.damaged[what] < _MOST_DAMAGED:
            raise error
        _log.warning("%s: its %s logger is not read back: %s", self._connection.port, what, error.detail)

    async def look(self, logger: str, facts: LoggerFacts) -> TimeRange | None:
        extent = await walk.read_extent(self._connection, _place(logger, facts))
        return None if extent is None else (extent.oldest, extent.newest)

    async def read(self, window: Window, facts: LoggerFacts) -> Batch:
        wanted = self._logs.wanted(window.logger, facts)
        place = _place(window.logger, facts)
        pages = [
            page async for page in walk.read_pages(self._connection, place, window.last, window.rows, wanted)
        ]
        rows = [row for page in pages for row in page]
        told = _lacking(rows[0], [each for each in wanted if each in facts.registers])
        lasting = EVENT_CODES if window.logger == INFO else _LASTING
        entries = [_entry(row, wanted, lasting, told) for row in rows]
        if window.logger == INFO:
            entries = [_explained(entry, self._identity.model) for entry in entries]
        most = max(map(len, pages))
        return Batch(tuple(reversed(entries)), most, limited=len(pages) > 1, told=tuple(told))

    async def read_clock(self, facts: LoggerFacts) -> datetime | None:
        stamps = _STAMPS[:1] if facts.registers else _STAMPS[1:]
        answered = await self._connection.read_registers(stamps)
        try:
            told = LogRow(0, tuple(answered.values())).time
        except ValueFormatError:
            return None
        return None if told is None else told.standard

    def cost(self, logger: str, facts: LoggerFacts) -> LoggerCost:
        return self._logs.cost(logger, facts)


def _place(logger: str, facts: LoggerFacts) -> AnyLogger:
    return PastLogger(_NUMBERS[logger]) if facts.registers else RecordLog()


def _lacking(row: LogRow, wanted: Sequence[int]) -> dict[str, None]:
    """A sentence where a row lacks what its logger keeps: the meter gives fewer registers at once."""
    there = row.by_id()
    names = ", ".join(register_of(each).quantity for each in wanted if each not in there)
    return {f"its answers lack {names}; ask for fewer by logger_registers": None} if names else {}


def _entry(row: LogRow, wanted: Sequence[int], lasting: Sequence[int], told: dict[str, None]) -> Entry:
    """One entry; ``told`` gets a sentence for each value that makes no sense."""
    registers = row.by_id()
    try:
        time = row.time
    except ValueFormatError:
        time = None
    measured = [register for register in wanted if register not in _STAMPS]
    measurements, left_out = read_measurements(measured, registers)
    told.update(dict.fromkeys(left_out))
    raw = None if time is None else time.standard
    digest = hashlib.sha256(repr((raw, [registers.get(each) for each in lasting])).encode())
    return Entry(row.log_id, raw, digest.hexdigest()[:16], measurements)


def _explained(entry: Entry, model: str) -> Entry:
    """An entry of events with its code in words."""
    told, _ = InfoCodes().judge(entry.measurements, model)
    told.pop("reported_problems", None)
    return replace(entry, measurements=told)
