"""Lists that come at different rhythms: each keeps the values of the others, with the time that they are of.

A meter sends its power every ten seconds and its counters every hour; what an hourly list said is still so,
and a reading without it would blank it. Pure: times are arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from smart_meter_reader.quantities.measurement import Measurement

# Hourly lists are the slowest; two may be damaged.
KEPT_FOR: Final = timedelta(hours=2, minutes=30)
# A meter has some fifty values; what damage without a checksum brings must not add up.
_MOST: Final = 400


@dataclass(slots=True)
class _KeptMeasurement:
    measurement: Measurement
    received: datetime
    measured: datetime


ListValues: TypeAlias = dict[str, Measurement]


class KeptLists:
    """The newest value of each key, whichever list it was in."""

    def __init__(self) -> None:
        self._kept: dict[str, _KeptMeasurement] = {}

    def merge(
        self, told: Mapping[str, Measurement], received: datetime, measured: datetime
    ) -> tuple[ListValues, tuple[str, ...]]:
        """This list and what others said, those with their own ``measured_at``; and what became too old.

        ``measured``: the moment that this list is of.
        """
        others: ListValues = {}
        too_old = []
        for key, kept in list(self._kept.items()):
            if key in told:
                continue
            if received - kept.received > KEPT_FOR:
                too_old.append(key)
                del self._kept[key]
                continue
            others[key] = {**kept.measurement, "measured_at": kept.measured}
        for key, measurement in told.items():
            if key in self._kept or len(self._kept) < _MOST:
                self._kept[key] = _KeptMeasurement(measurement, received, measured)
        return {**told, **others}, tuple(too_old)

    def drop(self, keys: frozenset[str]) -> None:
        """Forget what turned out to be wrong."""
        for key in keys:
            self._kept.pop(key, None)
