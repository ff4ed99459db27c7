"""The memory of a MULTICAL 66-CDE as what reads back asks for it: rows get the ids that they lack.

A row's id is counted from its time: months, days and hours since the beginning of time, so that ids rise as
those of other meters do. A table comes as a whole or not at all, so that its price is the same for one row.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Final

from smart_meter_reader.codecs.iec62056_21.scaling import Scaling
from smart_meter_reader.exceptions import LoggerRefusedError
from smart_meter_reader.meters.backfill.cost import LoggerCost
from smart_meter_reader.meters.backfill.ranges import TimeRange
from smart_meter_reader.meters.backfill.source import Batch, Entry
from smart_meter_reader.meters.backfill.state import DAY, HOUR, MONTH, LoggerFacts, Window
from smart_meter_reader.meters.iec62056_21.log.line import LoggerLine, log_seconds
from smart_meter_reader.meters.iec62056_21.log.months import KnownMonths, MonthsOfMeters
from smart_meter_reader.meters.iec62056_21.log.reader import LOGGERS, LogReader

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_BEGINNING: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - the meter's clock has no zone
_DEPTHS: Final = {MONTH: 31, DAY: 60, HOUR: 960}
# Of a short request: 10 bytes at 300 Bd, 2 s of thinking, 81 bytes at 1200 Bd.
_SHORT = 3.0
# The clock from /#D, and the counter from two answers to /#1 that agree.
_BESIDES = 3 * _SHORT
# Rows cost nothing of their own; but what is computed with must not be nothing.
_NOTHING = 0.001
_OTHER_DAYS = 2  # then what there is counts
_NEEDS: Final = {MONTH: (MONTH,), DAY: (MONTH, DAY), HOUR: (MONTH, DAY, HOUR)}


def table_cost(logger: str, *, months_known: bool = False) -> LoggerCost:
    """What the tables of a logger cost in seconds of the line, with those that it is checked by."""
    needed = [each for each in _NEEDS[logger] if each in (logger, DAY) or not months_known]
    seconds = sum(log_seconds(LOGGERS[each]) + 2 for each in needed)
    return LoggerCost(look=_SHORT, exchange=seconds + _BESIDES, row=_NOTHING, page=_DEPTHS[logger])


def hours_seconds() -> float:
    """What it takes a day at least to have the hours too."""
    return table_cost(HOUR).exchange + 3 * _SHORT


def row_id(logger: str, ends: datetime) -> int:
    """The id of the row of a period that ends at this time by the meter's clock."""
    last = ends - _DAY
    if logger == MONTH:
        return last.year * 12 + last.month
    return (ends - _BEGINNING) // (_DAY if logger == DAY else _HOUR)


def newest_id(logger: str, clock: datetime) -> int:
    """The id of the latest period that is over at this time by the meter's clock."""
    if logger == MONTH:
        return clock.year * 12 + clock.month - 1
    return row_id(logger, clock)


class MulticalLogs:
    """What is kept of one meter's memory between its connections. ``zone``: None for this computer's.

    ``hours``: whether there may be eleven minutes of the line for them. ``months`` are remembered over a
    restart, so that days fit into a day's budget without them.
    """

    def __init__(self, zone: tzinfo | None, *, hours: bool) -> None:
        self.zone = zone
        self.months = MonthsOfMeters()
        self.facts = {name: LoggerFacts(depth) for name, depth in _DEPTHS.items() if hours or name != HOUR}
        self.at_hand: set[str] = set()  # whose tables have come over the present connection
        self.days: TimeRange | None = None  # as last told
        self.missed = True  # what was missed before the start, nobody knows
        self.refused: Counter[str] = Counter()  # how often a logger was left for another day
        self._read_at: datetime | None = None

    def note_reading(self, now: datetime, period: timedelta) -> None:
        """A live reading was taken; one comes each ``period``."""
        if self._read_at is not None and now - self._read_at > max(period * 1.5, 2 * _HOUR):
            self.missed = True
        self._read_at = now

    def cost(self, logger: str) -> LoggerCost:
        """What the tables of a logger cost now: nothing more where the table is there."""
        if logger in self.at_hand:
            return LoggerCost(look=_SHORT, exchange=_NOTHING, row=_NOTHING, page=_DEPTHS[logger])
        return table_cost(logger, months_known=self.months.present is not None)

    def over(self, line: LoggerLine, scaling: Scaling, serial_number: str) -> MulticalLogSource:
        """The memory of the meter at the end of this line."""
        decimals = scaling.energy[1] if scaling.energy is not None else 0
        known = self.months.meet(serial_number, decimals)
        reader = LogReader(line, scaling, self.zone, months=known.marks if known else None)
        return MulticalLogSource(self, reader, KnownMonths(serial_number, decimals, ()))


class MulticalLogSource:
    """A ``LogSource``. Each raises as ``LogReader.read``."""

    learn_seconds = 0.0
    clock_seconds = _SHORT
    confirm_seconds = 0.0

    def __init__(self, logs: MulticalLogs, reader: LogReader, whose: KnownMonths) -> None:
        self._logs = logs
        self._reader = reader
        self._whose = whose
        self._taken: set[str] = set()  # of whose table what there is counts

    async def learn(self) -> Mapping[str, LoggerFacts]:
        return self._logs.facts

    async def confirm(self) -> None:
        """Nothing is asked: rows bear no number, and what they are checked by would contradict them."""

    async def look(self, logger: str, facts: LoggerFacts) -> TimeRange | None:
        """By the clock. A new day alone is no news: its table costs as much as that of sixty missed ones."""
        logs = self._logs
        if logger == DAY and logs.days is not None and not logs.missed:
            return logs.days
        newest = newest_id(logger, await self._reader.clock())
        extent = (newest - facts.depth + 1, newest)
        if logger == DAY:
            logs.days, logs.missed = extent, False
        return extent

    async def read(self, window: Window, facts: LoggerFacts) -> Batch:
        """Raises LoggerRefusedError too: for what another day may bring whole, or with its counters."""
        read = await self._reader.read(window.logger)
        self._logs.at_hand.add(window.logger)
        if (months := self._reader.months) is not None:
            self._logs.months.keep(replace(self._whose, marks=tuple(months)))
        entries: dict[int, Entry] = {}
        newest = window.last
        for row in read.rows:  # the newest comes last
            newest = entry = row_id(window.logger, row.standard)
            if window.first <= entry <= window.last:
                digest = hashlib.sha256(" ".join(row.digits).encode("ascii")).hexdigest()[:16]
                entries[entry] = Entry(entry, row.standard, digest, row.measurements)
        missing = window.rows - len(entries)
        whole = all("heat_energy" in each.measurements for each in entries.values())
        uncounted = () if whole else read.uncounted
        if missing and read.doubtful:
            why = f"{read.doubtful} lines give no row: {read.told[0]}"
            self._rather_on_another_day(window.logger, "doubtful_lines", why, nothing=not entries)
        elif newest < window.last:
            why = "the latest period is over by the meter's clock, and its row is not there yet"
            self._rather_on_another_day(window.logger, "not_there_yet", why)
        elif uncounted:
            self._rather_on_another_day(window.logger, "no_counter", uncounted[0])
        return Batch(
            tuple(entries[entry] for entry in sorted(entries)),
            page=facts.depth,
            # Else the meter is younger than that.
            missing=missing if read.doubtful or newest < window.last else 0,
            told=uncounted,
        )

    def _rather_on_another_day(self, logger: str, reason: str, why: str, *, nothing: bool = False) -> None:
        """Raises LoggerRefusedError, twice: then what there is counts, unless it is ``nothing``."""
        refused = self._logs.refused
        if nothing or (logger not in self._taken and refused[logger] < _OTHER_DAYS):
            refused[logger] += 1
            raise LoggerRefusedError(reason, why)
        # All windows of this table, and no longer those of the next time.
        self._taken.add(logger)
        refused[logger] = 0

    async def read_clock(self, facts: LoggerFacts) -> datetime | None:
        return await self._reader.clock_now()

    def cost(self, logger: str, facts: LoggerFacts) -> LoggerCost:
        return self._logs.cost(logger)
