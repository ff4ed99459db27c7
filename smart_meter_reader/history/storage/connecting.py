"""Opens the files of a history: with what SQLite has to be told, and with our sentences for its errors."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from smart_meter_reader.history.errors import (
    DamagedHistoryError,
    HistoryBusyError,
    HistoryError,
    NewerHistoryError,
    NoHistoryError,
)
from smart_meter_reader.history.storage.schema import HISTORY, Format, is_of_kind, version_of

# How long one who writes waits for another: an import of ten years takes less.
BUSY_SECONDS = 10.0
# Pages kept in memory: a page of the history asks for a few hundred of them.
_CACHE_KIB = 1024
# What of the write-ahead log stays on the disk after a large import.
_LOG_BYTES = 4 * 1024 * 1024


@contextmanager
def explained_for(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the file system into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise history_error(path, error) from error
    except OSError as error:
        raise HistoryBusyError("history_busy", f"{path}: {error.strerror}") from error


@contextmanager
def whole_or_nothing(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that writes: kept at the end, and nothing of it is kept where anything is raised."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:  # whatever it is
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def history_error(path: Path, error: sqlite3.Error) -> HistoryError:
    """What an error of SQLite means for a person, and what to do."""
    try:
        primary = error.sqlite_errorcode & 0xFF
    except AttributeError:  # those of the module itself have none
        primary = sqlite3.SQLITE_ERROR
    match primary:
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return DamagedHistoryError("history_damaged", f"{path} is damaged ({error})")
        case sqlite3.SQLITE_FULL:
            return HistoryBusyError("history_disk_full", f"the disk of {path} is full: make room on it")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return HistoryBusyError(
                "history_read_only",
                f"{path} may not be written: let this user write the file and its directory",
            )
        case sqlite3.SQLITE_CANTOPEN:
            return HistoryBusyError(
                "history_not_opened", f"{path} cannot be opened: its directory must be there and writable"
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return HistoryBusyError("history_busy", f"another program is writing to {path}; later it will do")
        case _:
            return HistoryBusyError("history_unusable", f"{path}: {error}")


def connect(path: Path, kind: Format = HISTORY, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a file in autocommit mode; whoever writes says BEGIN. Raises HistoryError."""
    with explained_for(path):
        if read_only and not path.exists():
            raise NoHistoryError("no_history", f"there is no history in {path} yet")
        _require_file(path)
        if not read_only:
            # When people are at home is nobody else's business; what lies beside the file gets its rights.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            _let_group_read(path)
        connection = _opened(path, "mode=ro" if read_only else "mode=rwc")
        if read_only and lies_still(path):
            connection.close()
            connection = _opened(path, "mode=ro&immutable=1")
        try:
            _require_ours(path, connection, kind)
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            if not read_only:
                _prepare(connection)
        except BaseException:  # whatever it is, the file is not left open
            connection.close()
            raise
    return connection


def lies_still(path: Path) -> bool:
    """Whether a file in somebody else's directory is open to nobody: its log has gone with the last one.

    SQLite would want to make that anew to read, where we may make nothing.
    """
    return not path.with_name(f"{path.name}-wal").exists() and not os.access(path.parent, os.W_OK)


def _opened(path: Path, way: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{way}",
        uri=True,
        isolation_level=None,
        timeout=BUSY_SECONDS,
        check_same_thread=False,
        cached_statements=64,
    )


def _let_group_read(path: Path) -> None:
    """In a directory that its group may enter and nobody else, as a service's, the group may read the file.

    The group is that of all our services: the page of several environments is in it.
    """
    if stat.S_IMODE(path.parent.stat().st_mode) & 0o077 != 0o050:
        return
    for ending in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError, PermissionError):  # somebody else's it is when root looks
            path.with_name(path.name + ending).chmod(0o640)


def _require_file(path: Path) -> None:
    """SQLite would wait for ever for what comes out of a named pipe."""
    if path.exists() and not path.is_file():
        raise HistoryBusyError("history_no_file", f"{path} is no file: move away what is in its place")


def _prepare(connection: sqlite3.Connection) -> None:
    # A commit is on the disk when it returns: there are about a hundred of them in a day.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")


def _require_ours(path: Path, connection: sqlite3.Connection, kind: Format) -> None:
    version = version_of(connection)
    if not is_of_kind(connection, kind):
        raise DamagedHistoryError("history_foreign", f"{path} is no {kind.name}, but another database")
    if version > kind.version:
        raise NewerHistoryError(
            "history_newer",
            f"{path} was written by a newer version of this program (format {version}, here {kind.version}): "
            "install that version again, or move the file away to begin anew",
        )
