"""A damaged file is moved away, and it is told where it is and what brings its content back."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial
from pathlib import Path

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.history.errors import DamagedHistoryError, DamagedRecentError
from smart_meter_reader.history.places import backups, set_aside
from smart_meter_reader.network.off_loop import in_daemon_thread

_log = logging.getLogger(__name__)


async def make_room(sink: str, path: Path, error: DamagedHistoryError) -> None:
    """Make room for a new file. Raises SinkError when the damaged one cannot be moved."""
    try:
        aside = await in_daemon_thread(partial(set_aside, path, datetime.now()))  # noqa: DTZ005 - a file name
    except OSError as why:
        raise SinkError("history_damaged", f"{path} cannot be moved away: {why.strerror}") from why
    kept = [] if isinstance(error, DamagedRecentError) else backups(path)
    hint = f"; the newest backup is {kept[-1]}: `history restore` brings it back" if kept else ""
    _log.error("sink %s: %s; it is %s now, and a new one begins%s", sink, error.detail, aside, hint)
