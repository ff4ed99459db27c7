"""What a family of meters does for its loggers to be read back: it asks; what and when is not its concern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from smart_meter_reader.meters.backfill.cost import LoggerCost
from smart_meter_reader.meters.backfill.ranges import TimeRange
from smart_meter_reader.meters.backfill.state import LoggerFacts, Window
from smart_meter_reader.quantities.measurement import Measurement


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a logger. ``raw``: the meter's stamp, naive, in standard time; None where it has none.

    ``digest`` changes with anything that the meter told in it.
    """

    entry: int
    raw: datetime | None
    digest: str
    measurements: Mapping[str, Measurement] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Batch:
    """A whole window, oldest entry first, and what its answers showed.

    ``page``: the most rows that one answer had; ``limited``: not all that were asked for. ``missing``: ids of
    the window that the meter does not have. ``told``: in sentences, what of its entries is left out.
    """

    entries: tuple[Entry, ...]
    page: int = 0
    limited: bool = False
    missing: int = 0
    told: tuple[str, ...] = ()


class LogSource(Protocol):
    """A meter's loggers over a line that is open.

    Each raises what its line raises: TransportError, and of it MeterSilentError; ProtocolError, and of it
    LoggerRefusedError for a logger that will not be read today.
    """

    learn_seconds: float
    """What ``learn`` costs at most, as far as can be computed."""
    clock_seconds: float
    """What ``read_clock`` costs."""
    confirm_seconds: float
    """What ``confirm`` costs; 0 where nothing is asked for it."""

    async def learn(self) -> Mapping[str, LoggerFacts]:
        """Which loggers the meter has, by name; {}: none, and none will be asked for again."""

    async def confirm(self) -> None:
        """Raises WrongMeterError where another meter answers than the one that was met."""

    async def look(self, logger: str, facts: LoggerFacts) -> TimeRange | None:
        """The ids of its oldest and newest entry; None: it is empty."""

    async def read(self, window: Window, facts: LoggerFacts) -> Batch:
        """The window as a whole."""

    async def read_clock(self, facts: LoggerFacts) -> datetime | None:
        """What the clock by which this logger is stamped says now, naive, in standard time; None where it
        does not tell.
        """

    def cost(self, logger: str, facts: LoggerFacts) -> LoggerCost:
        """What this logger costs. Known without a line."""
