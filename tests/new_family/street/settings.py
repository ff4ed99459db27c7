"""Settings of the client `street`. The key that names a device is one that nobody has listed anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.settings.schema import setting
from smart_meter_reader.transport import PORT_HELP, PORT_PATTERN, LineSettings

LINE = LineSettings(2400, 8, "N", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetSettings(ClientSettings):
    """Settings of the client `street`."""

    port: str = setting(PORT_HELP, pattern=PORT_PATTERN, pattern_help=PORT_HELP, identifies=False)
    doorplate: str = setting("what stands on the door", default="", identifies=True)
    interval: timedelta = setting("how often it is read", default=timedelta(seconds=1))

    @property
    def reads_from(self) -> str:
        return self.port

    @property
    def lines(self) -> Sequence[LineSettings]:
        return (LINE,)
