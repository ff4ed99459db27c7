"""What a history tells Home Assistant's long-term statistics: hours of counters, under ids of our own. Pure.

Source: developers.home-assistant.io, "Long- and Short-term statistics", and home-assistant/core 2026.2.3,
``recorder/websocket_api.py`` (recorder/import_statistics) and ``recorder/statistics.py``: an external
statistic has an id SOURCE:NAME of small letters, digits and single underscores, and rows at full hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from smart_meter_reader.history.questions.bars import Bar, bars, between
from smart_meter_reader.history.questions.counters import CounterHistory
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.sinks.home_assistant.classes import sensor_class
from smart_meter_reader.sinks.wording import meter_title

SOURCE = "smart_meter_reader"
HOUR = 3600
# So many hours are asked for at a time.
_AT_ONCE = 28 * 24
# Device class -> what Home Assistant calls the units that it converts into each other. Others are no totals.
_UNIT_CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "energy": "energy",
        "gas": "volume",
        "water": "volume",
        "volume": "volume",
        "reactive_energy": "reactive_energy",
    }
)
# The first version that is told the unit class, and of what kind a mean is; those before refuse both.
_WITH_UNIT_CLASS = (2025, 11)


class HourOfCounter(NamedTuple):
    """What a counter showed at the end of an hour, and all that was counted until then."""

    start: int  # of the hour, seconds since 1970 UTC
    state: Decimal
    sum: Decimal

    def encode(self) -> dict[str, object]:
        """As Home Assistant takes it."""
        return {"start": datetime.fromtimestamp(self.start, UTC), "state": self.state, "sum": self.sum}


@dataclass(frozen=True, slots=True)
class ExternalStatistic:
    """One counter of one meter, as Home Assistant is told of it."""

    id: str
    name: str
    unit: str
    unit_class: str

    def metadata(self, version: tuple[int, int]) -> dict[str, object]:
        """What goes before its rows, for this version of Home Assistant (year, month)."""
        told: dict[str, object] = {
            "has_sum": True,
            "name": self.name,
            "source": SOURCE,
            "statistic_id": self.id,
            "unit_of_measurement": self.unit,
        }
        if version >= _WITH_UNIT_CLASS:
            return {**told, "mean_type": 0, "unit_class": self.unit_class}
        return {**told, "has_mean": False}


def statistic_of(meter: str, quantity: str, unit: str) -> ExternalStatistic | None:
    """How a counter is called there; None for what its statistics have no class for (hours, counts, mass)."""
    known = QUANTITIES.get(quantity)
    if known is None or not known.cumulative:
        return None
    classes = sensor_class(known, unit)
    unit_class = _UNIT_CLASSES.get(classes.device_class or "", "")
    if not unit_class or classes.unit is None:
        return None
    own = re.sub("[-_]+", "_", f"{meter}_{quantity}")
    return ExternalStatistic(
        f"{SOURCE}:{own}", f"{meter_title(meter)} {known.name.lower()}", classes.unit, unit_class
    )


def hours(counter: CounterHistory, since: int, until: int) -> Iterator[HourOfCounter]:
    """The hours of a counter that end between two instants, oldest first; ValueFormatError as ``bars``.

    An hour of whose end nothing sure is known is left out, and so are those before the counter first counts,
    but for the last of them: a meter's own memory can tell of years at 0. The sum begins with what the first
    device showed, so that it is the same whatever is asked for, and goes on over all devices.
    """
    if not counter.parts:
        return
    begin = _beginning(counter)
    until = min(until, max(part.last.time for part in counter.parts)) // HOUR * HOUR
    since = max(begin, -(-since // HOUR) * HOUR)
    if until <= begin or since >= until:
        return
    total = between(counter, begin, until).counter_begin or Decimal(0)
    if since > begin:
        total += between(counter, begin, since).difference or 0
    for first in range(since, until, _AT_ONCE * HOUR):
        last = min(first + _AT_ONCE * HOUR, until)
        # From an hour before: of a device whose last reading is at ``first`` nothing is known after it.
        for bar in bars(counter, range(max(begin, first - HOUR), last + 1, HOUR)):
            if bar.begin < first:
                continue
            total += bar.difference or 0
            if _is_known_at_end(bar):
                assert bar.counter_end is not None
                yield HourOfCounter(bar.begin, bar.counter_end, total)


def _is_known_at_end(bar: Bar) -> bool:
    return bar.difference is not None and not any(begin < bar.end < end for begin, end in bar.unread)


def _beginning(counter: CounterHistory) -> int:
    """The full hour with which a counter begins; where it stood at 0, that an hour before it left."""
    first = counter.parts[0]
    zero = None
    for sample in counter.samples(first, first.first.time, first.last.time):
        if sample.value:
            break
        zero = sample.time
    begin = first.first.time // HOUR * HOUR
    return begin if zero is None else max(begin, zero // HOUR * HOUR - HOUR)
