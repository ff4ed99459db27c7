"""One look at the loggers of a KMP meter, for a person: which there are, and what stands in one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, tzinfo
from math import ceil
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.kmp.commands import LOGGER_BASE, LOGGER_TOP
from smart_meter_reader.codecs.kmp.loggers import DATE_AND_TIME, Logger, LogRow
from smart_meter_reader.codecs.kmp.registers import register_of, resolve_register
from smart_meter_reader.exceptions import LoggerRefusedError, NoSuchLoggerError, ValueFormatError
from smart_meter_reader.meters.backfill.stamps import clock_error, stamp
from smart_meter_reader.meters.backfill.state import CONFIG, DAY, HOUR, INFO, MINUTES, MONTH, YEAR
from smart_meter_reader.meters.by_hand import Estimate, Excerpt, HeldLogger, LogEntry, TellProgress
from smart_meter_reader.meters.conversation import UNANSWERED
from smart_meter_reader.meters.info_codes import InfoCodes
from smart_meter_reader.meters.kmp.clock import described, read_clock
from smart_meter_reader.meters.kmp.connection import KmpConnection
from smart_meter_reader.meters.kmp.identity import Identity, read_identity
from smart_meter_reader.meters.kmp.loggers import costs, walk
from smart_meter_reader.meters.kmp.loggers.places import (
    EVENT_CODES,
    EVENT_COUNTERS,
    AnyLogger,
    LoggerExtent,
    PastLogger,
    RecordLog,
)
from smart_meter_reader.meters.kmp.reading import read_measurements
from smart_meter_reader.meters.kmp.settings import KamstrupSettings

# In the order in which they are asked for: the first tells whether the meter knows the command at all.
NUMBERS: Final[Mapping[str, Logger]] = MappingProxyType(
    {
        DAY: Logger.DAY,
        MONTH: Logger.MONTH,
        YEAR: Logger.YEAR,
        HOUR: Logger.HOUR,
        MINUTES: Logger.MINUTES_1,
        "minutes2": Logger.MINUTES_2,
        INFO: Logger.INFO,
        CONFIG: Logger.CONFIG,
    }
)
# In which a person is told of them.
_ORDER: Final = (YEAR, MONTH, DAY, HOUR, MINUTES, "minutes2", INFO, CONFIG)
_STAMPS: Final = (DATE_AND_TIME, 1003, 1002)
# What counts, for little; and what the loggers of events are there for.
_USUAL: Final = costs.HOURLY_REGISTERS
_OF_EVENTS: Final = (*EVENT_CODES, *EVENT_COUNTERS)
_MOST_OF_A_MODULE: Final = 8
_ENDLESS: Final = 32_000  # bytes of an answer, of a meter without a limit
_SPARE: Final = 2  # entries around a time that is computed, since months differ and clocks are set


class _LookedLogger:
    """A logger of the meter: where it is, what it keeps, and the entries it holds."""

    def __init__(self, place: AnyLogger, registers: tuple[int, ...], depth: int) -> None:
        self.place, self.registers, self.depth = place, registers, depth
        self.extent: LoggerExtent | None = None

    def stamps(self) -> tuple[int, ...]:
        if not self.registers or DATE_AND_TIME not in self.registers:
            return _STAMPS[1:]
        return _STAMPS[:1]


class KmpLook:
    """A ``by_hand.Loggers``."""

    def __init__(
        self,
        connection: KmpConnection,
        settings: KamstrupSettings,
        identity: Identity,
        zone: tzinfo | None,
        registers: Sequence[int],
    ) -> None:
        self.who = described(identity)
        self.clock_ahead = 0.0
        self._model = settings.model or identity.model
        self._connection = connection
        self._settings = settings
        self._zone = zone
        self._named = tuple(registers)
        self._error = timedelta(0)
        self._places: dict[str, _LookedLogger] = {}
        self._remarks: dict[str, None] = {}

    @property
    def remarks(self) -> Sequence[str]:
        return tuple(self._remarks)

    async def look_at_clock(self) -> None:
        """What the stamps are worth."""
        told = await read_clock(self._connection)
        if told is not None:
            self._error = clock_error(told.standard, told.at, self._zone)
            self.clock_ahead = self._error.total_seconds()

    # What there is.

    async def held(self, logger: str = "") -> Sequence[HeldLogger]:
        await self._learn([logger] if logger in NUMBERS else list(NUMBERS))
        if not self._places:
            raise NoSuchLoggerError("no_such_logger", _without(self.who, logger))
        if logger and logger not in self._places:
            others = ", ".join(self._places) if len(self._places) > 1 else next(iter(self._places))
            raise NoSuchLoggerError("no_such_logger", f"{self.who} has no logger {logger}; it has: {others}")
        held = [await self._held(name, place) for name, place in self._places.items()]
        return sorted(held, key=lambda each: _ORDER.index(each.name))

    async def _learn(self, names: Sequence[str]) -> None:
        for number, name in enumerate(names):
            place = await self._configured(name, retries=1 if self._places else 2)
            if place is not None:
                self._places[name] = place
            elif number == 0 and await self._learn_otherwise(names):
                return

    async def _learn_otherwise(self, names: Sequence[str]) -> bool:
        """Nothing came to the first question: whether there is nothing more to ask in this way."""
        if names[0] != DAY and (place := await self._configured(DAY, retries=1)) is not None:
            # It knows the command: the logger asked for is not there. Which are?
            self._places[DAY] = place
            await self._learn([name for name in NUMBERS if name not in (DAY, *names)])
            return True
        # Raises where the meter answers nothing at all.
        await self._connection.read_serial_number()
        for address in (LOGGER_TOP, LOGGER_BASE):
            record = _LookedLogger(RecordLog(address), (), 0)
            try:
                record.extent = await walk.read_extent(self._connection, record.place)
            except (*UNANSWERED, LoggerRefusedError):
                continue
            self._places[HOUR] = record
            return True
        return True

    async def _configured(self, name: str, *, retries: int) -> _LookedLogger | None:
        number = NUMBERS[name]
        try:
            told = await self._connection.read_logger_configuration(number, retries=retries)
        except (*UNANSWERED, LoggerRefusedError):
            return None
        if not told.depth or not told.registers:
            return None
        return _LookedLogger(PastLogger(number), told.registers, told.depth)

    async def _held(self, name: str, place: _LookedLogger) -> HeldLogger:
        try:
            place.extent = place.extent or await walk.read_extent(self._connection, place.place)
            if place.extent is None:
                return HeldLogger(name, place.depth)
            newest = await walk.read_window(
                self._connection, place.place, place.extent.newest, 1, place.stamps()
            )
        except LoggerRefusedError as refused:
            self._remarks[refused.detail] = None
            return HeldLogger(name, place.depth)
        extent = place.extent
        return HeldLogger(
            name,
            place.depth,
            extent.newest - extent.oldest + 1,
            self._time(name, extent.row)[0],
            self._time(name, newest[0])[0],
        )

    # What it costs.

    def estimate(self, held: HeldLogger, excerpt: Excerpt) -> Estimate:
        _, count = self._range(held, excerpt)
        line, registers = self._settings.line_cost, self._wanted(held)
        worst = costs.logger_cost(line, registers).rows(count) if count else 0.0
        best = costs.logger_cost(line, registers, _ENDLESS).rows(count) if count else 0.0
        reading = costs.poll_seconds(line, len(KamstrupSettings(port="").plan[0].registers))
        return Estimate(count, (best, worst), worst / reading)

    def _range(self, held: HeldLogger, excerpt: Excerpt) -> tuple[int, int]:
        """The newest id to read, and how many from there back: by the times of the oldest and the newest."""
        extent = self._places[held.name].extent
        if extent is None:
            return 0, 0
        # When events come nobody can compute: they are read until they are older than wanted.
        steady = held.name not in (INFO, CONFIG)
        behind = self._entries_after(held, excerpt.until) if steady else 0
        first = extent.newest - max(0, behind - _SPARE)
        count = first - extent.oldest + 1
        if excerpt.most:
            count = min(count, excerpt.most + min(behind, _SPARE))
        if excerpt.since is not None and steady:
            wanted = self._entries_after(held, excerpt.since) + _SPARE - (extent.newest - first)
            count = min(count, wanted)
        return first, max(0, count)

    @staticmethod
    def _entries_after(held: HeldLogger, time: datetime | None) -> int:
        """About how many entries were made after a time."""
        if time is None or held.newest is None or held.oldest is None or held.newest < time:
            return 0
        step = (held.newest - held.oldest) / max(1, held.entries - 1)
        return ceil((held.newest - time) / step) if step else held.entries

    def _wanted(self, held: HeldLogger) -> tuple[int, ...]:
        """The stamp, and what is read beside it."""
        place = self._places[held.name]
        registers = self._named or (_OF_EVENTS if held.name in (INFO, CONFIG) else _USUAL)
        if place.registers:
            registers = tuple(each for each in registers if each in place.registers)
        wanted = (*place.stamps(), *(each for each in registers if each not in place.stamps()))
        return wanted if place.registers else wanted[:_MOST_OF_A_MODULE]

    # What stands in it.

    async def read(
        self, held: HeldLogger, excerpt: Excerpt, told: TellProgress
    ) -> AsyncIterator[Sequence[LogEntry]]:
        first, count = self._range(held, excerpt)
        wanted = self._wanted(held)
        self._note_missing(held)
        if not count:
            return
        done, place = 0, self._places[held.name].place
        told(held.name, 0, count)
        async for page in walk.read_pages(self._connection, place, first, count, wanted):
            done += len(page)
            entries = [self._entry(held.name, row, wanted) for row in page]
            yield [entry for entry in entries if excerpt.has(entry.measured_at)]
            told(held.name, done, count)
            if done == len(page):
                self._note_truncated(wanted, page[0])
            times = [entry.measured_at for entry in entries]
            if excerpt.since is not None and all(time is not None and time < excerpt.since for time in times):
                return

    def _entry(self, name: str, row: LogRow, wanted: Sequence[int]) -> LogEntry:
        time, raw = self._time(name, row)
        registers = row.by_id()
        measured = [each for each in wanted if each not in _STAMPS]
        measurements, left_out = read_measurements(measured, registers)
        self._remarks.update(dict.fromkeys(left_out))
        explained, left_out = InfoCodes().judge(measurements, self._model)
        self._remarks.update(dict.fromkeys(left_out))
        explained.pop("reported_problems", None)
        return LogEntry(time, raw, explained, row.log_id)

    def _time(self, name: str, row: LogRow) -> tuple[datetime | None, datetime | None]:
        """When an entry was made, in UTC, and by the meter's clock."""
        try:
            told = row.time
        except ValueFormatError:
            told = None
        if told is None:
            return None, None
        return stamp(told.standard, name.rstrip("2"), self._zone, self._error).time, told.standard

    def _note_missing(self, held: HeldLogger) -> None:
        kept = self._places[held.name].registers
        missing = [register_of(each).quantity for each in self._named if kept and each not in kept]
        if missing:
            there = ", ".join(register_of(each).quantity for each in kept if each not in _STAMPS)
            names = ", ".join(missing)
            self._remarks[f"the {held.name} logger does not keep {names}; it keeps {there}"] = None

    def _note_truncated(self, wanted: Sequence[int], row: LogRow) -> None:
        told = row.by_id()
        missing = [register_of(each).quantity for each in wanted if each not in told]
        if missing:
            self._remarks[f"left out by the meter: {', '.join(missing)}; ask for fewer registers at once"] = (
                None
            )


@asynccontextmanager
async def open_loggers(
    settings: KamstrupSettings, zone: tzinfo | None, registers: Sequence[str]
) -> AsyncIterator[KmpLook]:
    """See ``by_hand.OpenLoggers``. Raises TransportError and ProtocolError too."""
    wanted = [resolve_register(name).id for name in registers]
    async with KmpConnection(
        settings.port, settings.line, address=settings.address, retries=settings.retries
    ) as connection:
        look = KmpLook(connection, settings, await read_identity(connection), zone, wanted)
        await look.look_at_clock()
        yield look


def _without(who: str, logger: str) -> str:
    what = f"its {logger} logger" if logger else "its loggers"
    return (
        f"{who} answers, but not when it is asked for {what}: neither to the command of MULTICAL 303, 403 "
        "and 603 (B8h), nor as a 601 or 801 with a logger module (A0h)"
    )
