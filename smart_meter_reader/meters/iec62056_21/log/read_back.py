"""Reads back what a MULTICAL 66-CDE remembers, behind its live readings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from smart_meter_reader.messages import Health, Publish
from smart_meter_reader.meters.backfill.plan import Planner
from smart_meter_reader.meters.backfill.session import Backfill
from smart_meter_reader.meters.iec62056_21.identity import KnownMeter
from smart_meter_reader.meters.iec62056_21.log.line import LoggerLine
from smart_meter_reader.meters.iec62056_21.log.source import MulticalLogs, hours_seconds
from smart_meter_reader.meters.iec62056_21.settings import Iec62056_21Settings
from smart_meter_reader.meters.polling import PollTimes


class ReadBack(Backfill):
    """What one client reads back; lives as long as the service. See ``Backfill``."""

    def __init__(self, meter: str, settings: Iec62056_21Settings, health: Health) -> None:
        self._logs = MulticalLogs(settings.zone, hours=settings.daily_budget >= hours_seconds())
        planner = Planner(lambda logger, _: self._logs.cost(logger), daily=settings.daily_budget)
        super().__init__(meter, planner, health, settings.zone)
        self._wanted = settings.logger

    @property
    def memory(self) -> Mapping[str, Any]:
        """What is remembered, the months too by which days are checked."""
        content = dict(super().memory)
        return content and content | {"months": self._logs.months.encode()}

    def recall(self, content: Mapping[str, Any]) -> None:
        """Take what ``memory`` gave. Raises ValueError for what it never gives."""
        known = dict(content)
        if content:
            self._logs.months.recall(known.pop("months", None))
        super().recall(known)

    async def follow(self, line: LoggerLine, known: KnownMeter, publish: Publish, times: PollTimes) -> None:
        """In the wake-up of a live reading, and until the next one. Raises TransportError."""
        if not self._wanted or known.model != "multical_66c":
            return
        now = datetime.now(UTC)
        self._logs.note_reading(now, times.shortest_period)
        self.note_reading(now, times.shortest_period)
        source = self._logs.over(line, known.scaling, known.number)
        try:
            await self.run(source, known.number, publish, times.seconds_left)
        finally:
            self._logs.at_hand.clear()
