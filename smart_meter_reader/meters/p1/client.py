"""The client `dsmr`: listens to a P1 port, always, and publishes the newest telegram at its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smart_meter_reader.messages import Publish
from smart_meter_reader.meters.p1.lasting import Lasting
from smart_meter_reader.meters.p1.memory import decode_memory, encode_chosen
from smart_meter_reader.meters.p1.session import P1Session
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.meters.push.client import EncryptedPushClient
from smart_meter_reader.transport import Transport


class DsmrClient(EncryptedPushClient[Lasting]):
    """Reads one P1 port."""

    def __init__(self, meter: str, settings: DsmrSettings) -> None:
        known = Lasting(settings.lines[0], settings.opener(), in_use=settings.in_use())
        super().__init__(meter, settings, known)
        self._settings = settings

    @property
    def memory(self) -> Mapping[str, Any]:
        """The frame counters, and the devices on M-Bus that count."""
        return {**super().memory, **encode_chosen(self._known.in_use.chosen)}

    def recall(self, memory: Mapping[str, Any]) -> None:
        counters, chosen = decode_memory(memory)
        super().recall(counters)
        self._known.in_use.chosen.update(chosen)
        self._known.told_chosen.update(chosen)

    def _begin(self, transport: Transport, publish: Publish, *, once: bool) -> P1Session:
        return P1Session(self.meter, self._settings, transport, publish, self.health, self._known, once=once)
