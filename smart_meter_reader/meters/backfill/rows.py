"""From entries of a logger to the rows of a past: their times put right, and in order. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo

from smart_meter_reader.messages import Past, PastRow
from smart_meter_reader.meters.backfill.source import Entry
from smart_meter_reader.meters.backfill.stamps import rising_ids, stamp
from smart_meter_reader.meters.backfill.state import INFO, Window

# The quantity that tells what the meter reports, in sentences.
_REPORTS = "info_code_text"


def past_rows(
    entries: Iterable[Entry], logger: str, zone: tzinfo | None, error: timedelta, now: datetime
) -> tuple[tuple[PastRow, ...], int]:
    """The rows, oldest first, and how many entries are left out.

    Left out is what has no stamp, and what a clock that was set back has stamped like what came before. Of
    info events within one second the last one counts, and none is later than ``now``, when it was read.
    """
    every = list(entries)
    told: dict[int, datetime] = {
        each.entry: stamp(each.raw, logger, zone, error).time for each in every if each.raw is not None
    }
    silent = 0
    if logger == INFO:
        last = {min(time, now): entry for entry, time in told.items()}
        silent = len(told) - len(last)
        told = {entry: time for time, entry in last.items()}
    kept = set(rising_ids(told.items()))
    rows = tuple(
        PastRow(measured_at=told[each.entry], log_id=each.entry, measurements=dict(each.measurements))
        for each in every
        if each.entry in kept and each.measurements
    )
    return rows, len(every) - silent - len(kept)


def past_of(
    meter: str, window: Window, rows: tuple[PastRow, ...], before: Entry | None, receipt: str, now: datetime
) -> Past:
    """The message that tells them; ``before``: the entry that was read with them, and is not theirs."""
    past: Past = {
        "type": "past",
        "meter": meter,
        "time": now,
        "logger": window.logger,
        "serial_number": window.serial_number,
        "receipt": receipt,
        "rows": rows,
    }
    if window.logger == INFO and before is not None and _REPORTS in before.measurements:
        past["reported_before"] = str(before.measurements[_REPORTS]["value"])
    return past
