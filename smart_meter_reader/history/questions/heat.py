"""Flow and return temperature weighted by volume, right across outages, from what a heat meter counts itself.

MULTICAL 403 and 803, technical descriptions, sections 7.1.2 and 7.1.5: E8 is m³ × t1 and E9 is m³ × t2,
counted on with every volume; their growth by the volume's is the mean temperature of the water that has
passed. A mean of hourly temperatures is not: hours in which nothing flows count in it as much as others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from smart_meter_reader.history.questions.bars import Bar, bars
from smart_meter_reader.history.questions.counters import CounterHistory

# A display without room counts E8 and E9 in another step than the volume (the same sections): by which
# factors.
_FACTORS = (Decimal(1), Decimal(10), Decimal("0.1"), Decimal("0.01"))
_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class WeightedTemperatures:
    """What flowed in a stretch of time, and how warm; None where nothing flowed, or E8 or E9 is missing."""

    begin: int
    end: int
    volume: Decimal | None  # m³
    flow: Decimal | None  # °C
    return_: Decimal | None  # °C
    estimated: bool
    complete: bool

    @property
    def cooling(self) -> Decimal | None:
        """Flow less return temperature, in K."""
        return None if self.flow is None or self.return_ is None else self.flow - self.return_


def weighted_temperatures(
    volume: CounterHistory,
    e8: CounterHistory,
    e9: CounterHistory,
    boundaries: Sequence[int],
    factor: Decimal = Decimal(1),
) -> list[WeightedTemperatures]:
    """One for each piece between rising ``boundaries``. Raises ValueFormatError for a volume that is none.

    The three are told by one answer of the meter, so that they are cut at the same readings. ``factor`` as
    ``step_factor`` finds it.
    """
    of_volume = bars(volume, boundaries, "m³")
    flows, returns = bars(e8, boundaries), bars(e9, boundaries)
    return [
        WeightedTemperatures(
            cubic.begin,
            cubic.end,
            cubic.difference,
            _mean(warm, cubic, factor),
            _mean(cool, cubic, factor),
            cubic.estimated,
            cubic.complete,
        )
        for cubic, warm, cool in zip(of_volume, flows, returns, strict=True)
    ]


def step_factor(mean: Decimal, measured: Decimal) -> Decimal:
    """What E8 and E9 have to be multiplied by, so that their mean is one of temperatures.

    A meter whose display is too short counts them in tens or tenths and not in m³ × °C, and does not say
    so. ``mean`` is what they give as they are, ``measured`` the mean of the temperatures that it told
    meanwhile.
    """
    if mean <= 0 or measured <= 0:
        return Decimal(1)
    return min(
        _FACTORS, key=lambda factor: (max(mean * factor / measured, measured / (mean * factor)), factor != 1)
    )


def lowest_hour(hours: Sequence[Bar]) -> Bar | None:
    """The hour in which least flowed, of those that are known for certain."""
    known = [bar for bar in hours if bar.difference is not None and bar.complete and not bar.estimated]
    return min(known, key=lambda bar: (bar.difference or Decimal(0), bar.begin), default=None)


def _mean(warmth: Bar, cubic: Bar, factor: Decimal) -> Decimal | None:
    if not cubic.difference or warmth.difference is None:
        return None
    # Cut and not rounded, as in the manuals' example.
    return (warmth.difference * factor / cubic.difference).quantize(_HUNDREDTH, ROUND_DOWN)
