"""Asks a meter for its loggers and reads one of them, and tells a person what that costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from smart_meter_reader.cli.logs.progress import EntriesShown
from smart_meter_reader.cli.logs.table import held_lines, local_text
from smart_meter_reader.console.wrapping import tell
from smart_meter_reader.drivers import imported
from smart_meter_reader.meters.backfill.state import DAY, HOUR
from smart_meter_reader.meters.by_hand import Estimate, Excerpt, HeldLogger, LogEntry, Loggers, OpenLoggers
from smart_meter_reader.meters.registry import meter_driver

# What is shown where nobody says from when: a month of days, two days of hours, a day of quarters.
_NEWEST: Mapping[str, int] = MappingProxyType({DAY: 31, HOUR: 48, "minutes": 96, "minutes2": 96})
_MOST = 50
# From here on, a clock is worth a word.
_WORTH_TELLING = 60


@dataclass(slots=True)
class LoggerLook:
    """What was seen so far: what has come is whole, whatever ends the rest."""

    wanted: str  # the name of a logger; "": tell which there are, and read the days
    excerpt: Excerpt
    registers: tuple[str, ...]
    zone: ZoneInfo
    logger: str = ""
    planned: int = 0
    found: list[LogEntry] = field(default_factory=list)  # newest first

    @property
    def entries(self) -> Sequence[LogEntry]:
        """Oldest first, and no more than were asked for."""
        most = self.excerpt.most or len(self.found)
        return self.found[:most][::-1]

    async def take(self, client: str, settings: Any) -> None:
        """Read it all. Raises TransportError, ProtocolError, and ValueError for a register nobody knows."""
        opening: OpenLoggers = imported(meter_driver(client).loggers)
        which = f"for its {self.wanted} logger" if self.wanted else "which loggers it has, for up to 30 s"
        tell(f"asking the meter who it is, and {which} ...")
        async with opening(settings, self.zone, self.registers) as loggers:
            held = await loggers.held(self.wanted)
            tell(loggers.who)
            if not self.wanted:
                self._tell_held(held)
            await self._read(loggers, _chosen(self.wanted, held))
            self._tell_clock(loggers)
            for remark in loggers.remarks:
                tell(remark)

    def _tell_held(self, held: Sequence[HeldLogger]) -> None:
        for line in held_lines(held, self.zone):
            tell(line)

    async def _read(self, loggers: Loggers, held: HeldLogger) -> None:
        self.logger = held.name
        if not loggers.estimate(held, Excerpt()).entries:
            tell(f"its {held.name} logger is empty")
            return
        if self.excerpt.since is None and self.excerpt.until is None and not self.excerpt.most:
            part = replace(self.excerpt, most=_NEWEST.get(held.name, _MOST))
            # A table that comes whole, whatever is wanted of it, is shown whole.
            if loggers.estimate(held, part).entries < loggers.estimate(held, self.excerpt).entries:
                self.excerpt = part
        estimate = loggers.estimate(held, self.excerpt)
        self.planned = estimate.entries
        tell(_cost(held, estimate, self.excerpt, self.zone))
        progress = EntriesShown(estimate.seconds[1])
        try:
            async for entries in loggers.read(held, self.excerpt, progress):
                self.found += entries
        finally:
            progress.end()

    def _tell_clock(self, loggers: Loggers) -> None:
        ahead = round(loggers.clock_ahead)
        if abs(ahead) < _WORTH_TELLING:
            return
        how = f"{duration(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}"
        right = ", by which the times were put right" if abs(ahead) > 1800 else ""
        tell(f"the meter's clock is {how}{right}; `smart-meter-reader clock` tells more")


def _chosen(wanted: str, held: Sequence[HeldLogger]) -> HeldLogger:
    """The logger that was asked for, else the days, else the first one."""
    return next((each for each in held if each.name == (wanted or DAY)), held[0])


def _cost(held: HeldLogger, estimate: Estimate, excerpt: Excerpt, zone: ZoneInfo) -> str:
    best, worst = (duration(max(1, round(each))) for each in estimate.seconds)
    same_unit = best.partition(" ")[2] == worst.partition(" ")[2]
    seconds = worst if best == worst else f"{best.partition(' ')[0] if same_unit else best} to {worst}"
    readings = max(1, round(estimate.readings))
    much = "one hourly reading" if readings == 1 else f"{readings} hourly readings"
    if excerpt.most and estimate.entries < held.entries:
        what = f"the newest {estimate.entries} of {held.entries} entries of its {held.name} logger"
        more = "; --since DATE reads more"
    else:
        since = f" since {local_text(excerpt.since, zone)}" if excerpt.since else ""
        what, more = f"{estimate.entries} entries of its {held.name} logger{since}", ""
    return (
        f"reading {what}: {seconds} of the line, which costs its battery as much as {much}; "
        f"Ctrl-C keeps what has come{more}"
    )


def duration(seconds: int) -> str:
    """``45 s``, ``11 min``, ``3 h``, for a person."""
    if seconds < 120:
        return f"{seconds} s"
    return f"{round(seconds / 60)} min" if seconds < 7200 else f"{round(seconds / 3600)} h"
