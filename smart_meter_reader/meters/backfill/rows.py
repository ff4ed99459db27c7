"""From entries of a logger to the rows of a past: their times put right, and in order. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo

from smart_meter_reader.messages import Past, PastRow
from smart_meter_reader.meters.backfill.source import Entry
from smart_meter_reader.meters.backfill.stamps import rising_ids, stamp, to_utc
from smart_meter_reader.meters.backfill.state import INFO, Window

# The quantity that tells what the meter reports, in sentences.
_REPORTS = "info_code_text"
# An entry was made before it was read; what is put on the full hour may be a little later.
_TO_COME = timedelta(minutes=5)
# No entry is so old: a clock that was not set yet begins with the year 2000, as the years of all stamps do.
_NEVER_SET = datetime(2001, 1, 1, tzinfo=UTC)


def past_rows(
    entries: Iterable[Entry], logger: str, zone: tzinfo | None, error: timedelta, now: datetime
) -> tuple[tuple[PastRow, ...], int]:
    """The rows, oldest first, and how many entries are left out.

    Left out is what has no stamp or one that cannot be, and as few as can be of those that contradict one
    another, since the clock was set back. Of info events within one second the last one counts, and none is
    later than ``now``, when it was read.
    """
    every = list(entries)
    told = {
        each.entry: _made_at(each.raw, logger, zone, error, now) for each in every if each.raw is not None
    }
    silent = 0
    if logger == INFO:
        last = {min(time, now): entry for entry, time in told.items()}
        silent = len(told) - len(last)
        told = dict(sorted((entry, time) for time, entry in last.items()))
    told = {entry: time for entry, time in told.items() if _NEVER_SET < time <= now + _TO_COME}
    kept = set(rising_ids(told.items()))
    rows = tuple(
        PastRow(measured_at=told[each.entry], log_id=each.entry, measurements=dict(each.measurements))
        for each in every
        if each.entry in kept and each.measurements
    )
    return rows, len(every) - silent - len(kept)


def _made_at(raw: datetime, logger: str, zone: tzinfo | None, error: timedelta, now: datetime) -> datetime:
    time = stamp(raw, logger, zone, error).time
    # By a clock that is a little ahead the newest entry is of a time to come: it was made when ours says.
    return time if time <= now else min(time, to_utc(raw, zone) - error)


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
