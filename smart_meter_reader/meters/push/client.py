"""What clients of meters that send by themselves have in common: they always listen, in one session each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from smart_meter_reader.messages import Health, Publish
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.frame_counters import encode_counters, recall_counters
from smart_meter_reader.meters.push.known import KnownLine
from smart_meter_reader.meters.push.session import PushSession
from smart_meter_reader.meters.push.settings import PushSettings
from smart_meter_reader.transport import LineSettings, Transport, open_transport

_Known = TypeVar("_Known", bound=KnownLine)


class PushClient(Client):
    """Reads one port. The line is drained whatever the interval; the newest telegram wins.

    A line without anything good for ``timeout`` is closed and opened again. Nothing is ever sent.
    """

    def __init__(self, meter: str, settings: PushSettings) -> None:
        self.meter = meter
        self.health: Health = {"valid_readings": 0, "latency_ms": 0}
        self.longest_attempt = settings.patience or 0.0
        self._port = settings.port
        self._session: PushSession[Any] | None = None
        # Without an interval each telegram is published, and nothing comes sooner for being asked for.
        self.answers_requests = bool(settings.interval)

    @property
    def doing(self) -> str:
        return "opening the port" if self._session is None else self._session.doing

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        async with await open_transport(self._port, self._line) as transport:
            self._session = self._begin(transport, publish, once=once)
            try:
                await self._session.listen()
            finally:
                self._session = None

    def read_now(self) -> None:
        if self._session is not None:
            self._session.publish_next()

    @property
    @abstractmethod
    def _line(self) -> LineSettings:
        """The line to open the port with."""

    @abstractmethod
    def _begin(self, transport: Transport, publish: Publish, *, once: bool) -> PushSession[Any]:
        """A session on a port that is open."""


class EncryptedPushClient(PushClient, Generic[_Known]):
    """The same for meters that may encrypt: frame counters, by which recorded telegrams are told, are kept.

    A telegram that cannot be decrypted makes the status ``alert`` with its cause while listening goes on.
    """

    def __init__(self, meter: str, settings: PushSettings, known: _Known) -> None:
        super().__init__(meter, settings)
        self._known = known

    @property
    def checksummed(self) -> bool:
        """Whether the newest telegram had a checksum: not all meters send one."""
        return self._known.checksummed

    @property
    def memory(self) -> Mapping[str, Any]:
        """The frame counters, and what else the family remembers."""
        opener = self._known.opener
        return {} if opener is None else encode_counters(opener)

    def recall(self, memory: Mapping[str, Any]) -> None:
        if self._known.opener is not None:
            recall_counters(self._known.opener, memory)

    @property
    def _line(self) -> LineSettings:
        return self._known.line
