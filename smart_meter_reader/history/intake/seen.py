"""What the intake remembers of each meter: the newest of each counter, and the hour of each gauge."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

# After so long without a reading the next one is kept: it ends a gap, or the meter is read seldom.
SELDOM = 240


@dataclass(slots=True)
class CounterSeen:
    """A counter as it was seen last."""

    slot: int
    unit: str = ""
    seen: int = 0  # time of the newest reading
    value: Decimal = Decimal(0)
    kept: int = -1  # time of the newest row

    def goes_on(self, unit: str, now: int, time: int, value: Decimal) -> bool:
        """Whether this is no row: a further reading of the same slot, soon after the last, and no fall.

        Some meters are read ten times within the second of ``now``; that a value of another time comes with
        a second number is something else.
        """
        return (
            (self.seen < time < self.seen + SELDOM or self.seen == time == now)
            and time // self.slot == self.kept // self.slot
            and unit == self.unit
            and value >= self.value
        )


@dataclass(slots=True)
class GaugeSeen:
    """A gauge in the hour that is under way."""

    unit: str = ""
    hour: int = -1
    n: int = 0
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    total: Decimal = Decimal(0)

    def add(self, value: Decimal) -> None:
        """One more reading of this hour."""
        if not self.n:
            self.low = self.high = self.total = value
        else:
            self.total += value
            if value < self.low:
                self.low = value
            elif value > self.high:
                self.high = value
        self.n += 1


@dataclass(slots=True)
class MeterSeen:
    """A meter, and the device that it is now."""

    serial_number: str | None  # None: nothing is stored of it yet
    since: int = 0  # when this device took the place of another; 0: before the service began
    counters: dict[str, CounterSeen] = field(default_factory=dict)
    gauges: dict[str, GaugeSeen] = field(default_factory=dict)
    kept_for: dict[str, CounterSeen | GaugeSeen | None] = field(default_factory=dict)
    rebased: frozenset[str] = frozenset()
    announced: str = ""  # a serial number that is not the stored one
    heard_info: bool = False
    replaced: str = ""  # why, between the word of it and the first reading of the other device
    state: str = ""
    events: tuple[int, int] = (0, 0)  # hour, how many in it
    reports: tuple[str, ...] = ()  # what the meter reported last, in sentences

    @property
    def may_begin(self) -> bool:
        """Whether the next reading may be the first one of a device."""
        return self.serial_number is None or bool(self.replaced or self.announced)
