"""What is known of a meter's loggers, and what of them is still to be read. Frozen types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from smart_meter_reader.meters.backfill.ranges import TimeRange, TimeRanges

MONTH, YEAR, DAY, HOUR = "month", "year", "day", "hour"
# What is read when the meter says that it has news, and what is read by hand only.
INFO = "info"
MINUTES, CONFIG = "minutes", "config"
# What tells most for least comes first; the hours, of which there are most, come last.
ORDER = (MONTH, YEAR, DAY, INFO, HOUR)
# What live readings tell too, as long as none is missed.
READ_LIVE = (DAY, HOUR)
NOTHING = -1
"""Stands for an id where there is no entry."""


@dataclass(frozen=True, slots=True)
class LoggerFacts:
    """What a logger is, learnt once for each meter: how many entries it keeps, of what.

    ``registers`` are numbers of the family's own; () where it has none.
    """

    depth: int
    registers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry that is stored, and what it was: the same id with another content is of another series."""

    entry: int
    digest: str


@dataclass(frozen=True, slots=True)
class LoggerState:
    """A logger of one meter. Whatever is neither in ``todo`` nor newer than ``covered`` needs nothing."""

    facts: LoggerFacts
    covered: int = NOTHING  # the newest id that has been seen
    todo: TimeRanges = ()
    news_from: int = 0  # entries made since the logger was met first have ids from here on
    page: int = 0  # rows that fit into one answer; 0: not learnt yet
    check: StoredEntry | None = None
    looked: datetime | None = None  # when it was last asked for its oldest and newest id
    events: int | None = None  # of INFO: how many the meter had counted by then

    @property
    def met(self) -> bool:
        """Whether it has ever been asked what it holds."""
        return self.looked is not None


@dataclass(frozen=True, slots=True)
class MeterSeries:
    """One meter by its serial number; its ids rise as long as they are not reset.

    ``loggers`` is None before it was asked which there are, and empty for a meter without any.
    """

    serial_number: str
    loggers: Mapping[str, LoggerState] | None = None

    def having(self, logger: str, state: LoggerState) -> MeterSeries:
        """The same with this logger as it is now."""
        return replace(self, loggers=MappingProxyType({**(self.loggers or {}), logger: state}))


@dataclass(frozen=True, slots=True)
class Window:
    """Entries that are read and stored as one, from the oldest to the newest id, both included.

    With ``checks``, ``first`` is stored already, and is read to see whether it is still the same. With
    ``joins`` it is read for what it says of the entry after it, and nothing else.
    """

    logger: str
    first: int
    last: int
    seconds: float  # what it will cost, as far as is known
    checks: bool = False
    joins: bool = False
    serial_number: str = ""
    epoch: int = 0  # which of the logger's series since the start it is of

    @property
    def rows(self) -> int:
        return self.last - self.first + 1

    @property
    def wanted(self) -> TimeRange:
        """The ids that are missing; (2, 1) and the like for none."""
        return self.first + (self.checks or self.joins), self.last


@dataclass(frozen=True, slots=True)
class BackfillProgress:
    """How much is still to be read: entries by logger, in the order in which they are read."""

    missing: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    days: int = 0  # until it is read at this budget, about; 0: today

    def __str__(self) -> str:
        """For a person: ``hours of 3 days, about 2 days to go``; "" when nothing is missing."""
        told = " and ".join(_WORDS[name](count) for name, count in self.missing.items() if count)
        if not told or not self.days:
            return told
        return f"{told}, about {_counted(self.days, 'day')} to go"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + "s" * (count != 1)


def _hours(count: int) -> str:
    return _counted(count, "hour") if count < 48 else f"hours of {_counted(round(count / 24), 'day')}"


def _days(count: int) -> str:
    return _counted(count, "day") if count < 60 else f"days of {_counted(round(count / 30.4), 'month')}"


_WORDS = {
    MONTH: lambda count: _counted(count, "month"),
    YEAR: lambda count: _counted(count, "year"),
    DAY: _days,
    INFO: lambda count: _counted(count, "info event"),
    HOUR: _hours,
}

LOOK_AGAIN: Mapping[str, timedelta] = MappingProxyType(
    {MONTH: timedelta(days=7), YEAR: timedelta(days=30), DAY: timedelta(days=1), HOUR: timedelta(days=1)}
)
"""How often a logger that has been read is asked for news where no reading was missed."""


def is_old(logger: str, state: LoggerState, now: datetime) -> bool:
    """Whether it is so long ago that a logger was looked at. A clock that was put back tells nothing."""
    if state.looked is None:
        return True
    # In log mode a reading a day comes some seconds earlier or later than a day after the last one.
    return not -LOOK_AGAIN[logger] < now - state.looked < LOOK_AGAIN[logger] * 0.95
