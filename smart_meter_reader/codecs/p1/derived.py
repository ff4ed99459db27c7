"""What a telegram says only between its lines: totals of tariffs, and the newest power failure of its log."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from smart_meter_reader.codecs.p1.values import Times
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.text import LONGEST_NUMBER

_NEVER = 2147483647  # seconds in an empty slot of the power failure log
# The totals, and the tariffs that add up to them.
_TOTALS: Final = {
    total: tuple(f"{total}_tariff_{tariff}" for tariff in (1, 2, 3, 4))
    for total in ("active_energy_import", "active_energy_export")
}


def newest_failure(items: list[Measurement], times: Times) -> dict[str, Measurement]:
    """The newest entry of 99.97.0 ``(n)(0-0:96.7.19)(time)(duration*s)...`` that has sense."""
    newest: tuple[datetime, Measurement] | None = None
    for end, duration in zip(items[2::2], items[3::2], strict=False):
        value = duration["value"]
        if not isinstance(value, Decimal) or value >= _NEVER:
            continue
        moment = times[str(end["value"])]
        if moment is not None and (newest is None or moment > newest[0]):
            newest = moment, duration
    if newest is None:
        return {}
    return {
        "last_power_failure_end": {"value": newest[0].isoformat(), "unit": ""},
        "last_power_failure_duration": newest[1],
    }


def add_totals(measurements: dict[str, Measurement]) -> None:
    """Sum up the tariffs where the meter sends no total: from the first on, at least two, one unit."""
    for total, tariffs in _TOTALS.items():
        if total in measurements or tariffs[0] not in measurements or tariffs[1] not in measurements:
            continue
        parts = [measurements[tariff] for tariff in tariffs if tariff in measurements]
        if tariffs[len(parts) - 1] in measurements:  # no gap between them
            added = _add_up(parts)
            if added is not None:
                measurements[total] = added


def name_thresholds(measurements: dict[str, Measurement]) -> None:
    """eMUCS-P1 has a limit of current where IEC 62056-61 has its average: 31.4.0, 51.4.0, 71.4.0."""
    for phase in ("l1", "l2", "l3"):
        threshold = measurements.pop(f"current_average_{phase}", None)
        if threshold is not None:
            measurements[f"current_threshold_{phase}"] = threshold


def _add_up(parts: list[Measurement]) -> Measurement | None:
    total, unit = Decimal(0), parts[0]["unit"]
    for part in parts:
        value = part["value"]
        if not isinstance(value, Decimal) or part["unit"] != unit:
            return None
        total += value
    if len(total.as_tuple().digits) > LONGEST_NUMBER:  # and 28 digits would have been rounded
        return None
    return {"value": total, "unit": unit}
