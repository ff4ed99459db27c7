"""What a telegram remembers of months: Belgium's peaks, and Hungary's registers at the end of the last one.

Both stand on 0-0:98.1.0. eMUCS-P1 2.1: (entries)(code)(code), then for each month its end, the time of its
peak and the peak, up to thirteen. E.ON (HU): the end of the month, then registers in a fixed order without
their codes; Holley sends the first five of another order. Layouts are told apart by units and by sums, and
one that does not add up stays among the objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Final

from smart_meter_reader.codecs.p1.values import Times
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.quantities.units import canonical

_MONTHS: Final = 13
# Belgium's capacity tariff goes by the mean of twelve months.
_YEAR: Final = 12
_IMPORT, _EXPORT = "active_energy_import", "active_energy_export"
_PEAK_IN, _PEAK_OUT = "active_demand_import_maximum", "active_demand_export_maximum"
_PEAKS: Final = tuple(f"{_PEAK_IN}_month_{number}" for number in range(1, _MONTHS + 1))
_E_ON: Final = (
    *(_IMPORT, f"{_IMPORT}_tariff_1", f"{_IMPORT}_tariff_2"),
    *(_EXPORT, f"{_EXPORT}_tariff_1", f"{_EXPORT}_tariff_2"),
    *("reactive_energy_import", "reactive_energy_export"),
    *(f"reactive_energy_q{quadrant}" for quadrant in (1, 2, 3, 4)),
    "active_energy_sum",
    *(_PEAK_IN, f"{_PEAK_IN}_tariff_1", f"{_PEAK_IN}_tariff_2"),
    *(_PEAK_OUT, f"{_PEAK_OUT}_tariff_1", f"{_PEAK_OUT}_tariff_2"),
)
_E_ON_UNITS: Final = ("kWh",) * 6 + ("kvarh",) * 6 + ("kWh",) + ("kW",) * 6
_HOLLEY: Final = (_IMPORT, *(f"{_IMPORT}_tariff_{tariff}" for tariff in (1, 2, 3, 4)))
_HOLLEY_UNITS: Final = ("kWh",) * 5


def read_months(items: Sequence[Measurement], times: Times) -> dict[str, Measurement]:
    """The quantities of a line 98.1.0; none when it makes no sense."""
    moment = times[str(items[0]["value"])]
    if moment is not None:
        return dict(_registers(items[1:], moment))
    return _peaks(items[3:], times)


def _peaks(items: Sequence[Measurement], times: Times) -> dict[str, Measurement]:
    """The peak of each month, and their mean over the last twelve."""
    months: list[tuple[datetime, Measurement]] = []
    written = unit = ""
    for end, at, peak in zip(items[::3], items[1::3], items[2::3], strict=False):
        ended, peaked = times[str(end["value"])], times[str(at["value"])]
        value = peak["value"]
        if peak["unit"] != written:  # the same for all, as a rule
            written = peak["unit"]
            unit = canonical(written)
        # A month in which nothing was measured has zero, at its first moment.
        if ended is None or peaked is None or not isinstance(value, Decimal) or not value:
            continue
        months.append((ended, {"value": value, "unit": unit, "measured_at": peaked}))
    months.sort(key=itemgetter(0), reverse=True)
    newest = [peak for _, peak in months]
    found = dict(zip(_PEAKS, newest, strict=False))
    year = newest[:_YEAR]
    if len({peak["unit"] for peak in year}) == 1:
        values = [peak["value"] for peak in year if isinstance(peak["value"], Decimal)]
        mean = (sum(values, Decimal(0)) / len(values)).quantize(values[0])
        found[f"{_PEAK_IN}_mean"] = {"value": mean, "unit": year[0]["unit"]}
    return found


def _registers(items: Sequence[Measurement], ended: datetime) -> Iterator[tuple[str, Measurement]]:
    units = tuple(canonical(item["unit"]) for item in items)
    values = [item["value"] for item in items if isinstance(item["value"], Decimal)]
    if len(values) != len(items):
        return
    if units == _E_ON_UNITS and values[0] == values[1] + values[2] and values[3] == values[4] + values[5]:
        names = _E_ON
    elif units == _HOLLEY_UNITS and values[0] == sum(values[1:]):
        names = _HOLLEY
    else:
        return
    for name, value, unit in zip(names, values, units, strict=True):
        yield f"{name}_month_end", {"value": value, "unit": unit, "measured_at": ended}
