"""The part of a spool that is on the disk, for the loop: works in threads, and knows what trouble costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.history.errors import DamagedHistoryError, HistoryError, MovedHistoryError
from smart_meter_reader.network.off_loop import in_daemon_thread
from smart_meter_reader.spool.entries import Spooled
from smart_meter_reader.spool.file import NOTHING_ON_DISK, SpoolFile, Written
from smart_meter_reader.spool.lock import SpoolTakenError
from smart_meter_reader.spool.telling import SpoolTold

_Result = TypeVar("_Result")

# How long a disk that takes nothing is left alone.
_RETRY_SECONDS = 30.0
_PAGE = 1000  # entries read at once


class EntriesOnDisk:
    """One call after the other. Trouble with the disk is told, and raises nothing: None stands for it.

    But where another process has the file, SpoolTakenError: what is there is that one's to deliver.

    ``known`` is what is there, ``finished`` what of that is done and still to be deleted. ``lost`` is called
    with the number of entries that went with their file.
    """

    def __init__(self, path: Path, told: SpoolTold, lost: Callable[[int, str], None]) -> None:
        self.known = NOTHING_ON_DISK
        self.finished: set[int] = set()
        self._file = SpoolFile(path)
        self._told = told
        self._lost = lost
        self._lock = asyncio.Lock()
        self._passed = 0  # what is there up to here is sent or done
        self._retry_at = float("-inf")

    def __len__(self) -> int:
        return max(0, self.known.entries - len(self.finished))

    async def open(self) -> None:
        """Find what is there. Raises SpoolTakenError."""
        found = await self._call(self._file.open)
        if found is not None:
            self.known = found

    async def close(self) -> None:
        """Close the file."""
        async with self._lock:
            with suppress(HistoryError, SinkError):  # of a file that is left, or no thread for it
                await in_daemon_thread(self._file.close)

    async def reserve(self, least: int, count: int) -> int | None:
        """The first of so many sequences that were never used."""
        return await self._call(partial(self._file.reserve, least, count))

    async def write(self, due: Callable[[], Sequence[Written]], *, at_once: bool) -> Sequence[Written] | None:
        """Write what is due when the turn has come, and delete what is finished; what was written.

        A disk that took nothing a moment ago is not asked, but ``at_once``.
        """
        if not at_once and time.monotonic() < self._retry_at:
            return None
        async with self._lock:
            entries, finished = due(), frozenset(self.finished)
            if not entries and not finished:
                return ()
            found = await self._do(partial(self._file.write, entries, finished))
            if found is None:
                return None
            self.finished -= finished
            self.known = found
            return entries

    async def drop_oldest(self, size: int) -> Sequence[tuple[int, str]]:
        """Drop the oldest, so many bytes; sequence and id of each."""
        found = await self._call(partial(self._file.drop_oldest, size))
        if found is None:
            return ()
        self.known, dropped = found
        self.finished.difference_update(sequence for sequence, _ in dropped)
        return dropped

    async def oldest(self, most: int, after: int, most_bytes: int, sent: Container[int]) -> list[Spooled]:
        """The oldest that are neither sent nor done."""
        chosen: list[Spooled] = []
        left = most_bytes
        async with self._lock:
            from_start, position = after <= self._passed, max(after, self._passed)
            while self.known.entries and len(chosen) < most:
                page = await self._do(partial(self._file.read, position, _PAGE, most_bytes))
                for each in page or ():
                    position = each.sequence
                    if position in sent or position in self.finished:
                        continue
                    left -= len(each.entry.body)
                    if len(chosen) == most or (chosen and left < 0):
                        return chosen
                    chosen.append(each)
                if not page:
                    break
                if from_start and not chosen:
                    self._passed = position
        return chosen

    def wait_again(self, sequence: int) -> None:
        """This one is not sent any more."""
        self._passed = min(self._passed, sequence - 1)

    def finish(self, sequence: int) -> None:
        """It is done, if it is here: another one is not in ``known``."""
        if self.known.first <= sequence <= self.known.newest:
            self.finished.add(sequence)

    async def _call(self, work: Callable[[], _Result]) -> _Result | None:
        async with self._lock:
            return await self._do(work)

    async def _do(self, work: Callable[[], _Result]) -> _Result | None:
        try:
            result = await in_daemon_thread(work)
        except (DamagedHistoryError, MovedHistoryError) as error:
            gone, self.known = len(self), NOTHING_ON_DISK
            self.finished.clear()
            self._passed = 0
            self._lost(gone, error.detail)
            if isinstance(error, DamagedHistoryError):
                await self._move_aside(error.detail)
        except SpoolTakenError:
            raise
        except (HistoryError, SinkError) as error:
            self._told.disk(error.reason, f"{error.detail}; what is not delivered waits in memory")
        else:
            self._told.disk_is_well(self._file.path)
            self._retry_at = float("-inf")
            return result
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        return None

    async def _move_aside(self, sentence: str) -> None:
        try:
            await in_daemon_thread(partial(self._told.move_aside, self._file.path, sentence))
        except SinkError as error:  # no thread for it: it is found damaged again
            self._told.disk(error.reason, error.detail)
