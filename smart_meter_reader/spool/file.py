"""The file of a spool: SQLite, each call one transaction. Blocking; for one thread after the other."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

from smart_meter_reader.history.errors import DamagedHistoryError, MovedHistoryError
from smart_meter_reader.history.places import identity
from smart_meter_reader.history.storage.connecting import connect, explained_for, whole_or_nothing
from smart_meter_reader.history.storage.schema import Format, migrate
from smart_meter_reader.spool.entries import EPOCH, Spooled, SpoolEntry, microseconds_of
from smart_meter_reader.spool.lock import SpoolLock

_Result = TypeVar("_Result")

_TABLES = """
CREATE TABLE entry (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    added INTEGER NOT NULL, -- milliseconds since 1970
    time INTEGER NOT NULL, -- microseconds since 1970
    kind TEXT NOT NULL,
    body BLOB NOT NULL
);
-- Sequences below it may have been used.
CREATE TABLE reserved (sequence INTEGER NOT NULL);
INSERT INTO reserved VALUES (0);
"""
SPOOL = Format("spool", 0x534D5253, (_TABLES,))  # "SMRS"

_SIZE = "(length(body) + length(CAST(id AS BLOB)) + length(CAST(kind AS BLOB)) + 100)"
# SQLite takes 32,766 variables in one statement.
_AT_ONCE = 10_000
# After an outage the disk is given back what the backlog took, of more than 4 MiB.
_KEPT_PAGES = 1000


class OnDisk(NamedTuple):
    """What a file holds; of nothing all is 0."""

    entries: int
    bytes: int
    first: int  # sequence of the oldest
    oldest: int  # when that was added, in ms since 1970
    newest: int  # the highest sequence


NOTHING_ON_DISK = OnDisk(0, 0, 0, 0, 0)


class Written(NamedTuple):
    """An entry as the file takes it; ``added`` in ms since 1970."""

    sequence: int
    added: int
    entry: SpoolEntry


class SpoolFile:
    """One file. All methods block and raise HistoryError: DamagedHistoryError where it is of no more use.

    MovedHistoryError: it was deleted, or another one was put in its place. It is closed then.
    SpoolTakenError: another process has it, from ``open`` to ``close``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held = SpoolLock(path)
        # Work that nobody waits for any more may still be under way.
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._known = NOTHING_ON_DISK

    def open(self) -> OnDisk:
        """Open or begin the file, and say what it holds."""
        with self._lock:
            self._shut()
            with explained_for(self.path):
                self._held.take()
            connection = connect(self.path, SPOOL)
            try:
                with explained_for(self.path):
                    migrate(connection, SPOOL)
                    self._known = _look(connection)
            except BaseException:  # whatever it is, the file is not left open
                connection.close()
                raise
            self._connection, self._file = connection, identity(self.path)
            return self._known

    def close(self) -> None:
        """Close the file; nothing is held back."""
        with self._lock:
            self._shut()
            self._held.release()

    def _shut(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with explained_for(self.path):
                connection.close()

    def reserve(self, least: int, count: int) -> int:
        """The first of ``count`` sequences that no earlier call gave, ``least`` or more."""

        def take(connection: sqlite3.Connection) -> int:
            used: int = connection.execute("SELECT max(sequence) FROM reserved").fetchone()[0]
            first = max(used, least, self._known.newest + 1)
            connection.execute("UPDATE reserved SET sequence = ?", (first + count,))
            return first

        return self._transact(take)

    def write(self, entries: Iterable[Written], finished: Collection[int]) -> OnDisk:
        """Delete what is finished and add what is new, all or nothing. One that is there stays as it is."""

        def write(connection: sqlite3.Connection) -> OnDisk:
            gone, freed = _delete(connection, finished)
            count, size, newest = self._known.entries - gone, self._known.bytes - freed, self._known.newest
            for sequence, added, entry in entries:
                row = (entry.id, added, microseconds_of(entry.time), entry.kind, entry.body)
                if _insert(connection, sequence, row):
                    count, size, newest = count + 1, size + entry.size, max(newest, sequence)
            return OnDisk(count, size, *_oldest(connection), newest)

        return self._settle(self._transact(write))

    def read(self, after: int, most: int, most_bytes: int) -> list[Spooled]:
        """The next entries behind a sequence, in their order; so many bytes at most, but one at least."""

        def read(connection: sqlite3.Connection) -> list[Spooled]:
            found: list[Spooled] = []
            for sequence, key, time, kind, body in connection.execute(
                "SELECT sequence, id, time, kind, body FROM entry WHERE sequence > ? "
                "ORDER BY sequence LIMIT ?",
                (after, most),
            ):
                nonlocal most_bytes
                most_bytes -= len(body)
                if found and most_bytes < 0:
                    break
                moment = EPOCH + timedelta(microseconds=time)
                found.append(Spooled(sequence, SpoolEntry(key, moment, body, kind)))
            return found

        return self._do(read)

    def drop_oldest(self, size: int) -> tuple[OnDisk, list[tuple[int, str]]]:
        """Drop the oldest until ``size`` bytes or more are gone; sequence and id of each that is."""
        dropped: list[tuple[int, str]] = []

        def drop(connection: sqlite3.Connection) -> OnDisk:
            left = size
            for sequence, key, each in connection.execute(
                f"SELECT sequence, id, {_SIZE} FROM entry ORDER BY sequence"  # noqa: S608 - a constant
            ):
                if left <= 0:
                    break
                left -= each
                dropped.append((sequence, key))
            gone, freed = _delete(connection, [sequence for sequence, _ in dropped])
            known = self._known
            return OnDisk(known.entries - gone, known.bytes - freed, *_oldest(connection), known.newest)

        return self._settle(self._transact(drop)), dropped

    def _settle(self, known: OnDisk) -> OnDisk:
        self._known = known
        return known

    def _transact(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        def whole(connection: sqlite3.Connection) -> _Result:
            with whole_or_nothing(connection):
                result = work(connection)
            _give_back(connection)
            return result

        return self._do(whole)

    def _do(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        with self._lock:
            if self._connection is None:
                self.open()
            elif identity(self.path) != self._file:
                self._shut()
                raise MovedHistoryError(
                    "spool_moved", f"{self.path} was deleted or replaced while it was in use"
                )
            assert self._connection is not None
            try:
                with explained_for(self.path):
                    return work(self._connection)
            except DamagedHistoryError:
                self._shut()
                raise


def _give_back(connection: sqlite3.Connection) -> None:
    pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
    if pages > _KEPT_PAGES and not connection.execute("SELECT 1 FROM entry LIMIT 1").fetchone():
        connection.execute("VACUUM")  # of nothing: at once


def _look(connection: sqlite3.Connection) -> OnDisk:
    count, size, newest = connection.execute(
        f"SELECT count(*), coalesce(sum({_SIZE}), 0), coalesce(max(sequence), 0) FROM entry"  # noqa: S608
    ).fetchone()
    return OnDisk(count, size, *_oldest(connection), newest)


def _oldest(connection: sqlite3.Connection) -> tuple[int, int]:
    found = connection.execute("SELECT sequence, added FROM entry ORDER BY sequence LIMIT 1").fetchone()
    return found or (0, 0)


def _insert(connection: sqlite3.Connection, sequence: int, row: Sequence[object]) -> bool:
    """Whether the entry was not there."""
    insert = "INSERT OR IGNORE INTO entry VALUES (?, ?, ?, ?, ?, ?)"
    if connection.execute(insert, (sequence, *row)).rowcount:
        return True
    # A sequence can be that of another one where the file could not be opened at the start, and the clock is
    # behind: SQLite chooses a number then, the next one.
    there = connection.execute("SELECT 1 FROM entry WHERE id = ?", row[:1]).fetchone()
    return not there and bool(connection.execute(insert, (None, *row)).rowcount)


def _delete(connection: sqlite3.Connection, sequences: Collection[int]) -> tuple[int, int]:
    """How many were there, and their bytes."""
    gone = freed = 0
    for some in _pieces(sequences):
        # Not RETURNING: it would keep all of them in memory.
        marks = _marks(some)
        found = connection.execute(
            f"SELECT count(*), coalesce(sum({_SIZE}), 0) FROM entry WHERE sequence IN ({marks})",  # noqa: S608
            some,
        ).fetchone()
        gone, freed = gone + found[0], freed + found[1]
        connection.execute(f"DELETE FROM entry WHERE sequence IN ({marks})", some)  # noqa: S608
    return gone, freed


def _pieces(keys: Collection[int]) -> Iterable[Sequence[int]]:
    left = iter(keys)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _marks(keys: Sequence[object]) -> str:
    return ",".join("?" * len(keys))
