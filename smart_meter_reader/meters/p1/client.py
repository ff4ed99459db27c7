"""The client `dsmr`: listens to a P1 port, always, and publishes the newest telegram at its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smart_meter_reader.messages import Health, Publish
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.frame_counters import encode_counters, recall_counters
from smart_meter_reader.meters.p1.lasting import Lasting
from smart_meter_reader.meters.p1.memory import decode_memory, encode_chosen
from smart_meter_reader.meters.p1.session import Session
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.transport import open_transport


class DsmrClient(Client):
    """Reads one P1 port. The line is drained whatever the interval; the newest telegram wins.

    A telegram that cannot be decrypted makes the status ``alert`` with its cause while listening goes on;
    a line without anything good for ``timeout`` is closed and opened again.
    """

    def __init__(self, meter: str, settings: DsmrSettings) -> None:
        self.meter = meter
        self.health: Health = {"valid_readings": 0, "latency_ms": 0}
        self.longest_attempt = settings.timeout.total_seconds() if settings.timeout else 0.0
        self._settings = settings
        self._lasting = Lasting(settings.lines[0], settings.opener(), in_use=settings.in_use())
        self._session: Session | None = None
        # Without an interval each telegram is published, and nothing comes sooner for being asked for.
        self.answers_requests = bool(settings.interval)

    @property
    def doing(self) -> str:
        return "opening the port" if self._session is None else self._session.doing

    @property
    def checksummed(self) -> bool:
        """Whether the newest telegram had a checksum: DSMR 2.2 and 3 and some others send none."""
        return self._lasting.checksummed

    @property
    def memory(self) -> Mapping[str, Any]:
        """The frame counters, by which recorded telegrams are told, and the devices on M-Bus that count."""
        opener = self._lasting.opener
        counters = {} if opener is None else encode_counters(opener)
        return {**counters, **encode_chosen(self._lasting.in_use.chosen)}

    def recall(self, memory: Mapping[str, Any]) -> None:
        lasting = self._lasting
        counters, chosen = decode_memory(memory)
        if lasting.opener is not None:
            recall_counters(lasting.opener, counters)
        lasting.in_use.chosen.update(chosen)
        lasting.told_chosen.update(chosen)

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        async with await open_transport(self._settings.port, self._lasting.line) as transport:
            self._session = Session(
                self.meter, self._settings, transport, publish, self.health, self._lasting, once=once
            )
            try:
                await self._session.listen()
            finally:
                self._session = None

    def read_now(self) -> None:
        if self._session is not None:
            self._session.publish_next()
