"""A meter with loggers, and whoever reads it by the planner, without line or clock: for tests of the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from smart_meter_reader.meters.backfill import memory
from smart_meter_reader.meters.backfill.cost import LineCost, LoggerCost
from smart_meter_reader.meters.backfill.plan import Planner
from smart_meter_reader.meters.backfill.ranges import TimeRange, TimeRanges
from smart_meter_reader.meters.backfill.state import LoggerFacts, StoredEntry, Window

BEGIN = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
STEPS = {"month": timedelta(days=30), "day": timedelta(days=1), "hour": timedelta(hours=1)}
LINE = LineCost()


def costs(logger: str, facts: LoggerFacts) -> LoggerCost:
    """Rows of 15 bytes, answers of 128, as of the registers 348, 60 and 68."""
    return LoggerCost(LINE.exchange(17, 41), LINE.exchange(21, 36), LINE.seconds(15), 6)


class KilledError(Exception):
    """The process was killed."""


class SimulatedMeter:
    """Ids rise by one each step; ``serial`` and ``offset`` change with a swap or a reset."""

    def __init__(self, depths: Mapping[str, int], age: timedelta) -> None:
        self.depths = depths
        self.serial = "1"
        self._born = BEGIN - age

    def replace(self, serial: str, now: datetime) -> None:
        self.serial, self._born = serial, now

    def extent(self, logger: str, now: datetime) -> TimeRange | None:
        newest = (now - self._born) // STEPS[logger] - 1
        return (max(0, newest - self.depths[logger] + 1), newest) if newest >= 0 else None

    def made_at(self, logger: str, entry: int) -> datetime:
        return self._born + STEPS[logger] * (entry + 1)

    def content(self, entry: int) -> str:
        return f"{self.serial} {self._born:%m%d%H} {entry}"

    @property
    def facts(self) -> dict[str, LoggerFacts]:
        return {name: LoggerFacts(depth) for name, depth in self.depths.items()}


class Reader:
    """Reads as a session does; ``at`` is called at each point at which the process may be killed."""

    def __init__(self, daily: float, *, every_hour: bool = True) -> None:
        self.stored: Counter[tuple[str, str]] = Counter()  # logger and content: how often it came
        self.windows: list[Window] = []
        self.line: Counter[date] = Counter()
        self.lost = 0
        self.at: Callable[[str], None] = lambda point: None
        self.daily, self._every_hour = daily, every_hour
        self._kept: Mapping[str, Any] = {}
        self.planner = self._start()

    def _start(self) -> Planner:
        planner = Planner(costs, daily=self.daily, every_hour=self._every_hour)
        memory.recall(planner, self._kept)
        return planner

    def restart(self) -> None:
        self.planner = self._start()

    def keep(self) -> None:
        self._kept = memory.encode(self.planner)

    def wake_up(self, meter: SimulatedMeter, now: datetime, *, missed: bool = False) -> None:
        """What follows one live reading."""
        planner = self.planner
        planner.meet(meter.serial, now)
        if planner.loggers is None:
            planner.learn(meter.facts)
        if missed:
            planner.note_missed()
        for logger in planner.looks_due(now):
            if not self._spend(now, planner.look_seconds(logger)):
                return
            self.lost += planner.note_extent(logger, meter.extent(logger, now), now).lost
        busy: dict[str, TimeRanges] = {}
        while (window := planner.next_window(now, busy=busy)) is not None:
            self._spend(now, window.seconds)
            self.at("read")
            self._take(meter, window, now)
        self.keep()

    def _spend(self, now: datetime, seconds: float) -> bool:
        if self.planner.budget.left(now, self.daily) < seconds:
            return False
        self.planner.reserve(now, seconds)
        self.at("reserved")
        self.keep()
        self.line[now.date()] += seconds  # type: ignore[assignment]
        self.at("sent")
        return True

    def _take(self, meter: SimulatedMeter, window: Window, now: datetime) -> None:
        contents = [meter.content(entry) for entry in range(window.first, window.last + 1)]
        if window.checks and not self.planner.is_same(window, contents[0], now):
            return
        self.windows.append(window)
        for content in contents[window.checks :]:
            self.stored[window.logger, content] += 1
        self.at("stored")
        self.planner.done(window, StoredEntry(window.last, contents[-1]))
        self.at("done")
