"""What is spooled, and what is told of a spool."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# What an entry takes beside its texts: the row, the index, and what Python keeps.
_OVERHEAD = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds_of(time: datetime) -> int:
    """A time as it stands in a spool: microseconds since 1970."""
    return (time - EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class SpoolEntry:
    """One thing to deliver. ``id`` stays the same however often it is tried: twice the same is one entry."""

    id: str
    time: datetime  # aware; the sink's own, the spool orders by when it came
    body: bytes
    kind: str = ""  # the subject, or whatever else the sink tells its entries apart by

    @property
    def size(self) -> int:
        """What it counts in the bounds of a spool, in bytes."""
        return len(self.body) + len(self.id) + len(self.kind) + _OVERHEAD


@dataclass(frozen=True, slots=True)
class Spooled:
    """An entry in the spool. ``sequence`` rises, is never used again by this spool, and has gaps."""

    sequence: int
    entry: SpoolEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolLimits:
    """How much is kept, and when it goes to the disk.

    ``most_bytes``: of all that is kept. ``memory_bytes``: of that in memory; what is more goes to the disk at
    once. ``disk_after``: what is not done by then goes to the disk; 0 s: before ``add`` returns.
    """

    most_bytes: int = 64 * 1024 * 1024
    memory_bytes: int = 1024 * 1024
    disk_after: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolState:
    """A spool in numbers. ``depth`` is ``waiting`` and ``sent``; ``age_seconds`` that of the oldest, or None.

    ``dropped`` is since the start.
    """

    depth: int
    waiting: int
    sent: int
    bytes: int
    age_seconds: int | None
    dropped: int
