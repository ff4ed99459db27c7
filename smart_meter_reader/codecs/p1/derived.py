"""What a telegram says only between its lines: totals of tariffs, and the newest power failure of its log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from smart_meter_reader.codecs.p1.values import Times
from smart_meter_reader.quantities import QUANTITIES, Kind
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.text import LONGEST_NUMBER

_ZERO: Final = Decimal(0)
_NEVER = 2147483647  # seconds in an empty slot of the power failure log
# The totals, and the tariffs that add up to them.
_TOTALS: Final = {
    total: tuple(f"{total}_tariff_{tariff}" for tariff in (1, 2, 3, 4))
    for total in ("active_energy_import", "active_energy_export")
}
_LIMITS: Final = tuple((f"current_average_l{phase}", f"current_threshold_l{phase}") for phase in (1, 2, 3))
_TRANSFORMED: Final = frozenset(
    {
        *(Kind.ENERGY, Kind.REACTIVE_ENERGY, Kind.APPARENT_ENERGY, Kind.CURRENT),
        *(Kind.POWER, Kind.REACTIVE_POWER, Kind.APPARENT_POWER),
    }
)
# The power of all, and the phases that add up to it.
_PHASES: Final = {
    f"active_power_{way}": tuple(f"active_power_{way}_l{phase}" for phase in (1, 2, 3))
    for way in ("import", "export")
}
# What the grid gives, less what it takes.
_NET: Final = tuple(
    (f"active_power_net{phase}", f"active_power_import{phase}", f"active_power_export{phase}")
    for phase in ("", "_l1", "_l2", "_l3")
)


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


def add_powers(measurements: dict[str, Measurement]) -> None:
    """Sum up the phases where the meter sends no power of all."""
    for total, phases in _PHASES.items():
        if total not in measurements and all(phase in measurements for phase in phases):
            added = _add_up([measurements[phase] for phase in phases])
            if added is not None:
                measurements[total] = added


def add_net_powers(measurements: dict[str, Measurement]) -> None:
    """What import is more than export, where the meter does not tell it."""
    for net, taken, given in _NET:
        more = measurements.get(taken)
        if more is None or net in measurements:
            continue
        less = measurements.get(given)
        if less is None or less["unit"] != more["unit"]:
            continue
        out, into = less["value"], more["value"]
        if isinstance(out, Decimal) and isinstance(into, Decimal):
            measurements[net] = {"value": into - out, "unit": more["unit"]}


def multiply(measurements: Mapping[str, Measurement], ratio: Decimal) -> dict[str, Measurement]:
    """The measurements with energies, powers and currents as they are before the current transformers.

    Limits are the meter's own, and neither a voltage nor a power factor passes a current transformer.
    """
    return {
        key: {**item, "value": item["value"] * ratio}
        if isinstance(item["value"], Decimal) and _is_transformed(key)
        else item
        for key, item in measurements.items()
    }


def _is_transformed(key: str) -> bool:
    quantity = QUANTITIES.get(key)
    return quantity is not None and quantity.kind in _TRANSFORMED and "threshold" not in key


def name_thresholds(measurements: dict[str, Measurement]) -> None:
    """eMUCS-P1 and E.ON (HU) have a limit of current where IEC 62056-61 has its average: 31.4.0 and so on."""
    for average, threshold in _LIMITS:
        item = measurements.pop(average, None)
        if item is not None:
            measurements[threshold] = item


def _add_up(parts: list[Measurement]) -> Measurement | None:
    unit = parts[0]["unit"]
    total = _ZERO
    for part in parts:
        value = part["value"]
        if not isinstance(value, Decimal) or part["unit"] != unit:
            return None
        total += value
    # As text that is too long by a point at most; counting digits would cost more than the sum.
    if (
        len(str(total)) > LONGEST_NUMBER and len(total.as_tuple().digits) > LONGEST_NUMBER
    ):  # and 28 digits would have been rounded
        return None
    return {"value": total, "unit": unit}
