"""A house of tests of the session: a meter with loggers, what reads it back, and sinks that take a past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from smart_meter_reader.messages import Health, Past
from smart_meter_reader.messages.receipts import Receipts
from smart_meter_reader.meters.backfill.budget import UNLIMITED
from smart_meter_reader.meters.backfill.plan import Planner
from smart_meter_reader.meters.backfill.session import Backfill
from tests.meters.backfill.simulated import SimulatedMeter, costs
from tests.meters.backfill.simulated_source import SimulatedSource
from tests.peers.heard import Heard

HOUR = timedelta(hours=1)


class House:
    """A meter, what reads it, and a sink that takes what was."""

    def __init__(self, *, daily: float = UNLIMITED, every_hour: bool = False, takers: int = 1) -> None:
        self.meter = SimulatedMeter({"day": 460, "hour": 72}, HOUR)
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self.meter.replace("1", midnight - timedelta(days=20))
        self.source = SimulatedSource(self.meter)
        self.receipts = Receipts([f"sink {number}" for number in range(takers)])
        self.kept: list[dict[str, Any]] = []
        self.daily, self.every_hour = daily, every_hour
        self.start()

    def start(self) -> None:
        """As after a restart: what was kept is all that is known."""
        self.health: Health = {}
        self.heard = Heard("heat")
        planner = Planner(costs, daily=self.daily, every_hour=self.every_hour)
        self.backfill = Backfill("heat", planner, self.health, timezone.utc)  # noqa: UP017 - as a tzinfo
        self.backfill.receipts = self.receipts
        self.backfill.keep = self.keep
        if self.kept:
            self.backfill.recall(self.kept[-1])

    async def keep(self) -> None:
        self.kept.append(dict(self.backfill.memory))

    async def wake_up(self, seconds: float = 1e9) -> None:
        await self.backfill.run(self.source, self.meter.serial, self.heard, lambda: seconds)

    @property
    def pasts(self) -> list[Past]:
        return [message for message in self.heard.messages if message["type"] == "past"]

    def rows(self, logger: str) -> list[tuple[int, datetime]]:
        return [
            (row["log_id"], row["measured_at"])
            for past in self.pasts
            if past["logger"] == logger
            for row in past["rows"]
        ]

    def confirm(self) -> None:
        for past in self.pasts:
            for number in range(self.receipts.takers):
                self.receipts.of(f"sink {number}").confirm(past["receipt"])
