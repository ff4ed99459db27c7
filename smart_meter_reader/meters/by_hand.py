"""What a family offers a person at a meter beside its readings: one look at its loggers, and at its clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from smart_meter_reader.quantities.measurement import Measurement


@dataclass(frozen=True, slots=True)
class HeldLogger:
    """One logger, and what it holds. ``depth``: entries at most, 0 where the meter does not tell.

    ``newest`` and ``oldest`` are UTC, None where there is no entry, or none that tells its time.
    """

    name: str
    depth: int = 0
    entries: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is wanted of a logger: from ``since`` to ``until``, and the newest ``most`` (0: all) of that."""

    since: datetime | None = None
    until: datetime | None = None
    most: int = 0

    def has(self, time: datetime | None) -> bool:
        """Whether an entry of that time is wanted; of one without a time nobody knows."""
        return time is None or (
            (self.since is None or time >= self.since) and (self.until is None or time <= self.until)
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an excerpt costs: entries, and seconds of the line from the best to the worst case.

    ``readings``: what the worst case costs the battery, in ordinary readings.
    """

    entries: int
    seconds: tuple[float, float]
    readings: float


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry. ``measured_at`` is UTC, ``meter_time`` what the meter's clock said, without a zone."""

    measured_at: datetime | None
    meter_time: datetime | None
    measurements: Mapping[str, Measurement] = field(default_factory=lambda: MappingProxyType({}))
    log_id: int | None = None


TellProgress: TypeAlias = Callable[[str, int, int], None]
"""Called while a logger is read: which one, how many entries there are so far, and how many there will be."""


class Loggers(Protocol):
    """The loggers of a meter over a line that is open.

    Each raises what its line raises: TransportError, and ProtocolError; of that NoSuchLoggerError with a
    sentence where the meter has no loggers, or not this one.
    """

    who: str
    """The meter, for a person."""
    clock_ahead: float
    """Seconds that its clock is before this computer's; by more than half an hour, times are put right."""

    async def held(self, logger: str = "") -> Sequence[HeldLogger]:
        """What there is; only this one where it is named."""

    def estimate(self, held: HeldLogger, excerpt: Excerpt) -> Estimate:
        """What it will cost, as far as is known."""

    def read(
        self, held: HeldLogger, excerpt: Excerpt, told: TellProgress
    ) -> AsyncIterator[Sequence[LogEntry]]:
        """The entries, answer by answer, newest first: what has come is whole, whatever ends it."""

    @property
    def remarks(self) -> Sequence[str]:
        """What a person must know of what was read: lines without an entry, registers that are not there."""


OpenLoggers: TypeAlias = Callable[[Any, tzinfo | None, Sequence[str]], AbstractAsyncContextManager[Loggers]]
"""From a client's settings, the house's zone (None: this computer's) and the registers that are wanted to the
loggers of the meter there. Raises ValueError for a register that nobody knows, before the port is opened."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What a meter's clock said, and when. ``standard`` is standard time without a zone; ``at`` UTC.

    ``dst_minutes``: what its display adds to that now; None where it does not tell.
    """

    standard: datetime
    at: datetime
    dst_minutes: int | None = None


class Clock(Protocol):
    """The clock of a meter over a line that is open. Each raises TransportError and ProtocolError."""

    who: str
    serial_number: str
    unsettable: str
    """A sentence where it cannot be set from here, "" where it can be tried."""

    async def read(self) -> ClockReading | None:
        """What it says; None where the meter has no clock to be read."""

    async def set(self, zone: tzinfo | None) -> bool:
        """Set it to this computer's time, as standard time of the zone; whether the meter confirmed it."""


OpenClock: TypeAlias = Callable[[Any], AbstractAsyncContextManager[Clock]]
"""From a client's settings to the clock of the meter there."""
