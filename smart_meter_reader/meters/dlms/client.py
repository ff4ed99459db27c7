"""The client `dlms`: listens to a meter that pushes, always, and publishes its lists at its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smart_meter_reader.messages import Health, Publish
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.dlms.memory import decode_doubts, encode_doubts
from smart_meter_reader.meters.dlms.session import DlmsSession, KnownPusher
from smart_meter_reader.meters.dlms.settings import DlmsSettings
from smart_meter_reader.meters.frame_counters import encode_counters, recall_counters
from smart_meter_reader.transport import open_transport


class DlmsClient(Client):
    """Reads one port. The line is drained whatever the interval; the newest of each list wins.

    A telegram that cannot be decrypted makes the status ``alert`` with its cause while listening goes on;
    a line without anything good for ``timeout`` is closed and opened again. Nothing is ever sent.
    """

    def __init__(self, meter: str, settings: DlmsSettings) -> None:
        self.meter = meter
        self.health: Health = {"valid_readings": 0, "latency_ms": 0}
        self.longest_attempt = settings.timeout.total_seconds() if settings.timeout else 0.0
        self._settings = settings
        self._known = KnownPusher(settings.lines[0], settings.opener())
        self._session: DlmsSession | None = None
        # Without an interval each telegram is published, and nothing comes sooner for being asked for.
        self.answers_requests = bool(settings.interval)

    @property
    def doing(self) -> str:
        return "opening the port" if self._session is None else self._session.doing

    @property
    def checksummed(self) -> bool:
        """Whether the newest telegram came in a frame with a checksum: XT211 sends none."""
        return self._known.checksummed

    @property
    def memory(self) -> Mapping[str, Any]:
        """The frame counters, by which recorded telegrams are told, and numbers whose scale seemed wrong."""
        opener = self._known.opener
        counters = {} if opener is None else encode_counters(opener)
        doubts = self._known.lasting.check.doubts
        return {**counters, **encode_doubts(doubts, self._settings.own_steps)}

    def recall(self, memory: Mapping[str, Any]) -> None:
        counters, doubts = decode_doubts(memory, self._settings.own_steps)
        if self._known.opener is not None:
            recall_counters(self._known.opener, counters)
        self._known.lasting.check.doubts.update(doubts)

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        async with await open_transport(self._settings.port, self._known.line) as transport:
            self._session = DlmsSession(
                self.meter, self._settings, transport, publish, self.health, self._known, once=once
            )
            try:
                await self._session.listen()
            finally:
                self._session = None

    def read_now(self) -> None:
        if self._session is not None:
            self._session.publish_next()
