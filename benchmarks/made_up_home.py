"""A made-up home to look at: heat, electricity with solar panels, and gas, for years; with gaps.

``python -m benchmarks.made_up_home DIRECTORY NAME`` writes three years that end now, for scripts/demo; the
emulated meters of `smart-meter-reader emulate` go on from there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import cos, pi, sin
from pathlib import Path
from zoneinfo import ZoneInfo

from smart_meter_reader.history.places import history_file, recent_file
from smart_meter_reader.history.rows import CounterRow, EventRow, Row, RowOrigin, SegmentRow
from smart_meter_reader.history.storage.raw import Block, BlockWriter
from smart_meter_reader.history.storage.schema import ZONE
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.quantities.measurement import Measurement

HOUSE = ZoneInfo("Europe/Amsterdam")
HOUR = 3600


def keep_home(path: Path, recent: Path, now: datetime, years: float = 3, ring: float = 25) -> None:
    """Fill a history that ends at ``now``; ``ring`` so many hours of single readings."""
    store = Store(path, recent, 31 * 86400)
    store.open()
    store.keep_setting(ZONE, HOUSE.key)
    end = int(now.timestamp())
    store.write(_rows(end, int(years * 8766)), list(_blocks(now, ring)))
    store.close()


def _rows(end: int, hours: int) -> Iterator[Row]:
    begin = (end // HOUR - hours) * HOUR
    for meter, serial in _SERIALS.items():
        yield SegmentRow(meter, begin, serial, "made up")
    times = [begin + number * HOUR for number in range(hours + 1)]
    used = [_used(time) for time in times]
    # The last row is what the emulated meter shows when it starts.
    sums = {key: last - sum((each[key] for each in used), Decimal(0)) for key, last in _LAST.items()}
    for number, (time, more) in enumerate(zip(times, used, strict=True)):
        for key in sums:
            sums[key] += more[key]
        # Older hours in steps, so that it takes no time; a weekend and a night without the service.
        left = hours - number
        if left > 24 * 40 and number % 6:
            continue
        if 24 * 9 + 5 < left < 24 * 11 - 3 or 30 < left < 36:
            continue
        origin = RowOrigin.LOGGER if 24 * 5 < left < 24 * 6 else RowOrigin.MEASURED
        for key, unit in _UNITS.items():
            yield CounterRow(
                _METERS[key], _QUANTITIES[key], unit, min(end, time + number % 7), sums[key], origin
            )
    yield EventRow("heat", end - 36 * HOUR, "silent", "the meter did not answer")
    for meter in _SERIALS:
        yield EventRow(meter, end, "made_up", "all before this moment is made up, for looking at the page")


# As the emulated meters tell them, and a little less than they count when they start.
_SERIALS = {
    "heat": "88334095",
    "p1": "E0054001234567820",
    "p1-gas": "G0039001234567819",
    "solar": "60017",
}
_LAST = {
    "heat_energy": Decimal("303.390"),
    "volume": Decimal("2469.30"),
    "volume_times_flow_temperature": Decimal(167912),
    "volume_times_return_temperature": Decimal(93832),
    "active_energy_import": Decimal("6826.089"),
    "active_energy_export": Decimal("8124.431"),
    "active_energy_import_tariff_1": Decimal("4426.215"),
    "active_energy_import_tariff_2": Decimal("2399.874"),
    "active_energy_export_tariff_1": Decimal("2444.101"),
    "active_energy_export_tariff_2": Decimal("5680.330"),
    "gas_volume": Decimal("3107.210"),
    # Of the inverter's own meter, which is wired such that what it brings is import.
    "solar_energy": Decimal("12718.0"),
}
_UNITS = {
    "heat_energy": "GJ",
    "volume": "m³",
    "volume_times_flow_temperature": "m³·°C",
    "volume_times_return_temperature": "m³·°C",
    "active_energy_import": "kWh",
    "active_energy_export": "kWh",
    "active_energy_import_tariff_1": "kWh",
    "active_energy_import_tariff_2": "kWh",
    "active_energy_export_tariff_1": "kWh",
    "active_energy_export_tariff_2": "kWh",
    "gas_volume": "m³",
    "solar_energy": "kWh",
}
_METERS = dict.fromkeys(_UNITS, "heat") | {
    key: "p1" for key in _UNITS if key.startswith("active_energy")
} | {"gas_volume": "p1-gas", "solar_energy": "solar"}  # fmt: skip
# Two meters count the same quantity.
_QUANTITIES = {key: key for key in _UNITS} | {"solar_energy": "active_energy_import"}


def _used(time: int) -> dict[str, Decimal]:
    """What a home uses in the hour before ``time``: more in winter, in the morning and in the evening."""
    local = datetime.fromtimestamp(time, HOUSE)
    winter = (1 + cos((local.timetuple().tm_yday - 20) / 365 * 2 * pi)) / 2
    morning = 1.6 if local.hour in (7, 8, 18, 19, 20, 21) else 0.7 if 9 <= local.hour < 18 else 0.3
    noise = 0.8 + (time // HOUR * 7919 % 101) / 250
    heat = 0.012 * winter**2 * morning * noise + (0.004 if local.hour == 7 else 0.0003)
    sun = max(0.0, sin((local.hour - 6) / 12 * pi)) * (1.25 - winter) * noise * 1.1
    need = 0.35 * morning * noise
    low = local.weekday() > 4 or not 7 <= local.hour < 23
    flow, back = 62 + 6 * winter, 34 + 4 * winter * noise
    volume = heat / 0.00415 / (flow - back)
    into, out = _split(max(0.0, need - sun), low), _split(max(0.0, sun - need), low)
    totals = (sum(into), sum(out))
    told = (heat, volume, volume * flow, volume * back, *totals, *into, *out, heat * 4 + 0.02 * morning, sun)
    return {key: Decimal(f"{value:.3f}") for key, value in zip(_UNITS, told, strict=True)}


def _split(energy: float, low: bool) -> tuple[float, float]:
    return (energy, 0.0) if low else (0.0, energy)


def _blocks(now: datetime, hours: float) -> Iterator[Block]:
    writers = {"heat": (BlockWriter(), 60), "p1": (BlockWriter(), 10)}
    for meter, (writer, step) in writers.items():
        for number in range(int(hours * HOUR / step), 0, -1):
            time = now - timedelta(seconds=number * step)
            writer.add(time.astimezone(UTC), measured(meter, time))
        if len(writer):
            yield writer.finish(meter)


def measured(meter: str, time: datetime) -> dict[str, Measurement]:
    """What a meter tells at a time."""
    minute = time.timestamp() / 60
    if meter == "heat":
        power = 4.2 + 2.4 * sin(minute / 47) + 0.8 * sin(minute / 5)
        return {
            "power": _measurement(f"{max(0.0, power):.1f}", "kW"),
            "volume_flow": _measurement(f"{max(0.0, power) * 31:.0f}", "L/h"),
            "flow_temperature": _measurement(f"{66 + 2 * sin(minute / 31):.2f}", "°C"),
            "return_temperature": _measurement(f"{37 + sin(minute / 17):.2f}", "°C"),
            "heat_energy": _measurement("112.345", "GJ"),
        }
    net = 0.4 + 0.9 * sin(minute / 61) + (1.9 if int(minute) % 53 < 6 else 0)
    return {
        "active_power_import": _measurement(f"{max(0.0, net):.3f}", "kW"),
        "active_power_export": _measurement(f"{max(0.0, -net):.3f}", "kW"),
        "active_energy_import_tariff_1": _measurement("4321.098", "kWh"),
        "active_energy_import_tariff_2": _measurement("5432.109", "kWh"),
        "voltage_l1": _measurement("231.4", "V"),
    }


def _measurement(value: str, unit: str) -> Measurement:
    return {"value": Decimal(value), "unit": unit}


if __name__ == "__main__":
    folder, name = Path(sys.argv[1]), sys.argv[2]
    keep_home(history_file(folder, name), recent_file(folder, name), datetime.now(UTC))
