"""Reads a meter's loggers behind its live readings: by the plan, inside the budget, never in their way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Any

from smart_meter_reader.exceptions import (
    LoggerRefusedError,
    MeterSilentError,
    NotInLoggerError,
    ProtocolError,
    WrongMeterError,
)
from smart_meter_reader.history.intake.clock import is_synchronised
from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import Health, Publish
from smart_meter_reader.messages.receipts import NO_RECEIPTS, Receipts
from smart_meter_reader.meters.backfill import memory
from smart_meter_reader.meters.backfill.clocks import ComparedClocks, drift_sentence
from smart_meter_reader.meters.backfill.line_time import KeepMemory, LineTime, keep_nothing
from smart_meter_reader.meters.backfill.plan import Planner
from smart_meter_reader.meters.backfill.rows import past_of, past_rows
from smart_meter_reader.meters.backfill.source import Batch, LogSource
from smart_meter_reader.meters.backfill.stamps import clock_error
from smart_meter_reader.meters.backfill.state import LoggerFacts, StoredEntry, Window
from smart_meter_reader.meters.backfill.under_way import UnderWay
from smart_meter_reader.meters.base import count_in

_log = logging.getLogger(__name__)

_MOST_FAILURES = 3
# A reading may be late by half its period, and by a quarter of an hour of those that come more often.
_LATE = timedelta(minutes=75)


class Backfill:
    """What one client reads back of its meter; lives as long as the service.

    ``zone`` is whose winter the meter's stamps are in; None: this computer's.
    """

    def __init__(self, meter: str, planner: Planner, health: Health, zone: tzinfo | None = None) -> None:
        self.receipts: Receipts = NO_RECEIPTS
        self.keep: KeepMemory = keep_nothing
        self._meter = meter
        self._planner = planner
        self._health = health
        self._zone = zone
        self._line_time = LineTime(planner, lambda: self.keep())
        self._under_way = UnderWay()
        self._read_at: datetime | None = None
        self._events: int | None = None  # info events, as the meter counts them
        self._clocks = ComparedClocks()
        self._said = Seldom()

    @property
    def memory(self) -> Mapping[str, Any]:
        """What is remembered, with what has become safe meanwhile."""
        self._under_way.settle(self._planner)
        return memory.encode(self._planner)

    def recall(self, content: Mapping[str, Any]) -> None:
        """Take what ``memory`` gave. Raises ValueError for what it never gives."""
        memory.recall(self._planner, content)

    @property
    def filling(self) -> str:
        """What is still to be read, for a person; "" when nothing is."""
        self._under_way.settle(self._planner)
        return str(self._planner.progress(datetime.now(UTC), self._under_way.ids()))

    def note_reading(self, now: datetime, period: timedelta, events: int | None = None) -> None:
        """A live reading was taken; one comes each ``period``. ``events``: its count of info events."""
        self._events = events
        longest = max(period * 1.5, _LATE)
        # A clock that was put back tells nothing of what was missed.
        if self._read_at is not None and now - self._read_at > longest:
            self._planner.note_missed()
        self._read_at = now

    async def run(
        self, source: LogSource, serial_number: str, publish: Publish, seconds_left: Callable[[], float]
    ) -> None:
        """Read what is due, until the next live reading is; that is in ``seconds_left()``.

        Raises TransportError when the line goes, and WrongMeterError when another meter answers than the one
        of this number. What else goes wrong is told, and costs this time only.
        """
        if not self.receipts.takers or not serial_number or not self._planner.daily:
            return
        if not self._has_the_time():
            return
        self._under_way.settle(self._planner)
        self._planner.meet(serial_number, datetime.now(UTC))
        self._clocks.meet(serial_number)
        read = 0
        try:
            known = await self._learn(source) and await self._confirm(source, seconds_left)
            if known and await self._look(source, seconds_left):
                read = await self._walk(source, publish, seconds_left)
        except WrongMeterError:
            raise
        except (MeterSilentError, ProtocolError) as error:
            _log.info("%s: its loggers are read on another time: %s", self._meter, error.detail)
        except TimeoutError:
            _log.info("%s: its loggers answer more slowly than computed; they are read on later", self._meter)
        await self._finish(read)

    async def _finish(self, read: int) -> None:
        self._under_way.settle(self._planner)
        progress = self._planner.progress(datetime.now(UTC), self._under_way.ids())
        count_in(self._health, "logger_rows", read)
        self._health["logger_rows_missing"] = sum(progress.missing.values())
        if str(progress):
            self._health["filling"] = str(progress)
        else:
            self._health.pop("filling", None)
        if read:
            still = f"; still to come: {progress}" if str(progress) else ""
            _log.info("%s: %d entries of its loggers were read back%s", self._meter, read, still)
        await self.keep()

    async def _learn(self, source: LogSource) -> bool:
        """Whether the meter has loggers; asked once."""
        if self._planner.loggers is None:
            seconds = min(source.learn_seconds, self._planner.daily)
            if not self._line_time.allows(seconds):
                return False
            facts = await self._line_time.spend(seconds, source.learn)
            self._planner.learn(facts)
            names = ", ".join(facts) or "none"
            _log.info("%s: the meter has these loggers: %s", self._meter, names)
        return bool(self._planner.loggers)

    async def _confirm(self, source: LogSource, seconds_left: Callable[[], float]) -> bool:
        """Whether anything is due, of the meter that was met: or raises WrongMeterError."""
        looks = self._planner.looks_due(datetime.now(UTC), events=self._events)
        if looks and seconds_left() < self._planner.look_seconds(looks[0]):
            return False
        if not (looks or self._next(seconds_left)) or not self._line_time.allows(source.confirm_seconds):
            return False
        if source.confirm_seconds:
            await self._line_time.spend(source.confirm_seconds, source.confirm)
        return True

    async def _look(self, source: LogSource, seconds_left: Callable[[], float]) -> bool:
        """Ask for the oldest and newest entry where that is due; False: there was not the time."""
        events = self._events
        for logger in self._planner.looks_due(datetime.now(UTC), events=events):
            seconds = self._planner.look_seconds(logger)
            if seconds_left() < seconds or not self._line_time.allows(seconds):
                return False
            try:
                extent = await self._line_time.spend(
                    seconds, partial(source.look, logger, self._facts(logger))
                )
            except LoggerRefusedError as refused:
                self._refuse(logger, refused)
                continue
            found = self._planner.note_extent(logger, extent, datetime.now(UTC), events=events)
            if found.renewed:
                self._warn(f"the entries of its {logger} logger begin anew: they are read as a new series")
            if found.lost:
                self._warn(
                    f"{found.lost} entries of its {logger} logger were overwritten before they were read"
                )
        return True

    async def _walk(self, source: LogSource, publish: Publish, seconds_left: Callable[[], float]) -> int:
        """Read windows as long as there are time and budget; how many entries went out."""
        read = failures = 0
        while failures < _MOST_FAILURES and not self._under_way.full:
            first = self._next(seconds_left)
            if first is None or not await self._ask_clock(source, first):
                break
            if (window := self._next(seconds_left)) is None:
                break
            try:
                read_it = partial(source.read, window, self._facts(window.logger))
                batch = await self._line_time.spend(window.seconds, read_it)
                if self._clock_was_set():  # meanwhile: what it was off by is not known any more
                    failures += 1
                    continue
                read += await self._take(window, batch, publish)
            except NotInLoggerError as gone:
                # Overwritten since it was looked at: what there is, is asked again the next time.
                failures += 1
                self._planner.forget_extent(window.logger)
                _log.info("%s: %s", self._meter, gone.detail)
            except LoggerRefusedError as refused:
                self._refuse(window.logger, refused)
            except (MeterSilentError, TimeoutError):
                if self._planner.failures.unanswered(window, datetime.now(UTC)):
                    self._warn(f"its {window.logger} logger is left alone for a day: it does not answer")
                raise
            except ProtocolError as error:
                failures += 1
                self._note_failure(window, error)
        return read

    def _next(self, seconds_left: Callable[[], float]) -> Window | None:
        return self._planner.next_window(datetime.now(UTC), seconds_left(), self._under_way.ids())

    def _facts(self, logger: str) -> LoggerFacts:
        return (self._planner.loggers or {})[logger].facts

    def _note_failure(self, window: Window, error: ProtocolError) -> None:
        given_up = self._planner.failed(window)
        what = f"entry {window.first} of its {window.logger} logger" if given_up else "a part of its loggers"
        if given_up:
            count_in(self._health, "rejected_values", 1)
        self._warn(f"{what} cannot be read{' and is left out' if given_up else ''}: {error.detail}")

    async def _take(self, window: Window, batch: Batch, publish: Publish) -> int:
        """Publish what a window brought; how many entries that are."""
        self._planner.note_page(window.logger, batch.page, limited=batch.limited)
        entries, now = batch.entries, datetime.now(UTC)
        before = entries[0] if entries and entries[0].entry < window.wanted[0] else None
        if before is None and window.checks:
            self._planner.cannot_check(window.logger)
        if before is not None:
            if window.checks and not self._planner.is_same(window, before.digest, now):
                self._warn(
                    f"entry {window.first} of its {window.logger} logger is not what it was: all of them are "
                    "read as a new series"
                )
                return 0
            entries = entries[1:]
        if not entries:
            self._planner.done(window)
            return 0
        rows, left_out = past_rows(entries, window.logger, self._zone, self._clocks.error, now)
        if count := left_out + batch.missing:
            count_in(self._health, "rejected_values", count)
            why = "they have no time of their own, or the clock was set"
            self._warn(f"{count} entries of its {window.logger} logger are left out: {why}")
        for each in batch.told:
            count_in(self._health, "rejected_values", 1)
            self._warn(f"its {window.logger} logger: {each}")
        receipt = self.receipts.issue()
        newest = StoredEntry(entries[-1].entry, entries[-1].digest)
        self._under_way.add(window, newest, receipt)
        with ExitStack() as unless_handed_on:
            unless_handed_on.callback(self.receipts.lose, receipt.key)
            await publish(past_of(self._meter, window, rows, before, receipt.key, now))
            unless_handed_on.pop_all()
        return len(rows)

    async def _ask_clock(self, source: LogSource, window: Window) -> bool:
        """How far the meter's clock is off, once a day: a stamp is worth no more than its clock.

        False: there is not the time to ask. Raises where it does not answer, but not for ever.
        """
        now, instant = datetime.now(UTC), asyncio.get_running_loop().time()
        if not self._clocks.are_due(now, instant):
            return True
        if not self._line_time.allows(source.clock_seconds):
            return False
        try:
            facts = self._facts(window.logger)
            told = await self._line_time.spend(source.clock_seconds, lambda: source.read_clock(facts))
        except (MeterSilentError, ProtocolError, TimeoutError):
            if not self._clocks.give_up():
                raise
            self._warn("its clock does not answer: whether the times of its loggers are right, nobody knows")
            told = None
        error = None if told is None else clock_error(told, datetime.now(UTC), self._zone)
        self._clocks.note(now, instant, error)
        if error is not None:
            self._health["clock_drift"] = round(error.total_seconds())
            if wrong := drift_sentence(error):
                self._warn(wrong)
        return True

    def _clock_was_set(self) -> bool:
        return self._clocks.were_set(datetime.now(UTC), asyncio.get_running_loop().time())

    def _has_the_time(self) -> bool:
        """Whether this computer's clock can be believed: else all times would be wrong."""
        instant = asyncio.get_running_loop().time()
        if self._clocks.are_believed(instant, synchronised=is_synchronised()):
            return True
        if self._said.first("the clock"):
            _log.info("%s: its loggers wait until this computer's clock is set from the network", self._meter)
        return False

    def _refuse(self, logger: str, refused: LoggerRefusedError) -> None:
        self._planner.failures.refuse(logger, datetime.now(UTC))
        self._warn(f"its {logger} logger is left alone for a day: {refused.detail}")

    def _warn(self, what: str) -> None:
        if self._said.first(what):
            _log.warning("%s: %s", self._meter, what)
