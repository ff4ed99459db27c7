"""What is stored, row by row: times in whole seconds since 1970 UTC, values as the meter said them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import TypeAlias

STARTED = "started"
"""The event of a service that begins; without a meter."""
STOPPED = "stopped"
"""The event of one that was stopped in order."""
RAISED = "info_code_raised"
"""The event of a meter that reports something new of itself, sentences parted by "; "."""
CLEARED = "info_code_cleared"
"""The event of a meter that no longer reports something, likewise."""


class RowOrigin(IntEnum):
    """Where a row comes from; the lower one is believed where two tell of the same time."""

    MEASURED = 0
    LOGGER = 1  # read back from the meter's own memory
    IMPORTED = 2
    BY_HAND = 3

    @property
    def word(self) -> str:
        """As people and files read it."""
        return ("measured", "logger", "imported", "by hand")[self]


@dataclass(frozen=True, slots=True)
class CounterRow:
    """One reading of one counter."""

    meter: str
    quantity: str
    unit: str
    time: int
    value: Decimal
    origin: RowOrigin = RowOrigin.MEASURED


@dataclass(frozen=True, slots=True)
class GaugeRow:
    """What was seen of a gauge in one hour, or in a part of it: how often, lowest, highest, and their sum."""

    meter: str
    quantity: str
    unit: str
    hour: int  # of its beginning
    n: int
    low: Decimal
    high: Decimal
    total: Decimal
    origin: RowOrigin = RowOrigin.MEASURED


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """From here on the meter of this name is another device, or has become known."""

    meter: str
    time: int
    serial_number: str
    why: str


@dataclass(frozen=True, slots=True)
class RestartRow:
    """A counter does not go on from its row before.

    ``modulus``: what one turn of all its digits is, when it has rolled over; None when it has begun anew.
    """

    meter: str
    quantity: str
    unit: str
    time: int
    modulus: Decimal | None


@dataclass(frozen=True, slots=True)
class SerialRow:
    """The serial number of the device that is there, learnt after its segment began."""

    meter: str
    serial_number: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """What happened to a meter, in a stable word and a sentence; ``meter`` is "" for none in particular."""

    meter: str
    time: int
    kind: str
    text: str


Row: TypeAlias = CounterRow | GaugeRow | SegmentRow | RestartRow | SerialRow | EventRow
