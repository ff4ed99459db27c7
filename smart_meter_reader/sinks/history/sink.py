"""Stores what the meters tell. Gathers it, and writes it once in a quarter of an hour, in one transaction.

An SD card lives from not being written to. What a power cut takes is detail: the next reading of a counter
tells what was used meanwhile. Trouble with the disk is told; until it passes, what is not written waits.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.history.errors import (
    DamagedHistoryError,
    DamagedRecentError,
    HistoryError,
    MovedHistoryError,
    NewerHistoryError,
    RecentBusyError,
)
from smart_meter_reader.history.intake.clock import ClockDoubt, clock_sentence, doubt, is_synchronised
from smart_meter_reader.history.intake.holding import Held
from smart_meter_reader.history.intake.intake import Intake
from smart_meter_reader.history.places import HistoryPlace
from smart_meter_reader.history.rows import STOPPED, EventRow, Row
from smart_meter_reader.history.storage.raw import Block, BlockWriter
from smart_meter_reader.history.storage.raw_columns import Columns, waiting
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Current, Message
from smart_meter_reader.messages.receipts import SinkReceipts
from smart_meter_reader.network.off_loop import in_daemon_thread
from smart_meter_reader.rooms import Room, left_out
from smart_meter_reader.sinks.base import Sink
from smart_meter_reader.sinks.history.damaged import make_room
from smart_meter_reader.sinks.history.house import keep_house
from smart_meter_reader.sinks.history.pasts import Pasts
from smart_meter_reader.sinks.history.regular_backups import RegularBackups
from smart_meter_reader.sinks.history.settings import HistorySettings
from smart_meter_reader.sinks.history.telling import SeldomTold, tell_believed
from smart_meter_reader.sinks.history.waiting import drop_oldest, events_among, start_told
from smart_meter_reader.sinks.waiting import set_within

_log = logging.getLogger(__name__)

_AFTER_SLOT = 20.0  # when the first reading of a slot is there
# What waits for a disk: some days of a large household.
MOST_ROWS = 50_000
MOST_BLOCKS = 400
_RETRY_SECONDS = 60.0  # how long a full disk is left alone before the next attempt


class HistorySink(Sink):
    """Keeps a history in a file. Blocking work is done in a thread, one piece after the other."""

    def __init__(self, name: str, settings: HistorySettings) -> None:
        self.name = name
        self._settings = settings
        self._room = Room(f"sink {name}")
        self._told = SeldomTold(name)
        self._store: Store | None = None
        self._intake: Intake | None = None
        self._stopping = asyncio.Event()
        self._pasts = Pasts(name, self._told, self._room)
        self._writing = asyncio.Lock()
        self._backups = RegularBackups(name, settings.file, settings.backup_every, self._stopping.is_set)
        self._started = False
        self._moved = False  # whether what is in the place of the file was not written by us
        self._rows: deque[Row] = deque()
        self._blocks: deque[Block] = deque()
        self._writers: dict[str, BlockWriter] = {}
        self._held = Held()
        self._newest: datetime | None = None  # time of the newest reading that was taken
        self._doubt: ClockDoubt | None = None
        self._believed = False  # whether the clock was, since the start
        self._why = ""
        self._delivered = True

    @property
    def internal_errors(self) -> int:
        return self._room.errors

    @property
    def delivered(self) -> bool:
        return self._delivered

    @property
    def takes_past(self) -> bool:
        return True

    def take_receipts(self, receipts: SinkReceipts) -> None:
        self._pasts.receipts = receipts

    @property
    def history(self) -> HistoryPlace | None:
        of = self._settings
        return HistoryPlace(of.file, of.recent, of.zone, self._unwritten) if of.file else None

    def _unwritten(self, meter: str, wanted: Collection[str]) -> list[Columns]:
        return waiting(list(self._blocks), self._writers.get(meter), meter, wanted)

    async def run(self, messages: AsyncIterator[Message]) -> None:
        self._delivered = False
        if self._store is None:
            await self._open()
        assert self._intake is not None
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write_regularly(), name=f"{self.name} writes")
            async for message in messages:
                if message["type"] == "past":
                    await self._pasts.take(message, self._written)
                    continue
                self._room.contain(partial(self._hear, message), None, left_out(message))
            self._stopping.set()
        self._rows.extend(self._intake.close())
        if self._started:
            self._rows.append(EventRow("", int(time.time()), STOPPED, "the service was stopped"))
        # The second time is for a file that was found damaged, and begun anew.
        self._delivered = (await self._write() or await self._write()) and not self._held
        if self._held:
            _log.warning("sink %s: %d messages are lost, for %s", self.name, self._held.lost, self._why)
        await self._close()

    def _hear(self, message: Current) -> None:
        """Take a message, or hold it while the clock is not believed."""
        if message["type"] == "reading":
            self._judge_clock(message["time"])
        if self._doubt is not None:
            self._held.hold(message, time.monotonic())
        else:
            self._take(message)

    async def _written(self) -> Store | None:
        """The file with all that came before; None where it cannot be had, or the clock is not believed."""
        return self._store if self._doubt is None and await self._write() else None

    def _judge_clock(self, now: datetime) -> None:
        # A clock that was right once is only looked at for going back: this is on every reading's way.
        doubted = doubt(now, self._newest, self._believed or is_synchronised(), self._settings.clock)
        self._believed = doubted is None
        if doubted is self._doubt:
            return
        before, self._doubt = self._doubt, doubted
        if doubted is not None:
            self._why = clock_sentence(doubted, now, self._newest)
            _log.warning("sink %s: nothing is stored for now: %s", self.name, self._why)
            return
        held = self._held.release(datetime.now(UTC), time.monotonic())
        tell_believed(self.name, held)
        if before is not None:
            self._rows.append(EventRow("", int(now.timestamp()), before, self._why))
        for message in held.messages:
            self._take(message)

    def _take(self, message: Current) -> None:
        assert self._intake is not None
        if not self._started:
            self._started = True
            self._rows.extend(start_told(self._newest, message["time"]))
        self._rows.extend(self._intake.take(message))
        if message["type"] == "reading":
            self._newest = max(message["time"], self._newest or message["time"])
            if self._settings.recent is not None:
                writer = self._writers.setdefault(message["meter"], BlockWriter())
                writer.add(message["time"], message["measurements"])
        self._told.dropped(drop_oldest(self._rows, MOST_ROWS))

    async def _write_regularly(self) -> None:
        every = self._settings.write_every.total_seconds()
        written = True
        while True:
            pause = every - time.time() % every + min(_AFTER_SLOT, every / 10)
            if await set_within(self._stopping, pause if written else min(pause, _RETRY_SECONDS)):
                return
            written = await self._write()
            if written:
                await in_daemon_thread(self._backups.make_when_due)
            if self._doubt is ClockDoubt.BEHIND:
                await self._look_again()

    async def _look_again(self) -> None:
        """A person may have noted that what the clock stands behind is wrong: it counts no more then."""
        assert self._store is not None
        try:
            newest = await self._newest_in(self._store)
            if newest == self._newest:
                return
            known = await in_daemon_thread(self._store.open)
        except HistoryError as error:
            self._tell(error)  # it is looked at again, and set aside when something is to be written
            return
        self._newest, self._intake = newest, Intake(known)  # both at once: a reading may come at any time

    async def _newest_in(self, store: Store) -> datetime | None:
        newest = await in_daemon_thread(store.newest)
        return datetime.fromtimestamp(newest, UTC) if newest else None

    async def _write(self) -> bool:
        """Write what has gathered; whether the disk has it. What it does not take is kept for later."""
        async with self._writing:
            return await self._write_now()

    async def _write_now(self) -> bool:
        assert self._store is not None
        assert self._intake is not None
        rows = [*self._rows, *self._intake.flush()]
        full = (each.finish(name) for name, each in self._writers.items() if len(each))
        blocks = [*self._blocks, *full]
        self._rows, self._blocks = deque(), deque()
        if not rows and not blocks:
            return True
        try:
            await in_daemon_thread(partial(self._store.write, rows, blocks))
        except DamagedRecentError as error:
            rows = []
            await self._set_aside(self._store.recent, error)
        except DamagedHistoryError as error:
            await self._set_aside(self._store.path, error)
        except MovedHistoryError as error:
            rows = events_among(rows)  # the others are of the other file
            await self._go_on_elsewhere(error)
        except RecentBusyError as error:
            rows = []
            self._tell(error)
            return True
        except HistoryError as error:
            self._tell(error)
        except Exception:  # an error of ours would come again with the same rows, for ever
            rows, blocks = [], []
            raise
        else:
            rows, blocks = [], []
            left_out = sum(writer.left_out for writer in self._writers.values())
            self._told.count(self._intake.passed_over, self._store.unfit, left_out)
        finally:
            self._rows = deque([*rows, *self._rows])
            self._blocks = deque([*blocks, *self._blocks])
            self._told.keep_newest(self._blocks, MOST_BLOCKS)
        return not rows and not blocks

    async def _open(self) -> None:
        """Open the file, or begin a new one where it is damaged. Raises SinkError."""
        path, recent = self._settings.file, self._settings.recent
        if path is None:
            raise NeedsAPersonError("no_place", "there is no place for the history: set `directory`")
        store = Store(path, recent, self._settings.recent_days * 86400)
        for _ in range(3):
            try:
                known = await in_daemon_thread(store.open)
                changes = await in_daemon_thread(partial(keep_house, self.name, self._settings, store))
                self._newest = await self._newest_in(store)
                break
            except DamagedRecentError as error:
                await self._set_aside(recent, error)
            except DamagedHistoryError as error:
                await self._set_aside(path, error)
            except NewerHistoryError as error:
                raise NeedsAPersonError(error.reason, error.detail) from error
            except HistoryError as error:
                raise SinkError(error.reason, error.detail) from error
        else:
            raise SinkError("history_damaged", f"{path} and what replaces it cannot be used")
        # One that was there goes on: its meters have not changed because a file has.
        if self._intake is None:
            self._intake = Intake(known)
        elif self._moved:
            self._intake, self._rows = self._intake.in_another_file(known), deque(events_among(self._rows))
        self._moved = False
        self._store = store
        self._rows.extend(changes)

    async def _set_aside(self, path: Path | None, error: DamagedHistoryError) -> None:
        """Move a damaged file away and begin a new one: readings go on, and a backup can be restored."""
        assert path is not None
        await make_room(self.name, path, error)
        if self._store is not None:
            await self._close()
            await self._open()

    async def _go_on_elsewhere(self, error: MovedHistoryError) -> None:
        """The file that is there now may know of other devices, or of none."""
        self._moved = True
        await self._close()
        await self._open()
        _log.warning("sink %s: %s; what is there now goes on", self.name, error.detail)

    async def _close(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            with suppress(HistoryError):  # of a file that is left
                await in_daemon_thread(store.close)

    def _tell(self, error: HistoryError) -> None:
        self._told.warn(error.reason, f"{error.detail}; what is not written waits in memory")
