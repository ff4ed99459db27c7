"""Reads back what a MULTICAL 66-CDE remembers: rows with their time in UTC, and counters by quantity.

Usable without settings or pipeline::

    async with LoggerLine("/dev/ttyUSB0") as line:
        reader = LogReader(line, scaling, ZoneInfo("Europe/Copenhagen"))
        for row in (await reader.read("day")).rows:
            print(row.measured_at, row.measurements)

Cost at 1200 Bd: months 18 s, days 42 s, hours 11 minutes; days need the months too, now or earlier, and hours
need the days.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from types import MappingProxyType

from smart_meter_reader.codecs.iec62056_21.capture import Readout
from smart_meter_reader.codecs.iec62056_21.log.counters import Mark
from smart_meter_reader.codecs.iec62056_21.log.plans import LOG_PLANS
from smart_meter_reader.codecs.iec62056_21.log.rows import (
    TimedTable,
    energies,
    marks_of,
    measure_row,
    meter_time,
    time_table,
)
from smart_meter_reader.codecs.iec62056_21.log.table import LogTable
from smart_meter_reader.codecs.iec62056_21.multical import shift
from smart_meter_reader.codecs.iec62056_21.scaling import Scaling
from smart_meter_reader.exceptions import ProtocolError
from smart_meter_reader.meters.backfill.stamps import to_utc
from smart_meter_reader.meters.iec62056_21.log.line import LineProgress, LoggerLine
from smart_meter_reader.meters.iec62056_21.reading import confirmed_answer
from smart_meter_reader.quantities.measurement import Measurement

LOGGERS: Mapping[str, str] = MappingProxyType(
    {"month": "#5", "day": "#6", "hour": "#7", "year": "#9", "info": "#J"}
)
"""The request that brings each logger. /#5 and not /#8 for the months: its columns are documented."""

_DAY = timedelta(days=1)
_MOST_TOLD = 5
# So near to a full hour it is open which of two hours the newest line is of.
_TURN_OF_THE_HOUR = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """What the meter says of one moment: ``measured_at`` is aware and UTC, the end of the row's period.

    ``standard`` is the same by the meter's clock, naive; ``digits`` are the columns as they were sent.
    """

    measured_at: datetime
    measurements: dict[str, Measurement]
    standard: datetime
    digits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogRead:
    """One logger, read. ``rows`` are oldest first; ``doubtful`` lines gave none; ``told`` says why.

    ``clock_ahead``: how far the meter's clock is before this computer's. No row is put right by it.
    ``uncounted`` is what of ``told`` says why rows with growth have no counter.
    """

    logger: str
    rows: tuple[MemoryRow, ...]
    doubtful: int = 0
    told: tuple[str, ...] = ()
    clock_ahead: timedelta = timedelta(0)
    uncounted: tuple[str, ...] = ()


@dataclass(slots=True)
class _Read:
    table: LogTable
    timed: TimedTable
    marks: list[Mark] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


class LogReader:
    """Reads the loggers of one meter over one open line; what one logger needs of another is read once.

    ``scaling``: what the meter's digits mean, as its program number or the settings tell. ``months``: what
    its months told earlier, which is not asked for again then. ``now`` gives the time in UTC.
    """

    def __init__(
        self,
        line: LoggerLine,
        scaling: Scaling,
        zone: tzinfo | None,
        *,
        progress: LineProgress | None = None,
        months: Sequence[Mark] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._line = line
        self._scaling = scaling
        self._zone = zone
        self._progress = progress
        self._months = months
        self._now = now
        self._clock: tuple[datetime, float] | None = None  # the meter's, and when by the loop's time
        self._ahead = timedelta(0)
        self._live: Mark | None = None
        self._marks: dict[str, list[Mark]] = {}
        self._reads: dict[str, _Read] = {}
        self._told: dict[str, LogRead] = {}

    async def read(self, logger: str) -> LogRead:
        """The rows of a logger: "month", "day", "hour", "year" or "info".

        Raises TransportError and ProtocolError, as ``LoggerLine.ask_log``; ProtocolError ``wrong_clock`` of a
        meter whose calendar is not ours, since nothing that it remembers can be dated then.
        """
        if logger not in self._told:
            self._told[logger] = self._rows(logger, await self._read(logger))
        return self._told[logger]

    def _rows(self, logger: str, read: _Read) -> LogRead:
        counters = self._counters(read)
        rows: list[MemoryRow] = []
        for entry in reversed(read.timed.lines):
            measured = measure_row(read.table, entry.line, self._scaling)
            if entry.at in counters and self._scaling.energy is not None:
                counted: Measurement = {"value": counters[entry.at], "unit": self._scaling.energy[0]}
                measured = {"heat_energy": counted} | measured
            digits = tuple(entry.line.fields.values())
            rows.append(MemoryRow(to_utc(entry.at, self._zone), measured, entry.at, digits))
        doubts = read.table.doubts
        told = [f"line {doubt.number}: {doubt.detail}" for doubt in doubts[:_MOST_TOLD]]
        if more := len(doubts) - len(told):
            told.append(f"{more} more lines are no better")
        doubtful = len(doubts) + read.timed.untimed
        uncounted = tuple(read.told)
        return LogRead(
            logger, tuple(rows), doubtful, (*told, *read.timed.told, *uncounted), self._ahead, uncounted
        )

    @property
    def months(self) -> Sequence[Mark] | None:
        """The energies at the ends of months, as far as they were told; None before."""
        if "month" not in self._reads:
            return self._months
        return marks_of(self._reads["month"].timed.lines, self._decimals)

    def so_far(self, logger: str) -> LogRead | None:
        """Of a logger whose reading was ended in the middle: the newest rows, which had come whole."""
        arrived = self._line.so_far(LOGGERS[logger]) if logger in self._marks else None
        return None if arrived is None else self._rows(logger, self._timed(logger, *arrived))

    async def clock(self) -> datetime:
        """The meter's time as it was when first asked, naive, in standard time. Raises as ``read``."""
        await self._look_at_clock()
        assert self._clock is not None
        return self._clock[0]

    async def clock_now(self) -> datetime:
        """The meter's time by now: a table may have taken eleven minutes since it was asked."""
        clock = await self.clock()
        assert self._clock is not None
        return clock + timedelta(seconds=asyncio.get_running_loop().time() - self._clock[1])

    async def _read(self, logger: str) -> _Read:
        if logger in self._reads:
            return self._reads[logger]
        await self._look_at_clock()
        # A reading that is wrong must not come out of the meter's past: what a row is checked by comes first.
        marks = await self._marks_for(logger)
        self._marks[logger] = marks
        read = self._timed(logger, *await self._line.ask_log(LOGGERS[logger], self._progress))
        self._reads[logger] = read
        return read

    def _timed(self, logger: str, table: LogTable, began: float) -> _Read:
        timed = self._without_future(time_table(table, self._clock_at(began)))
        return _Read(table, timed, self._marks[logger])

    async def _marks_for(self, logger: str) -> list[Mark]:
        """Energies at moments that the periods of this logger end at."""
        if LOG_PLANS[LOGGERS[logger]].grows:
            await self._look_at_counter()
        if logger == "day":
            if self._months is None:
                await self._read("month")
            return list(self.months or ())
        if logger == "hour":
            days = await self._read("day")
            return [Mark(at, counter) for at, counter in self._counters(days).items()]
        return []

    def _counters(self, read: _Read) -> Mapping[datetime, Decimal]:
        """Energies at the ends of the periods of a table that tells growth."""
        if not read.table.plan.grows or self._scaling.energy is None:
            return {}
        logger = read.table.plan.logger
        walked = energies(read.timed.lines, logger, read.marks, self._decimals, self._live)
        read.told[:] = walked.told
        return walked.counters

    @property
    def _decimals(self) -> int:
        return self._scaling.energy[1] if self._scaling.energy is not None else 0

    async def _look_at_clock(self) -> None:
        """Learn the meter's time from /#D, once."""
        if self._clock is not None:
            return
        loop = asyncio.get_running_loop()
        answer = await self._line.ask_short("#D")
        clock = meter_time(answer)
        if clock is not None:
            self._clock = clock, loop.time()
            self._ahead = to_utc(clock, self._zone) - self._now()
        if clock is None or abs(self._ahead) > _DAY:
            raise ProtocolError(
                "wrong_clock",
                f"{self._line.port}: the meter's calendar says {answer.fields['calendar']} and its clock "
                f"{answer.fields['clock_or_target']}, which is not today: what it remembers cannot be dated; "
                "have its clock set",
            )

    async def _look_at_counter(self) -> None:
        """Learn what the energy counter shows now, once: no row may lead past it."""
        if self._live is not None or self._scaling.energy is None or self._clock is None:
            return
        answer = (await confirmed_answer(self._line, "#1")).answer
        if not isinstance(answer, Readout):
            counter = shift(int(answer.fields["energy"]), self._decimals)
            self._live = Mark(self._clock[0], counter)

    def _clock_at(self, instant: float) -> datetime | None:
        """The meter's time at an instant of the loop; None at the turn of an hour."""
        if self._clock is None:
            return None
        clock, looked = self._clock
        at = clock + timedelta(seconds=instant - looked)
        since = timedelta(minutes=at.minute, seconds=at.second)
        if min(since, timedelta(hours=1) - since) < _TURN_OF_THE_HOUR:
            return None
        return at

    def _without_future(self, timed: TimedTable) -> TimedTable:
        """Rows of days to come have a wrong date."""
        limit = self._now() + _DAY
        past = tuple(entry for entry in timed.lines if to_utc(entry.at, self._zone) <= limit)
        if (future := len(timed.lines) - len(past)) == 0:
            return timed
        return TimedTable(past, timed.untimed + future, (*timed.told, f"{future} rows are of days to come"))
