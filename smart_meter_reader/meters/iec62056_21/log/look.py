"""One look at what a MULTICAL 66-CDE remembers, and at its clock, for a person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from smart_meter_reader.codecs.iec62056_21.log.plans import LOG_PLANS
from smart_meter_reader.codecs.iec62056_21.log.rows import meter_time
from smart_meter_reader.exceptions import NoSuchLoggerError, TransportError
from smart_meter_reader.meters.by_hand import (
    ClockReading,
    Estimate,
    Excerpt,
    HeldLogger,
    LogEntry,
    TellProgress,
)
from smart_meter_reader.meters.conversation import LineCounters
from smart_meter_reader.meters.iec62056_21.identity import KnownMeter, find_out
from smart_meter_reader.meters.iec62056_21.log.line import LoggerLine, log_seconds
from smart_meter_reader.meters.iec62056_21.log.reader import LOGGERS, LogRead, LogReader, MemoryRow
from smart_meter_reader.meters.iec62056_21.opening import line_of
from smart_meter_reader.meters.iec62056_21.settings import Iec62056_21Settings

_MODEL: Final = "multical_66c"
# What a table is checked by is read before it, once.
_NEEDS: Final = {"day": ("month",), "hour": ("month", "day")}
_ONE_REQUEST: Final = 3.0  # seconds of an ordinary reading: a short request and its answer
# From the moment that the meter looks at its clock to the end of its answer of 81 bytes; and half a second.
_ON_THE_WAY: Final = timedelta(seconds=1.2)


class MulticalLook:
    """A ``by_hand.Loggers``. Its tables come whole, whatever part of them is wanted."""

    def __init__(
        self, line: LoggerLine, known: KnownMeter, zone: tzinfo | None, wanted: Sequence[str]
    ) -> None:
        self.who = described(known)
        self.clock_ahead = 0.0
        self._wanted = tuple(wanted)
        self._told: TellProgress | None = None
        self._reader = LogReader(line, known.scaling, zone, progress=self._pass_on)
        self._remarks: dict[str, None] = {}

    @property
    def remarks(self) -> Sequence[str]:
        return tuple(self._remarks)

    async def held(self, logger: str = "") -> Sequence[HeldLogger]:
        if logger and logger not in LOGGERS:
            raise NoSuchLoggerError(
                "no_such_logger", f"{self.who} has no logger {logger}; it has: {', '.join(LOGGERS)}"
            )
        names = [logger] if logger else list(LOGGERS)
        return [HeldLogger(name, LOG_PLANS[LOGGERS[name]].depth) for name in names]

    def estimate(self, held: HeldLogger, excerpt: Excerpt) -> Estimate:
        tables = (*_NEEDS.get(held.name, ()), held.name)
        seconds = sum(log_seconds(LOGGERS[name]) + 2 for name in tables) + _ONE_REQUEST
        return Estimate(held.depth, (seconds, seconds), seconds / _ONE_REQUEST)

    async def read(
        self, held: HeldLogger, excerpt: Excerpt, told: TellProgress
    ) -> AsyncIterator[Sequence[LogEntry]]:
        self._told = told
        try:
            found = await self._reader.read(held.name)
        except (asyncio.CancelledError, TransportError):
            # Whoever ends it in the middle, or a head that falls off: the newest lines have come.
            if (cut := self._reader.so_far(held.name)) is not None:
                yield self._entries(held, cut, excerpt)
            raise
        yield self._entries(held, found, excerpt)

    def _entries(self, held: HeldLogger, found: LogRead, excerpt: Excerpt) -> list[LogEntry]:
        """Newest first."""
        self.clock_ahead = found.clock_ahead.total_seconds()
        self._remarks.update(dict.fromkeys(found.told))
        entries = [_entry(row, self._wanted) for row in reversed(found.rows)]
        missing = set(self._wanted) - {key for entry in entries for key in entry.measurements}
        if entries and missing:
            self._remarks[f"the {held.name} table does not have {', '.join(sorted(missing))}"] = None
        return [entry for entry in entries if excerpt.has(entry.measured_at)]

    def _pass_on(self, logger: str, lines: int, most: int) -> None:
        if self._told is not None:
            self._told(logger, lines, most)


def _entry(row: MemoryRow, wanted: Sequence[str]) -> LogEntry:
    measured = row.measurements
    if wanted:
        measured = {key: each for key, each in measured.items() if key in wanted}
    return LogEntry(row.measured_at, row.standard, measured)


@asynccontextmanager
async def open_loggers(
    settings: Iec62056_21Settings, zone: tzinfo | None, registers: Sequence[str]
) -> AsyncIterator[MulticalLook]:
    """See ``by_hand.OpenLoggers``. Raises TransportError and ProtocolError too."""
    async with line_of(settings, LineCounters()) as line:
        known = await find_out(line, settings)
        _require_66c(known)
        yield MulticalLook(line, known, zone, registers)


def _require_66c(known: KnownMeter) -> None:
    if known.model != _MODEL:
        raise NoSuchLoggerError(
            "no_such_logger",
            f"{described(known)}: of the meters of IEC 62056-21 only a MULTICAL 66-CDE can be asked for what "
            "it remembers",
        )


class _MulticalClock:
    """A ``by_hand.Clock``."""

    unsettable = "a MULTICAL 66-CDE has no command for it at the optical head"

    def __init__(self, line: LoggerLine, known: KnownMeter) -> None:
        self.who = described(known)
        self.serial_number = known.number
        self._line = line

    async def read(self) -> ClockReading | None:
        answer = await self._line.ask_short("#D")
        told = meter_time(answer)
        return None if told is None else ClockReading(told, datetime.now(UTC) - _ON_THE_WAY)

    async def set(self, zone: tzinfo | None) -> bool:
        return False


@asynccontextmanager
async def open_clock(settings: Iec62056_21Settings) -> AsyncIterator[_MulticalClock]:
    """See ``by_hand.OpenClock``. Raises TransportError and ProtocolError."""
    async with line_of(settings, LineCounters()) as line:
        known = await find_out(line, settings)
        _require_66c(known)
        yield _MulticalClock(line, known)


def described(known: KnownMeter) -> str:
    """The meter, for a person."""
    number = f", customer number {known.number}" if known.number else ""
    return f"{known.plan.name or known.ident or 'the meter'}{number}"
