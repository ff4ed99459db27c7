"""What the client of a meter that sends by itself knows longer than one connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from smart_meter_reader.codecs.ciphering.opener import CipherOpener
from smart_meter_reader.log import Seldom
from smart_meter_reader.transport import LineSettings

TOLD_IN_AN_HOUR: Final = 100
"""So many different complaints."""


@dataclass(slots=True)
class KnownLine:
    """What outlives a connection to a meter that may encrypt."""

    line: LineSettings  # the one that brought telegrams last, or the first to try
    opener: CipherOpener | None  # with the frame counters; None without a key
    interval: float = 0.0  # the meter's own, in seconds; 0: not known
    checksummed: bool = True  # whether the newest telegram had a checksum or a right tag
    complaints: Seldom = field(default_factory=lambda: Seldom(different=TOLD_IN_AN_HOUR))
