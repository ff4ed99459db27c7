"""The client `dlms`: listens to a meter that pushes, always, and publishes its lists at its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smart_meter_reader.messages import Publish
from smart_meter_reader.meters.dlms.memory import decode_doubts, encode_doubts
from smart_meter_reader.meters.dlms.session import DlmsSession, KnownPusher
from smart_meter_reader.meters.dlms.settings import DlmsSettings
from smart_meter_reader.meters.push.client import EncryptedPushClient
from smart_meter_reader.transport import Transport


class DlmsClient(EncryptedPushClient[KnownPusher]):
    """Reads one port; of each list the newest wins."""

    def __init__(self, meter: str, settings: DlmsSettings) -> None:
        super().__init__(meter, settings, KnownPusher(settings.lines[0], settings.opener()))
        self._settings = settings

    @property
    def memory(self) -> Mapping[str, Any]:
        """The frame counters, and numbers whose scale seemed wrong."""
        doubts = self._known.lasting.check.doubts
        return {**super().memory, **encode_doubts(doubts, self._settings.own_steps)}

    def recall(self, memory: Mapping[str, Any]) -> None:
        counters, doubts = decode_doubts(memory, self._settings.own_steps)
        super().recall(counters)
        self._known.lasting.check.doubts.update(doubts)

    def _begin(self, transport: Transport, publish: Publish, *, once: bool) -> DlmsSession:
        return DlmsSession(
            self.meter, self._settings, transport, publish, self.health, self._known, once=once
        )
