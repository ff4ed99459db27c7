"""Line settings of a serial line, and what follows from them: bit counts, byte times."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Parity = Literal["N", "E", "O"]


@dataclass(frozen=True, slots=True)
class LineSettings:
    """How bytes travel on the line. ``rts`` and ``dtr``: None leaves the wire as the driver sets it (on)."""

    baud: int = 9600
    bytesize: int = 8
    parity: Parity = "N"
    stopbits: int = 1
    rts: bool | None = None
    dtr: bool | None = None

    @property
    def bits_per_byte(self) -> int:
        """Bits on the wire for one byte: start bit, data, parity, stop bits."""
        return 1 + self.bytesize + (self.parity != "N") + self.stopbits

    def seconds(self, count: int) -> float:
        """How long ``count`` bytes take on the wire."""
        return count * self.bits_per_byte / self.baud

    def as_eight_bits(self) -> LineSettings:
        """The format for a port that cannot do seven bits or parity: 8N1 instead of 7E1."""
        return replace(self, bytesize=8, parity="N")

    def __str__(self) -> str:
        return f"{self.baud} Bd {self.bytesize}{self.parity}{self.stopbits}"
