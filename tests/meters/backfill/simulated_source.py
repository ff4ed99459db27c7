"""A meter's loggers behind a line that costs nothing, for tests of the session."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from smart_meter_reader.meters.backfill.cost import LoggerCost
from smart_meter_reader.meters.backfill.ranges import TimeRange
from smart_meter_reader.meters.backfill.source import Batch, Entry
from smart_meter_reader.meters.backfill.state import LoggerFacts, Window
from tests.meters.backfill.simulated import SimulatedMeter, costs


class SimulatedSource:
    """Answers at once. ``errors`` are raised by the next reads, one after another, in place of an answer."""

    learn_seconds = 2.0
    clock_seconds = 0.7
    confirm_seconds = 0.5

    def __init__(self, meter: SimulatedMeter) -> None:
        self.meter = meter
        self.asked: list[str] = []
        self.confirmed = 0
        self.errors: list[BaseException] = []
        self.errors_of: dict[str, list[BaseException]] = {}  # likewise, of "clock", "look hour" or "read day"
        self.clock_ahead = timedelta(0)
        self.unknown: set[int] = set()  # entries without a stamp
        self.behind = timedelta(0)  # so long ago it is for the meter
        self.gone: set[int] = set()  # entries that are not told

    async def learn(self) -> Mapping[str, LoggerFacts]:
        self.asked.append("learn")
        return self.meter.facts

    async def confirm(self) -> None:
        self.confirmed += 1
        if errors := self.errors_of.get("confirm"):
            raise errors.pop(0)

    async def look(self, logger: str, facts: LoggerFacts) -> TimeRange | None:
        self._ask(f"look {logger}")
        return self.meter.extent(logger, datetime.now(UTC) - self.behind)

    async def read(self, window: Window, facts: LoggerFacts) -> Batch:
        self._ask(f"read {window.logger}")
        if self.errors:
            raise self.errors.pop(0)
        numbers = range(window.first, window.last + 1)
        entries = tuple(self._entry(window.logger, number) for number in numbers if number not in self.gone)
        return Batch(entries, page=6, limited=True, missing=window.rows - len(entries))

    async def read_clock(self, facts: LoggerFacts) -> datetime | None:
        self._ask("clock")
        return datetime.now(UTC).replace(tzinfo=None) + self.clock_ahead

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if errors := self.errors_of.get(what):
            raise errors.pop(0)

    def cost(self, logger: str, facts: LoggerFacts) -> LoggerCost:
        return costs(logger, facts)

    def _entry(self, logger: str, number: int) -> Entry:
        made = self.meter.made_at(logger, number).replace(tzinfo=None) + self.clock_ahead
        energy = {"heat_energy": {"value": Decimal(number), "unit": "kWh"}}
        stamp = None if number in self.unknown else made
        return Entry(number, stamp, self.meter.content(number), energy)  # type: ignore[arg-type]
