"""Writes rows into the history file, all that has gathered in one transaction. Blocking; for one thread."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from smart_meter_reader.history.errors import (
    HistoryBusyError,
    MovedHistoryError,
    NoHistoryError,
    RecentBusyError,
)
from smart_meter_reader.history.intake.intake import StoredCounter, StoredMeter
from smart_meter_reader.history.places import identity
from smart_meter_reader.history.reports import reported_by
from smart_meter_reader.history.rows import CLEARED, RAISED, Row, RowOrigin
from smart_meter_reader.history.storage.connecting import connect, explained_for, whole_or_nothing
from smart_meter_reader.history.storage.raw import Block
from smart_meter_reader.history.storage.ring import RecentRing
from smart_meter_reader.history.storage.row_writer import RowWriter
from smart_meter_reader.history.storage.schema import HISTORY, migrate, version_of

_Result = TypeVar("_Result")

# Room that is left to others: the system, the other services, and the person who comes to tidy up.
LEAST_FREE = 200 * 1024 * 1024
# The newest row of a series whose origin is one of the first so many, and that nobody has noted as wrong.
_NEWEST = """
SELECT time, value FROM counter WHERE series = ? AND origin <= ? AND NOT EXISTS (
    SELECT 1 FROM note WHERE note.meter = ? AND kind = 'wrong' AND quantity = '' AND taken_back IS NULL
    AND counter.time BETWEEN since AND until
) ORDER BY time DESC LIMIT 1
"""
_REPORTED = "SELECT kind, text FROM event WHERE meter = ? AND kind IN (?, ?) ORDER BY time, id"


def require_room(path: Path) -> None:
    """Raise HistoryBusyError unless there is room for others beside a history that is to be written."""
    with explained_for(path):
        free = shutil.disk_usage(path.parent).free
    if free < LEAST_FREE:
        raise HistoryBusyError(
            "history_disk_full", f"less than {LEAST_FREE >> 20} MB are free beside {path}: make room there"
        )


class Store:
    """The writing side of one history file. All methods block and raise HistoryError."""

    def __init__(self, path: Path, recent: Path | None = None, keep_seconds: int = 0) -> None:
        """``recent``: the ring of raw readings, kept for so many seconds; None: there is none."""
        self.path = path
        self.recent = recent
        self._ring = RecentRing(recent, keep_seconds) if recent else None
        # Work that nobody waits for any more may still be under way.
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._wanted = False
        self._file: tuple[int, int] | None = None
        self._beside: list[tuple[int, int] | None] = []
        # Rows that were there already, and values that do not fit.
        self.duplicates = 0
        self.unfit = 0

    def open(self) -> Mapping[str, StoredMeter]:
        """Open or begin the file, bring it to this version, and say what is known of each meter.

        A ring that cannot be opened now can be later; one that is damaged raises DamagedRecentError.
        """
        with self._lock:
            self.close()
            self._wanted = True
            with explained_for(self.path):
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            connection = connect(self.path)
            try:
                with explained_for(self.path):
                    self._migrate(connection)
                    known = _known(connection)
                if self._ring is not None:
                    with suppress(RecentBusyError):
                        self._ring.open()
            except BaseException:  # whatever it is, the file is not left open
                connection.close()
                raise
            self._connection = connection
            self._file, self._beside = identity(self.path), _beside(self.path)
            return known

    def close(self) -> None:
        """Close the file; nothing is held back."""
        with self._lock:
            self._wanted = False
            if self._ring is not None:
                self._ring.close()
            if self._connection is not None:
                connection, self._connection = self._connection, None
                with explained_for(self.path):
                    connection.close()

    def write(self, rows: Iterable[Row], blocks: Sequence[Block] = ()) -> None:
        """Write all rows or none, then the blocks. A row that is there already stays, and is counted.

        DamagedRecentError and RecentBusyError are of the blocks alone: the rows are written.
        MovedHistoryError: the file has gone, or is another one.
        """
        with self._lock:
            self._require_same_file()
            self._write_all(self._opened(), rows)
            if self._ring is not None and blocks:
                self._ring.write(blocks)

    def _require_same_file(self) -> None:
        """What is written into a file that has no name any more would be lost at the end, without a word."""
        if self._connection is None:
            if self._wanted:  # it could not be opened again the last time
                self.open()
            return
        if identity(self.path) != self._file:
            self._leave()
            raise MovedHistoryError(
                "history_moved",
                f"{self.path} was deleted, or another file was put in its place, while it was in use",
            )
        if _beside(self.path) != self._beside:
            self.open()  # closing it brings into the file what the deleted log had

    def _leave(self) -> None:
        """Give the log to its own file, wherever that is: SQLite would take it for that of another."""
        connection, beside = self._opened(), self._beside
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.close()
        for path, number in zip(_paths_beside(self.path), beside, strict=True):
            if number is not None and identity(path) == number:
                with suppress(OSError):
                    path.unlink()

    def transact(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Do something in a transaction of its own: all of it or nothing. Raises as ``write`` does."""
        with self._lock:
            self._require_same_file()
            return self._transact(self._opened(), work)

    def _transact(
        self, connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], _Result]
    ) -> _Result:
        require_room(self.path)
        with explained_for(self.path), whole_or_nothing(connection):
            return work(connection)

    def _write_all(self, connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
        writer = RowWriter(connection)

        def write(_: sqlite3.Connection) -> None:
            for row in rows:
                writer.write(row)

        self._transact(connection, write)
        self.duplicates += writer.duplicates
        self.unfit += writer.unfit

    def setting(self, key: str) -> str:
        """What the file keeps under this name; "" for nothing."""
        with self._lock, explained_for(self.path):
            found = self._opened().execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
        return found[0] if found else ""

    def keep_setting(self, key: str, value: str) -> None:
        """Keep a setting in the file, so that its numbers mean the same wherever it is carried."""
        with self._lock, explained_for(self.path):
            self._opened().execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (key, value))

    def note(self, meter: str, quantity: str, kind: str, since: int, until: int, text: str) -> int:
        """Keep what a person knows better; its number. ``kind`` is replaced or wrong. Deletes nothing.

        Raises NoHistoryError when there is no such meter.
        """
        with self._lock, explained_for(self.path):
            found = self._opened().execute("SELECT id FROM meter WHERE name = ?", (meter,)).fetchone()
            if found is None:
                raise NoHistoryError("no_such_meter", f"{self.path} knows no meter {meter!r}")
            number: int = (
                self._opened()
                .execute(
                    "INSERT INTO note (made, meter, quantity, kind, since, until, text) "
                    "VALUES (unixepoch(), ?, ?, ?, ?, ?, ?) RETURNING id",
                    (found[0], quantity, kind, since, until, text),
                )
                .fetchone()[0]
            )
            return number

    def take_back(self, number: int) -> None:
        """Let a note count no more. Raises NoHistoryError when there is no such note."""
        with self._lock, explained_for(self.path):
            done = self._opened().execute("UPDATE note SET taken_back = unixepoch() WHERE id = ?", (number,))
            if not done.rowcount:
                raise NoHistoryError("no_such_note", f"{self.path} has no note {number}")

    def newest(self) -> int:
        """The time of the newest measured counter that nobody noted as wrong; 0 for none."""
        with self._lock, explained_for(self.path):
            connection = self._opened()
            numbers = connection.execute(
                "SELECT series.id, meter FROM series JOIN segment ON segment.id = segment "
                "WHERE kind = 'counter'"
            ).fetchall()
            times = (_newest(connection, number, meter) for number, meter in numbers)
            return max((time for time in times if time is not None), default=0)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise HistoryBusyError("history_closed", f"{self.path} is closed")
        return self._connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        version = version_of(connection)
        if 0 < version < HISTORY.version:
            beside = self.path.with_name(f"{self.path.name}.version-{version}")
            connection.execute("VACUUM INTO ?", (str(beside),))
        migrate(connection, HISTORY)


def _beside(path: Path) -> list[tuple[int, int] | None]:
    """Which files are the log and its index, that SQLite takes to be where it has left them."""
    return [identity(each) for each in _paths_beside(path)]


def _paths_beside(path: Path) -> list[Path]:
    return [path.with_name(path.name + ending) for ending in ("-wal", "-shm")]


def _newest(connection: sqlite3.Connection, series: int, meter: int) -> int | None:
    found = connection.execute(_NEWEST, (series, RowOrigin.MEASURED, meter)).fetchone()
    return found[0] if found else None


def _known(connection: sqlite3.Connection) -> Mapping[str, StoredMeter]:
    """The newest row of every counter of the device that is there now, by meter and quantity."""
    known: dict[str, StoredMeter] = {}
    for name, meter, segment, serial in connection.execute(
        "SELECT name, meter, id, serial_number FROM (SELECT name, meter, segment.id, serial_number, "
        "row_number() OVER (PARTITION BY meter ORDER BY since DESC, segment.id DESC) AS nth FROM meter "
        "JOIN segment ON segment.meter = meter.id) WHERE nth = 1"
    ).fetchall():
        counters: dict[str, StoredCounter] = {}
        for number, quantity, unit, decimals in connection.execute(
            "SELECT id, quantity, unit, decimals FROM series WHERE segment = ? AND kind = 'counter'",
            (segment,),
        ).fetchall():
            last = connection.execute(_NEWEST, (number, max(RowOrigin), meter)).fetchone()
            if last and (quantity not in counters or counters[quantity].time < last[0]):
                counters[quantity] = StoredCounter(unit, last[0], Decimal(last[1]).scaleb(-decimals))
        happened = connection.execute(_REPORTED, (meter, RAISED, CLEARED)).fetchall()
        known[name] = StoredMeter(serial, counters, reported_by(happened))
    return known
