"""The client `sml`: listens at an optical head, always, and publishes the newest telegram at its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smart_meter_reader.messages import Publish
from smart_meter_reader.meters.push.client import PushClient
from smart_meter_reader.meters.sml.heard import HeardMeters
from smart_meter_reader.meters.sml.session import SmlSession
from smart_meter_reader.meters.sml.settings import SmlSettings
from smart_meter_reader.transport import LineSettings, Transport


class SmlClient(PushClient):
    """Reads one head; of several meters that are heard there, the newest telegram of each wins.

    A meter whose PIN is missing is read all the same; its status says so.
    """

    def __init__(self, meter: str, settings: SmlSettings) -> None:
        super().__init__(meter, settings)
        self._settings = settings
        self._heard = HeardMeters(meter, settings.wanted, settings.direction_bit)

    @property
    def memory(self) -> Mapping[str, Any]:
        """Which meter of several bears which name."""
        return self._heard.memory

    def recall(self, memory: Mapping[str, Any]) -> None:
        self._heard.recall(memory)

    @property
    def _line(self) -> LineSettings:
        return self._settings.line

    def _begin(self, transport: Transport, publish: Publish, *, once: bool) -> SmlSession:
        return SmlSession(self._settings, transport, publish, self.health, self._heard, once=once)
