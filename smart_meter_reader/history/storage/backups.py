"""Copies of a history for a bad day: made while the service writes, and put back. Blocking."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from smart_meter_reader.files import whole_file
from smart_meter_reader.history.errors import DamagedHistoryError, HistoryBusyError, NoHistoryError
from smart_meter_reader.history.places import backups, move_aside
from smart_meter_reader.history.storage.checking import problems
from smart_meter_reader.history.storage.connecting import connect, explained_for

# Hears how much of the work is done, from 0 to 1; true: stop, and leave nothing behind.
CopyProgress: TypeAlias = Callable[[float], bool]

# The copy, what SQLite needs to make it, and as much again that stays free.
ROOM = 3
# So many steps of SQLite's machine lie between two reports: some hundredths of a second.
_STEPS = 200_000
_CHUNK = 1024 * 1024
# What a power cut has left of a backup; a younger one may be under way.
_LEFT_OVER = timedelta(days=1)


class BackupStoppedError(Exception):
    """``CopyProgress`` has said to stop."""


def back_up(path: Path, target: Path, progress: CopyProgress = lambda _: False) -> None:
    """Write a copy of the history at ``path`` as of now; ``target`` is there whole, or not at all.

    Whoever writes the history goes on meanwhile. Raises HistoryError, also for a copy that turns out to be
    damaged, BackupStoppedError, and OSError for a place where nothing can be written.
    """
    if not path.exists():
        raise NoHistoryError("no_history", f"there is no history in {path} yet")
    _require_room(target.parent, path)
    with _beside(target) as part:
        connection = connect(path, read_only=True)
        try:
            _vacuum(connection, path, part, progress)
        finally:
            connection.close()
        found = problems(part)
        if found:
            raise DamagedHistoryError("history_damaged", f"the backup of {path} is not sound: {found[0]}")
        _sync(part)
        part.replace(target)
        _sync(target.parent)


def prune(path: Path, keep: int) -> list[Path]:
    """Delete all backups beside a history but the newest ``keep``, and what was left of others; which."""
    gone = backups(path)[:-keep] if keep > 0 else []
    for each in gone:
        each.unlink(missing_ok=True)
    oldest = datetime.now().timestamp() - _LEFT_OVER.total_seconds()  # noqa: DTZ005 - as the file system has it
    for part in path.parent.glob(f".{path.stem}.backup-*.part*"):
        with suppress(FileNotFoundError):
            if part.stat().st_mtime < oldest:
                part.unlink()
    return gone


def restore(backup: Path, path: Path, now: datetime, progress: CopyProgress = lambda _: False) -> Path | None:
    """Put a copy of ``backup`` in the place of the history; where the one before is now, None for none.

    ``backup`` is checked before, and stays. Raises HistoryError when it is no sound history, or when the one
    that is there is in use; BackupStoppedError, and OSError. Nothing has been changed then.
    """
    _require_sound(backup)
    _require_unused(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_room(path.parent, backup)
    with whole_file(path.with_name(f"{path.name}.restored")) as file, backup.open("rb") as source:
        size, copied = max(backup.stat().st_size, 1), 0
        while chunk := source.read(_CHUNK):
            file.write(chunk)
            copied += len(chunk)
            if progress(copied / size):
                raise BackupStoppedError
    copy = path.with_name(f"{path.name}.restored")
    # Root restores it for the service, which has to be able to write it.
    owner = path if path.exists() else path.parent
    if os.geteuid() == 0:
        os.chown(copy, owner.stat().st_uid, owner.stat().st_gid)
    aside = _set_aside(path, now) if path.exists() else None
    if aside is None:
        move_aside(path, "before-restore", now)  # a log without its file would be taken for the new one's
    copy.replace(path)
    _sync(path.parent)
    return aside


def _vacuum(connection: sqlite3.Connection, path: Path, part: Path, progress: CopyProgress) -> None:
    size = max(path.stat().st_size, 1)

    def report() -> bool:
        try:
            return progress(min(part.stat().st_size / size, 1.0))
        except KeyboardInterrupt:
            return True  # from in here nothing can be raised: SQLite ends, and it is raised below

    connection.set_progress_handler(report, _STEPS)
    try:
        connection.execute("VACUUM INTO ?", (str(part),))
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise BackupStoppedError from error
        with explained_for(part):
            raise
    except sqlite3.Error:
        with explained_for(path):
            raise


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """An empty file beside ``target``, for the owner alone, that is gone at the end unless it was moved."""
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        yield part
    finally:
        for ending in ("", "-journal", "-wal", "-shm"):
            part.with_name(part.name + ending).unlink(missing_ok=True)


def _require_room(directory: Path, source: Path) -> None:
    needed = ROOM * source.stat().st_size
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise HistoryBusyError(
            "history_disk_full",
            f"a copy of {source} wants {max(needed >> 20, 1)} MB free in {directory}, there are "
            f"{free >> 20}: make room, or choose another directory",
        )


def _require_sound(backup: Path) -> None:
    try:
        found = problems(backup)
    except DamagedHistoryError as error:
        found = [error.detail]
    if found:
        raise DamagedHistoryError(
            "history_damaged", f"{backup} is no sound backup, and nothing was changed: {found[0]}"
        )
    from smart_meter_reader.history.questions.record import (
        History,  # a service makes backups, and restores none
    )

    with History(backup):
        pass  # raises for one of another version


def _set_aside(path: Path, now: datetime) -> Path:
    """Give the history another name, and leave it where it is if that can be: a power cut costs nothing."""
    aside = path.with_name(f"{path.name}.before-restore-{now:%Y%m%d-%H%M%S}")
    if not path.with_name(f"{path.name}-wal").exists():
        with suppress(OSError):  # a file system without links
            aside.hardlink_to(path)
            return aside
    return move_aside(path, "before-restore", now)


def _require_unused(path: Path) -> None:
    """Raise HistoryBusyError when anybody has the history open; its log is then in the file."""
    if not path.exists():
        return
    try:
        connection = connect(path)
    except DamagedHistoryError:
        return  # which is why it is restored
    try:
        connection.execute("PRAGMA busy_timeout = 500")
        # Only whoever is alone with a file can take its log from it.
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        raise HistoryBusyError(
            "history_in_use",
            f"{path} is in use, and nothing was changed: stop the service, and whatever shows the history",
        ) from error
    except sqlite3.DatabaseError:
        return
    finally:
        connection.close()


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
