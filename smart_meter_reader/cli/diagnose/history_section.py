"""What `diagnose` tells of a history: sizes, versions, rows and gaps; nothing that names a device.

Serial numbers stand in segments and in the sentences of events ("the serial number was 123 before"), so that
neither is told: of a gap its stable word, of a device that there is one.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from smart_meter_reader.history.errors import HistoryError
from smart_meter_reader.history.media import main_counters
from smart_meter_reader.history.periods import utc
from smart_meter_reader.history.places import backups
from smart_meter_reader.history.questions.gaps import gaps
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.storage.checking import problems
from smart_meter_reader.history.storage.connecting import connect, explained_for
from smart_meter_reader.history.storage.rules import SeriesSize, sizes
from smart_meter_reader.history.storage.schema import HISTORY, RECENT, Format, version_of
from smart_meter_reader.sinks.history.settings import HistorySettings

_MONTH = 31 * 86400
_MOST_GAPS = 10


def history_lines(settings: HistorySettings, path: Path) -> Iterator[str]:
    """The lines about the history in ``path`` and its ring. Raises nothing: what cannot be read is said."""
    yield f"SQLite {sqlite3.sqlite_version}, time zone {settings.zone}"
    if not path.exists():
        yield "no history yet"
        return
    yield from _file("history", path, HISTORY)
    damaged = list(path.parent.glob(f"{path.name}.damaged-*"))
    yield f"{len(backups(path))} backups beside it, {len(damaged)} set aside"
    recent = settings.recent
    if recent is not None and recent.exists():
        yield from _file("recent readings", recent, RECENT)
    try:
        yield from _meters(path)
    except HistoryError as error:
        yield f"it cannot be read ({error.reason})"


def _file(what: str, path: Path, kind: Format) -> Iterator[str]:
    log = path.with_name(f"{path.name}-wal")
    sizes_ = f"{path.stat().st_size} bytes" + (
        f" and {log.stat().st_size} in its log" if log.exists() else ""
    )
    try:
        connection = connect(path, kind, read_only=True)
        try:
            with explained_for(path):
                version = version_of(connection)
        finally:
            connection.close()
        found = problems(path, kind)
    except HistoryError as error:
        yield f"{what}: {sizes_}, cannot be used ({error.reason})"
        return
    yield f"{what}: {sizes_}, format {version}, " + (f"{len(found)} problems" if found else "sound")


def _meters(path: Path) -> Iterator[str]:
    now = int(time.time())
    stored = sizes(path)
    with History(path) as history:
        for meter in history.meters():
            own = [each for each in stored if each.meter == meter and each.rows]
            devices = len(history.segments(meter))
            yield f"{meter}: {devices} device{'s' * (devices != 1)}"
            yield from map(_series, own)
            yield from _gaps(history, meter, now)
        events: dict[str, int] = {}
        for event in history.events(now - _MONTH, now):
            events[event.kind] = events.get(event.kind, 0) + 1
        told = ", ".join(f"{kind} {count}" for kind, count in sorted(events.items()))
        yield f"events of the last month: {told or 'none'}"
        notes = history.notes()
        yield f"notes: {len(notes)}, of which {sum(each.taken_back is not None for each in notes)} taken back"


def _series(each: SeriesSize) -> str:
    first, last = utc(each.first), utc(each.last)
    rows = f"{each.rows} row{'s' * (each.rows != 1)}"
    return f"  {each.kind} {each.quantity} [{each.unit}]: {rows}, {first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _gaps(history: History, meter: str, now: int) -> Iterator[str]:
    main = main_counters([each.quantity for each in history.kept(meter) if each.kind == "counter"])
    if not main:
        return
    found = gaps(history, meter, main[0].quantities[0], now - _MONTH, now)
    for gap in found[-_MOST_GAPS:]:
        yield f"  not read from {utc(gap.begin):%Y-%m-%dT%H:%MZ} to {utc(gap.end):%Y-%m-%dT%H:%MZ}: " + (
            (gap.reason or "nothing is known of why") + (", filled" if gap.filled else "")
        )
    if len(found) > _MOST_GAPS:
        yield f"  and {len(found) - _MOST_GAPS} gaps before in the last month"
