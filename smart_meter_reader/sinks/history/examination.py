"""What `doctor` asks of a history: that it is there, sound and new, and has room."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from smart_meter_reader.console.checks import Check, ok, unavailable, warning
from smart_meter_reader.guard.state import SERVICE_STATE
from smart_meter_reader.history.errors import HistoryError, NoHistoryError
from smart_meter_reader.history.places import history_file, recent_file
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.storage.checking import problems
from smart_meter_reader.history.storage.schema import RECENT
from smart_meter_reader.history.storage.store import LEAST_FREE
from smart_meter_reader.sinks.history.settings import HistorySettings


async def examine(subject: str, settings: HistorySettings) -> AsyncIterator[Check]:
    """Read both files whole, off the loop; writes nothing."""
    path = settings.file
    if path is None:
        yield unavailable(subject, "there is no place for the history: set `directory`")
        return
    recent = settings.recent
    if not path.exists() and not settings.directory:
        # Whoever calls this is seldom the service: its history is elsewhere.
        of_service = history_file(SERVICE_STATE / settings.file_name, settings.file_name)
        try:
            if of_service.exists():
                path, recent = of_service, recent and recent_file(of_service.parent, settings.file_name)
        except PermissionError:
            yield warning(subject, f"the history in {of_service.parent} is for root alone: sudo examines it")
            return
    for check in await asyncio.to_thread(_checks, subject, path, recent):
        yield check


def _checks(subject: str, path: Path, recent: Path | None) -> list[Check]:
    checks: list[Check] = []
    try:
        found = problems(path)
        checks += [unavailable(subject, f"{path}: {each}") for each in found]
        if not found:
            checks.append(_told(subject, path))
        if recent is not None and recent.exists():
            checks += [warning(subject, f"{recent}: {each}") for each in problems(recent, RECENT)]
    except NoHistoryError as error:
        checks.append(ok(subject, f"{error.detail}: it begins with the first reading"))
    except HistoryError as error:
        checks.append(unavailable(subject, error.detail))
    if path.parent.is_dir() and (free := shutil.disk_usage(path.parent).free) < LEAST_FREE:
        checks.append(unavailable(subject, f"only {free >> 20} MB are free beside {path}: make room there"))
    damaged = sorted(path.parent.glob(f"{path.name}.damaged-*"))
    checks += [warning(subject, f"{each} was set aside as damaged") for each in damaged if each.suffix != ""]
    return checks


def _told(subject: str, path: Path) -> Check:
    with History(path) as history:
        meters, newest = history.meters(), history.newest()
        when = (
            f", the newest value is of {datetime.fromtimestamp(newest, UTC).astimezone():%Y-%m-%d %H:%M}"
            if newest
            else ""
        )
    size = path.stat().st_size / 1e6
    return ok(subject, f"{path} is sound: {len(meters)} meters, {size:.1f} MB{when}")
