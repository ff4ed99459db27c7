"""What the client of a P1 port knows longer than one connection."""

from __future__ import annotations

from dataclasses import dataclass, field

from smart_meter_reader.codecs.p1.cipher import Opener
from smart_meter_reader.codecs.p1.mbus import InUse
from smart_meter_reader.codecs.p1.obis import Further
from smart_meter_reader.transport import LineSettings

_TOLD_IN_AN_HOUR = 100


@dataclass(slots=True)
class Lasting:
    """What a client knows longer than one connection."""

    line: LineSettings  # the one that brought telegrams last, or the first to try
    opener: Opener | None  # with the frame counter
    meter_interval: float = 0.0  # the meter's own, in seconds; 0: not known
    in_use: InUse = field(default_factory=dict)  # the M-Bus devices that were chosen
    checksummed: bool = True  # whether the newest telegram had a checksum or a right tag
    # The codes that only dsmr-parser knows. Off the loop, as the transport goes on collecting meanwhile.
    further: Further = field(default_factory=lambda: Further(aside=True))
    told: set[str] = field(default_factory=set)  # what was complained about, which is said once
    told_since: float = 0.0

    def is_new(self, cause: str, now: float) -> bool:
        """Whether to tell ``cause``: once, and of ever new ones a hundred in an hour."""
        if len(self.told) >= _TOLD_IN_AN_HOUR and now - self.told_since >= 3600:
            self.told.clear()
        if cause in self.told or len(self.told) >= _TOLD_IN_AN_HOUR:
            return False
        if not self.told:
            self.told_since = now
        self.told.add(cause)
        return True
