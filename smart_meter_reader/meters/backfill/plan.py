"""What of a meter's loggers is read next. Pure: time is an argument, what was read is told to it.

The rules (docs/history.md): months, years, days, info events, hours last; what was logged since the meter
was met before what is older; the newest range first, and inside of it the oldest window; a window is done
when it is stored as a whole, so that no interruption leaves a hole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import ceil
from types import MappingProxyType

from smart_meter_reader.meters.backfill import ranges
from smart_meter_reader.meters.backfill.budget import UNLIMITED, Budget
from smart_meter_reader.meters.backfill.cost import LoggerCost
from smart_meter_reader.meters.backfill.failures import Failures
from smart_meter_reader.meters.backfill.ranges import TimeRange, TimeRanges
from smart_meter_reader.meters.backfill.state import (
    HOUR,
    INFO,
    NOTHING,
    ORDER,
    READ_LIVE,
    BackfillProgress,
    LoggerFacts,
    LoggerState,
    MeterSeries,
    StoredEntry,
    Window,
    is_old,
)
from smart_meter_reader.meters.backfill.windows import fitted

_MOST_SERIES = 4  # a meter that was away goes on where it was
_NO_RANGES: Mapping[str, TimeRanges] = MappingProxyType({})

Costs = Callable[[str, LoggerFacts], LoggerCost]
"""What a logger of this name costs, as the family computes it."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found when a logger was asked for its oldest and newest entry."""

    lost: int = 0  # entries that were still to be read and are overwritten now
    renewed: bool = False  # its ids begin anew: what was stored is of an earlier series


class Planner:
    """The plan of one meter's place. ``daily``: seconds of line time a day; ``every_hour``: also those hours
    that were read live anyway are wanted.
    """

    def __init__(self, costs: Costs, *, daily: float = UNLIMITED, every_hour: bool = False) -> None:
        self.known: tuple[MeterSeries, ...] = ()  # the present meter first
        self.budget = Budget()
        self.daily = daily
        self._costs = costs
        self._every_hour = every_hour
        self._extents: dict[str, TimeRange] = {}  # as last seen of the present meter
        self._epochs: dict[str, int] = {}  # how often a logger began anew since the start
        self._missed = set(READ_LIVE)  # to be looked at for that; before the start, nobody knows
        self._unchecked: set[str] = set()
        self.failures = Failures()

    # Who the meter is and what it has.

    @property
    def loggers(self) -> Mapping[str, LoggerState] | None:
        """Its loggers; None as long as it was not asked which there are."""
        return self.known[0].loggers if self.known else None

    def meet(self, serial_number: str, now: datetime) -> None:
        """This meter answers. Another one than before has a series of its own, and the old one is kept."""
        self.budget = self.budget.on(now)
        if self.known and self.known[0].serial_number == serial_number:
            return
        before = [each for each in self.known if each.serial_number == serial_number]
        others = [each for each in self.known if each.serial_number != serial_number]
        self.known = (*(before or [MeterSeries(serial_number)]), *others)[:_MOST_SERIES]
        for kept in (self._extents, self._unchecked, self.failures):
            kept.clear()
        self._missed.update(READ_LIVE)

    def learn(self, facts: Mapping[str, LoggerFacts]) -> None:
        """The meter has these loggers; none: it is not asked again."""
        states = {name: LoggerState(facts[name]) for name in ORDER if name in facts}
        self.known = (replace(self.known[0], loggers=MappingProxyType(states)), *self.known[1:])

    # What it holds.

    def note_missed(self) -> None:
        """Live readings are missing: that is remembered of each logger until it has been looked at."""
        self._missed.update(READ_LIVE)

    def looks_due(self, now: datetime, *, events: int | None = None) -> list[str]:
        """The loggers to be asked for their oldest and newest id.

        ``events``: how many info events the meter counts now; None where that was not read.
        """
        return [
            name
            for name, state in (self.loggers or {}).items()
            if not self.failures.is_refused(name, now)
            and (
                self._has_news(state, events)
                if name == INFO
                else name in self._missed or name not in self._extents or is_old(name, state, now)
            )
        ]

    def look_seconds(self, logger: str) -> float:
        """What that costs."""
        return self._cost(logger).look

    def note_extent(
        self, logger: str, extent: TimeRange | None, now: datetime, *, events: int | None = None
    ) -> Looked:
        """The logger holds these ids, the oldest and the newest; None: it is empty."""
        state = replace(self._state(logger), events=events if logger == INFO else None)
        oldest, newest = extent or (0, NOTHING)
        self._extents[logger] = (oldest, newest)
        wants = logger != HOUR or self._every_hour or logger in self._missed or not state.met
        self._missed.discard(logger)
        if state.met and newest < state.covered:
            self._keep(logger, state)
            self._begin_anew(logger, now)
            return Looked(renewed=True)
        wanted = (state.covered + 1, newest) if wants else (0, NOTHING)
        todo = ranges.union(state.todo, [wanted])
        held = ranges.within(todo, oldest, newest)
        # Of what was there before the meter was met nothing is missed.
        lost = ranges.count(todo) - ranges.count(held) if state.met else 0
        if state.check is not None and newest > state.covered:
            self._unchecked.add(logger)
        self._keep(
            logger,
            replace(
                state,
                covered=newest,
                todo=held,
                news_from=state.news_from if state.met else newest + 1,
                looked=now,
            ),
        )
        return Looked(lost=lost)

    def forget_extent(self, logger: str) -> None:
        """It no longer holds what it held: it is looked at again before anything of it is read."""
        self._extents.pop(logger, None)

    def _begin_anew(self, logger: str, now: datetime) -> None:
        """All that it holds is of a new series."""
        oldest, newest = self._extents[logger]
        self._epochs[logger] = self._epochs.get(logger, 0) + 1
        self._unchecked.discard(logger)
        todo, state = ranges.union([(oldest, newest)]), self._state(logger)
        state = replace(state, covered=newest, todo=todo, news_from=oldest, check=None, looked=now)
        self._keep(logger, state)

    def _has_news(self, state: LoggerState, events: int | None) -> bool:
        """Of the info logger, which is left alone as long as the meter's count of events is the same."""
        left = bool(state.todo) and INFO not in self._extents
        return events is not None and (events != state.events or left)

    # What is read next.

    def next_window(
        self, now: datetime, seconds: float = UNLIMITED, busy: Mapping[str, TimeRanges] = _NO_RANGES
    ) -> Window | None:
        """What to read within so many seconds; None: nothing, or it waits for tomorrow's budget.

        ``busy`` are ids that were read and are not confirmed yet.
        """
        allowed = min(seconds, self.budget.left(now, self.daily))
        for name, part in self._missing(now, busy):
            return self._fitted(name, part, allowed)
        return None

    def _missing(self, now: datetime, busy: Mapping[str, TimeRanges]) -> Iterator[tuple[str, TimeRange]]:
        for news in (True, False):
            for name, state in (self.loggers or {}).items():
                if self.failures.is_refused(name, now) or name not in self._extents:
                    continue
                begin, end = (state.news_from, state.covered) if news else (0, state.news_from - 1)
                missing = ranges.within(ranges.minus(state.todo, busy.get(name, ())), begin, end)
                if missing:
                    yield name, missing[-1]

    def _fitted(self, name: str, part: TimeRange, allowed: float) -> Window | None:
        window = fitted(
            name,
            self._state(name),
            self._cost(name),
            part,
            oldest=self._extents[name][0],
            unchecked=name in self._unchecked,
            limit=self.failures.limit_of(name),
            allowed=allowed,
        )
        serial, epoch = self.known[0].serial_number, self._epochs.get(name, 0)
        return window and replace(window, serial_number=serial, epoch=epoch)

    # What became of it.

    def is_same(self, window: Window, digest: str, now: datetime) -> bool:
        """Whether the first entry of a window that ``checks`` is what was stored; else all begins anew."""
        check = self._state(window.logger).check
        if check is not None and check != StoredEntry(window.first, digest):
            self._begin_anew(window.logger, now)
            return False
        self._unchecked.discard(window.logger)
        return True

    def done(self, window: Window, check: StoredEntry | None = None) -> None:
        """The window is stored; ``check`` is its newest entry. Of an earlier series it counts for nothing."""
        if window.epoch != self._epochs.get(window.logger, 0):
            return
        for place, series in enumerate(self.known):
            if series.serial_number == window.serial_number and series.loggers is not None:
                state = series.loggers[window.logger]
                newer = check is not None and (state.check is None or check.entry > state.check.entry)
                todo = ranges.minus(state.todo, [window.wanted])
                state = replace(state, todo=todo, check=check if newer else state.check)
                series = series.having(window.logger, state)
                self.known = (*self.known[:place], series, *self.known[place + 1 :])
        self.failures.forget(window.logger)

    def failed(self, window: Window) -> bool:
        """The window could not be read: the next one is smaller. True when its only entry is given up."""
        if self.failures.halve(window):
            return False
        self.cannot_check(window.logger)
        if not window.checks:
            self.done(window)
        return not window.checks

    def cannot_check(self, logger: str) -> None:
        """The stored entry cannot be read any more: what is new is not doubted for that."""
        self._unchecked.discard(logger)

    def note_page(self, logger: str, rows: int, *, limited: bool) -> None:
        """An answer had so many rows, and ``limited``: not all that were asked for."""
        state = self._state(logger)
        page = rows if limited else max(rows, state.page or self._cost(logger).page)
        if rows > 0 and page != state.page:
            self._keep(logger, replace(state, page=page))

    # What it costs.

    def reserve(self, now: datetime, seconds: float) -> None:
        """Count line time as spent that is about to be."""
        if self.daily != UNLIMITED:
            self.budget = self.budget.reserve(now, seconds)

    def give_back(self, day: date, seconds: float) -> None:
        """So much of what was reserved on that day was not needed."""
        if seconds > 0:
            self.budget = self.budget.give_back(day, seconds)

    def progress(self, now: datetime, busy: Mapping[str, TimeRanges] = _NO_RANGES) -> BackfillProgress:
        """What is still to be read, but for what is ``busy``."""
        states = self.loggers or {}
        missing = {
            name: ranges.count(ranges.minus(state.todo, busy.get(name, ()))) for name, state in states.items()
        }
        seconds = sum(self._cost(name).rows(rows, states[name].page) for name, rows in missing.items())
        if self.daily in (UNLIMITED, 0.0):
            return BackfillProgress(MappingProxyType(missing))
        days = ceil(max(0.0, seconds - self.budget.left(now, self.daily)) / self.daily)
        return BackfillProgress(MappingProxyType(missing), days)

    def _cost(self, logger: str) -> LoggerCost:
        return self._costs(logger, self._state(logger).facts)

    def _state(self, logger: str) -> LoggerState:
        loggers = self.loggers
        if loggers is None or logger not in loggers:
            raise ValueError(f"the meter has no logger {logger}")
        return loggers[logger]

    def _keep(self, logger: str, state: LoggerState) -> None:
        self.known = (self.known[0].having(logger, state), *self.known[1:])
