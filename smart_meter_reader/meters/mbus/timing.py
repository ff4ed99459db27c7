"""The line of an M-Bus, and how long to wait on it: the standard's formula, and what the converter adds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from smart_meter_reader.codecs.mbus.frame import MAX_FRAME_LENGTH
from smart_meter_reader.transport.line import LineSettings

# EN 13757-2, 5.2: 8 data bits, even parity, one stop bit; 2400 Bd is what nearly all meters have.
BUS_LINE: Final = LineSettings(2400, parity="E")
BAUDS: Final = (300, 600, 1200, 2400, 4800, 9600)

# EN 13757-2, 5.4: a meter begins to answer within 11 to 330 bit times and 50 ms; the reader rests 33 bit
# times before it asks again.
_REACTION_BITS: Final = 330
_REACTION: Final = 0.05
_REST_BITS: Final = 33
# Inside a frame there is no pause; what carries it adds some.
_GAP_BITS: Final = 33
# USB adapters gather bytes for some 16 ms, serial servers for longer, and Wi-Fi loses and repeats.
CONVERTER_DELAY: Final = 0.3


@dataclass(frozen=True, slots=True)
class BusTiming:
    """Waits in seconds on a line; ``delay`` is what the converter adds."""

    line: LineSettings = BUS_LINE
    delay: float = CONVERTER_DELAY

    @property
    def reaction(self) -> float:
        """From the end of a request to the first byte of its answer, at most."""
        return _REACTION_BITS / self.line.baud + _REACTION + self.delay

    @property
    def rest(self) -> float:
        """Between an answer and the next request."""
        return _REST_BITS / self.line.baud

    @property
    def gap(self) -> float:
        """Silence inside an answer that means that the rest is lost."""
        return _GAP_BITS / self.line.baud + self.delay

    @property
    def longest(self) -> float:
        """From the end of a request to the end of the longest answer behind its echo, at most."""
        return self.reaction + 2 * self.line.seconds(MAX_FRAME_LENGTH) + self.delay


def line_at(baud: int) -> LineSettings:
    """The line at this speed."""
    return replace(BUS_LINE, baud=baud)
