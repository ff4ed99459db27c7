"""What goes first, and what stays, when too much waits for the disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from smart_meter_reader.history.rows import STARTED, CounterRow, EventRow, GaugeRow, Row
from smart_meter_reader.history.storage.raw import Block

# What is shorter than this is no gap, and needs no reason.
_NO_GAP = timedelta(minutes=30)


def drop_oldest(rows: deque[Row], most: int) -> int:
    """Drop the oldest rows until there are ``most``; how many. What they mean is left as it is.

    That another device is there, or that a counter began anew, is kept to the last: without it the readings
    that follow would count on from those before.
    """
    too_many = len(rows) - most
    if too_many <= 0:
        return 0
    dropped, kept = 0, deque[Row]()
    while rows and dropped < too_many:
        row = rows.popleft()
        if isinstance(row, CounterRow | GaugeRow | EventRow):
            dropped += 1
        else:
            kept.append(row)
    while kept and dropped < too_many:
        kept.popleft()
        dropped += 1
    rows.extendleft(reversed(kept))
    return dropped


def drop_first(blocks: deque[Block], most: int) -> int:
    """Drop the oldest blocks until there are ``most``; how many."""
    dropped = 0
    while len(blocks) > most:
        blocks.popleft()
        dropped += 1
    return dropped


def events_among(rows: Iterable[Row]) -> list[Row]:
    """What belongs to no device, and can go into any file."""
    return [row for row in rows if isinstance(row, EventRow)]


def start_told(newest: datetime | None, now: datetime) -> list[Row]:
    """That the service began, only where a gap wants a reason.

    A `run --once` of every ten minutes shall not fill the file.
    """
    if newest is None or now - newest > _NO_GAP:
        return [EventRow("", int(now.timestamp()), STARTED, "the service began")]
    return []
