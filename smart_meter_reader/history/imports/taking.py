"""One import from beginning to end: looked through, or written. Blocking."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

from smart_meter_reader.history.imports.formats.sniffing import ImportProgram
from smart_meter_reader.history.imports.found import Findings, ImportOptions
from smart_meter_reader.history.imports.planning import MeterPlan, plan_import
from smart_meter_reader.history.imports.reading import read_file, work_out_sums
from smart_meter_reader.history.imports.staging import Staging
from smart_meter_reader.history.imports.writing import write_rows
from smart_meter_reader.history.periods import LocalCalendar
from smart_meter_reader.history.places import backup_file
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.storage.backups import BackupStoppedError, back_up
from smart_meter_reader.history.storage.connecting import connect, explained_for, whole_or_nothing
from smart_meter_reader.history.storage.schema import ZONE
from smart_meter_reader.history.storage.store import Store, require_room

ImportProgress: TypeAlias = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import does or has done. ``backup``: the copy that was made before it."""

    plans: tuple[MeterPlan, ...]
    backup: Path | None = None


def house_of(path: Path, zone: str) -> LocalCalendar:
    """The house whose history is at ``path``; before there is one, that of the zone. Raises HistoryError."""
    if not path.exists():
        return LocalCalendar(ZoneInfo(zone))
    with closing(History(path)) as history:
        return history.house


class Import:
    """The readings of one file; close it. What is said of them goes to ``findings``."""

    def __init__(
        self, file: Path, program: ImportProgram, options: ImportOptions, findings: Findings
    ) -> None:
        self._file, self._program, self._options, self._findings = file, program, options, findings
        self._staging = Staging()

    def close(self) -> None:
        """Forget what was read."""
        self._staging.close()

    def look(self, path: Path, house: LocalCalendar, now: datetime, progress: ImportProgress) -> Taken:
        """What would be written. Raises OSError, HistoryError and RefusedFileError."""
        self._read(progress)
        if not path.exists():
            self._work_out(None)
            return Taken(tuple(self._plan(None, house, now)))
        with closing(connect(path, read_only=True)) as connection, explained_for(path):
            self._work_out(connection)
            return Taken(tuple(self._plan(connection, house, now)))

    def write(
        self, path: Path, house: LocalCalendar, now: datetime, progress: ImportProgress, *, backup: bool
    ) -> Taken:
        """Write all that is new, or nothing. Raises OSError, HistoryError and RefusedFileError."""
        self._read(progress)
        begun = not path.exists()
        if begun:
            # What is refused leaves no file behind.
            self._work_out(None)
            self._plan(None, house, now)
        store = Store(path)
        store.open()  # makes it, or brings it to this version
        if begun:
            store.keep_setting(ZONE, house.zone.key)
        store.close()
        with closing(connect(path)) as connection, explained_for(path):
            if not begun:
                self._work_out(connection)
            seen = _version(connection)
            plans = self._plan(connection, house, now)
            copy = None
            if backup and not begun and any(each.new for each in plans):
                copy = _backed_up(path, now)
            require_room(path)
            with whole_or_nothing(connection):
                if _version(connection) != seen:  # the service has written meanwhile
                    plans = self._plan(connection, house, now)
                write_rows(
                    connection,
                    self._staging,
                    plans,
                    int(now.timestamp()),
                    self._findings,
                    partial(progress, "writing"),
                )
            return Taken(tuple(plans), copy)

    def _read(self, progress: ImportProgress) -> None:
        try:
            told = partial(progress, "reading")
            read_file(self._file, self._program, self._options, self._staging, self._findings, told)
        except sqlite3.Error as error:
            raise self._findings.give_up(
                f"it cannot be looked through in the directory for temporary files ({error}): make room "
                "there, or name another one by SQLITE_TMPDIR"
            ) from error

    def _work_out(self, connection: sqlite3.Connection | None) -> None:
        work_out_sums(connection, self._options, self._staging, self._findings)

    def _plan(
        self, connection: sqlite3.Connection | None, house: LocalCalendar, now: datetime
    ) -> list[MeterPlan]:
        return plan_import(
            connection, self._staging, self._options, house, int(now.timestamp()), self._findings
        )


def _backed_up(path: Path, now: datetime) -> Path:
    """Where the copy is. Raises HistoryError, and KeyboardInterrupt, which the copying tells otherwise."""
    copy = backup_file(path, now.astimezone())
    try:
        back_up(path, copy)
    except BackupStoppedError:
        raise KeyboardInterrupt from None
    return copy


def _version(connection: sqlite3.Connection) -> int:
    """A number that is another one when somebody else has written."""
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version
