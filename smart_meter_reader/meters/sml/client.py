"""The client `sml`: listens at an optical head, always, and publishes the newest telegram at its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smart_meter_reader.messages import Health, Publish
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.sml.heard import HeardMeters
from smart_meter_reader.meters.sml.session import SmlSession
from smart_meter_reader.meters.sml.settings import SmlSettings
from smart_meter_reader.transport import open_transport


class SmlClient(Client):
    """Reads one head. The line is drained whatever the interval; the newest telegram of each meter wins.

    A meter whose PIN is missing is read all the same; its status says so. A line without anything good for
    ``timeout`` is closed and opened again.
    """

    def __init__(self, meter: str, settings: SmlSettings) -> None:
        self.meter = meter
        self.health: Health = {"valid_readings": 0, "latency_ms": 0}
        self.longest_attempt = settings.timeout.total_seconds() if settings.timeout else 0.0
        self._settings = settings
        self._heard = HeardMeters(meter, settings.wanted, settings.direction_bit)
        self._session: SmlSession | None = None
        # Without an interval each telegram is published, and nothing comes sooner for being asked for.
        self.answers_requests = bool(settings.interval)

    @property
    def doing(self) -> str:
        return "opening the port" if self._session is None else self._session.doing

    @property
    def memory(self) -> Mapping[str, Any]:
        """Which meter of several bears which name."""
        return self._heard.memory

    def recall(self, memory: Mapping[str, Any]) -> None:
        self._heard.recall(memory)

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        async with await open_transport(self._settings.port, self._settings.line) as transport:
            self._session = SmlSession(
                self._settings, transport, publish, self.health, self._heard, once=once
            )
            try:
                await self._session.listen()
            finally:
                self._session = None

    def read_now(self) -> None:
        if self._session is not None:
            self._session.publish_next()
