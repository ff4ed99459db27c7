"""A backup of the history every month or so: a damaged file then costs some weeks, and not all.

Made by the sink in its thread, with a file beside the history as `history backup` writes it. That nobody has
to think of it is the point; a copy elsewhere than on this disk is a person's to make.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from smart_meter_reader.history.errors import HistoryError
from smart_meter_reader.history.places import backup_file, backups
from smart_meter_reader.history.storage.backups import BackupStoppedError, back_up, prune
from smart_meter_reader.history.storage.connecting import connect, explained_for

_log = logging.getLogger(__name__)

KEPT = 2
# After one that failed, for want of room perhaps.
_RETRY_SECONDS = 86400.0


class RegularBackups:
    """The backups of one history. Blocking; one call at a time."""

    def __init__(self, sink: str, path: Path | None, every: timedelta, stops: Callable[[], bool]) -> None:
        """``stops`` is asked while a backup is made: true ends it, and the next start makes it."""
        self._sink = sink
        self._path = path
        self._every = every.total_seconds()
        self._stops = stops
        self._not_before = 0.0  # of a clock that only goes forward

    def make_when_due(self) -> None:
        """Make one when the newest is older than that; what goes wrong is told, and tried again in a day."""
        path = self._path
        if path is None or not self._every or time.monotonic() < self._not_before or not self._is_due(path):
            return
        try:
            back_up(path, backup_file(path, datetime.now()), self._stopped)  # noqa: DTZ005 - a file name
            prune(path, KEPT)
        except BackupStoppedError:
            return
        except (HistoryError, OSError) as error:
            self._not_before = time.monotonic() + _RETRY_SECONDS
            why = error.detail if isinstance(error, HistoryError) else f"{path}: {error.strerror}"
            _log.warning("sink %s: no backup of the history: %s", self._sink, why)

    def _stopped(self, _share: float) -> bool:
        return self._stops()

    def _is_due(self, path: Path) -> bool:
        newest = 0.0
        for each in backups(path)[-1:]:
            with suppress(OSError):
                newest = each.stat().st_mtime
        return abs(time.time() - (newest or _begin(path))) >= self._every


def _begin(path: Path) -> float:
    """When the history began: one of some hours needs no backup yet."""
    try:
        connection = connect(path, read_only=True)
        try:
            with explained_for(path):
                begins = connection.execute("SELECT min(since) FROM segment").fetchone()[0]
        finally:
            connection.close()
    except HistoryError:
        return time.time()  # the sink, which writes it, tells that
    return time.time() if begins is None else begins
