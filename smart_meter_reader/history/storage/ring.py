"""Writes the ring of recent readings, which can be done without: its trouble is none of the history's."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from smart_meter_reader.history.errors import (
    DamagedHistoryError,
    DamagedRecentError,
    HistoryBusyError,
    HistoryError,
    NewerHistoryError,
    RecentBusyError,
)
from smart_meter_reader.history.places import identity
from smart_meter_reader.history.storage.connecting import (
    connect,
    explained_for,
    history_error,
    whole_or_nothing,
)
from smart_meter_reader.history.storage.raw import Block
from smart_meter_reader.history.storage.schema import RECENT, migrate


class RecentRing:
    """The writing side of one ring. Opened when it is written to, and anew when its file has gone.

    Methods block, and raise DamagedRecentError or RecentBusyError.
    """

    def __init__(self, path: Path, keep_seconds: int) -> None:
        self.path = path
        self._keep_seconds = keep_seconds
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def open(self) -> None:
        """Open or begin the file, and bring it to this version."""
        try:
            with explained_for(self.path):
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = _opened(self.path)
            self._file = identity(self.path)
        except HistoryError as error:
            raise _of_the_ring(error) from error

    def close(self) -> None:
        """Close the file; what cannot be written then is given up."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with suppress(sqlite3.Error):
                connection.close()

    def write(self, blocks: Sequence[Block]) -> None:
        """Write all blocks or none, and forget what is older than is wanted."""
        if self._connection is not None and identity(self.path) != self._file:
            self.close()  # somebody has deleted it, as anybody may
        if self._connection is None:
            self.open()
        assert self._connection is not None
        try:
            self._write(self._connection, blocks)
        except sqlite3.Error as error:
            raise _of_the_ring(history_error(self.path, error)) from error

    def _write(self, connection: sqlite3.Connection, blocks: Sequence[Block]) -> None:
        with whole_or_nothing(connection):
            # First, so that what they leave can be used by the new ones where there is no more room.
            newest = max(block.until for block in blocks)
            connection.execute("DELETE FROM raw WHERE until < ?", (newest - self._keep_seconds,))
            connection.executemany(
                "INSERT INTO raw (meter, since, until, coded) VALUES (?, ?, ?, ?)",
                [(block.meter, block.since, block.until, block.coded) for block in blocks],
            )


def _opened(path: Path) -> sqlite3.Connection:
    connection = connect(path, RECENT)
    try:
        with explained_for(path):
            migrate(connection, RECENT)
            # The last of them may be lost.
            connection.execute("PRAGMA synchronous = NORMAL")
            # Blocks are written one behind the other: no page is looked at twice.
            connection.execute("PRAGMA cache_size = -64")
    except BaseException:  # whatever it is, the file is not left open
        connection.close()
        raise
    return connection


def _of_the_ring(error: HistoryError) -> HistoryBusyError | DamagedRecentError:
    if isinstance(error, DamagedHistoryError | NewerHistoryError):
        return DamagedRecentError(error.reason, error.detail)
    return RecentBusyError(error.reason, error.detail)
