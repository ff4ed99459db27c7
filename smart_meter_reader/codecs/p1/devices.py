"""What an M-Bus device behind the electricity meter says of itself: gas, water, heat and further meters.

DSMR 5.0.2 P1, section 6.12; device types by EN 13757-3, written in decimal. NL puts the reading on 24.2.1,
BE the gas that is not temperature corrected on 24.2.3, DSMR 2.2 and 3 a small table on 24.3.0. Before the
channels there were groups of their own: 7-0:23.1.0 (value)(time) for gas, 5-0, 6-0 and 8-0:1.0.0 for heat,
cold and water (NTA 8130).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from smart_meter_reader.codecs.p1.values import LineMemory, Object
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.text import LONGEST_NAME, is_digits, printable

# A device cannot have measured after the telegram was sent; clocks differ by minutes, wrong ones by months.
_AHEAD = timedelta(days=1)
_MOST_REMEMBERED = 16  # a telegram has four channels

_MEDIA: Final[Mapping[int, str]] = {
    2: "electricity",
    3: "gas",
    4: "heat",
    6: "warm-water",
    7: "water",
    8: "heat-cost",
    10: "cooling",
    11: "cooling",
    12: "heat",
    13: "heat",
    21: "hot-water",
    22: "cold-water",
    23: "water",
}
# Other, bus or system, and unknown: what they measure is not said.
_UNTOLD_TYPES: Final = frozenset({0, 14, 15})
MEDIA: Final = frozenset(_MEDIA.values())
_WATERS: Final = frozenset({"water", "warm-water", "hot-water", "cold-water"})
_ENERGY_UNITS: Final = frozenset({"Wh", "kWh", "MWh", "GWh", "J", "kJ", "MJ", "GJ"})
# The media that group A of a code names, as device types; NTA 8130 has heat and cold the other way round
# than IEC 62056-61.
_GROUP_TYPES: Final[Mapping[int, int]] = {5: 4, 6: 10, 7: 3, 8: 7}
_IDENTIFIERS: Final = ("96.1.0", "96.1.1", "0.0.0")
_READINGS: Final = ("24.2.", "24.3.0", "23.1.0", "23.2.0", "1.0.0")

# The lines of each device by reduced code (C.D.E), the devices by groups A and B of the code.
Devices = dict[tuple[int, int], dict[str, Object]]
_VALVE: Final = "24.4.0"
POSITIONS: Final = frozenset({"valve_position"})


class SubMeter(NamedTuple):
    """One device on an M-Bus channel or on none (0). ``medium`` ("gas", ...) ends its meter's name.

    ``group`` is A and B of the codes of its lines. A tuple, since every telegram makes one or two of them.
    """

    medium: str
    group: tuple[int, int]
    device_type: int | None
    serial_number: str
    measurements: dict[str, Measurement]

    @property
    def channel(self) -> int:
        """The M-Bus channel."""
        return self.group[1]

    @property
    def prefix(self) -> str:
        """What the codes of its lines begin with: "0-1:"."""
        return f"{self.group[0]}-{self.group[1]}:"

    def owned(self, codes: Iterable[str]) -> list[str]:
        """Of codes as written those of the device's lines: a relay on its channel is not the device's."""
        prefix = self.prefix
        return [
            code for code in codes if code.startswith(prefix) and not code.startswith("96.3.10", len(prefix))
        ]

    @property
    def measured_at(self) -> datetime | None:
        """When the device measured, by its newest value with a time."""
        times = [item["measured_at"] for item in self.measurements.values() if "measured_at" in item]
        return max(times, default=None)


class _Description(NamedTuple):
    """What a device is, by ``lines`` that are the same from telegram to telegram."""

    lines: dict[str, Object]
    device_type: int | None
    serial_number: str
    positions: dict[str, Measurement]


class DeviceReader:
    """Reads the lines of devices; remembers, bounded, what the lines say that are no reading."""

    def __init__(self, memory: LineMemory) -> None:
        self._memory = memory
        self._known: dict[tuple[int, int], _Description] = {}

    def read(
        self, group: tuple[int, int], lines: Mapping[str, Object], sent_at: datetime | None
    ) -> SubMeter | None:
        """The device with ``lines`` by reduced code, in a telegram of ``sent_at``; None without a medium."""
        readings: list[Measurement] = []
        others: dict[str, Object] = {}
        for code, line in lines.items():
            if not code.startswith(_READINGS):
                others[code] = line
                continue
            reading = _timed(line, sent_at, self._memory)
            if reading is not None:
                readings.append(reading)
        known = self._known.get(group)
        if known is None or known.lines != others:
            known = self._describe(group, others)
        medium = _medium(known.device_type, readings, has_lines=len(others) < len(lines))
        if not medium:
            return None
        measurements: dict[str, Measurement] = {}
        for item in readings:
            quantity = _quantity(medium, item["unit"])
            if quantity:
                measurements.setdefault(quantity, item)
        measurements.update(known.positions)
        return SubMeter(medium, group, known.device_type, known.serial_number, measurements)

    def _describe(self, group: tuple[int, int], lines: dict[str, Object]) -> _Description:
        device_type = _integer(lines["24.1.0"]) if "24.1.0" in lines else _GROUP_TYPES.get(group[0])
        identifiers = (_text(line) for code, line in lines.items() if code in _IDENTIFIERS)
        identifier = next(filter(None, identifiers), "")
        position = _integer(lines[_VALVE]) if _VALVE in lines else None
        positions: dict[str, Measurement] = {}
        if position is not None:
            positions["valve_position"] = {"value": position, "unit": ""}
        serial_number = printable(self._memory.octets[identifier], LONGEST_NAME)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        known = self._known[group] = _Description(lines, device_type, serial_number, positions)
        return known


def _medium(device_type: int | None, readings: Sequence[Measurement], *, has_lines: bool) -> str:
    """By device type; without one by the unit, as DSMR 2.2 gas meters without 24.1.0 need it.

    A type that is not ours says all the same that it is no gas meter: oil and waste water come in m³ too.
    """
    if device_type is not None and device_type in _MEDIA:
        return _MEDIA[device_type]
    if device_type is not None and device_type not in _UNTOLD_TYPES:
        return f"mbus-{device_type}" if has_lines else ""
    for item in readings:
        return "heat" if item["unit"] in _ENERGY_UNITS else "gas" if item["unit"] == "m³" else ""
    return f"mbus-{device_type}" if device_type and has_lines else ""


def _quantity(medium: str, unit: str) -> str:
    if unit in ("m³", "L"):
        return "gas_volume" if medium == "gas" else "water_volume" if medium in _WATERS else "volume"
    if unit in _ENERGY_UNITS:
        energies = {"electricity": "active_energy_import", "cooling": "cooling_energy"}
        return energies.get(medium, "heat_energy")
    return {"m³/h": "volume_flow", "L/h": "volume_flow", "kW": "power", "W": "power"}.get(unit, "")


def _timed(line: Object, sent_at: datetime | None, memory: LineMemory) -> Measurement | None:
    """The value of a reading line, with the device's own time where that makes sense.

    None for a device that never reported: no number, no unit, or zero at a nonsense time.
    """
    items = line if isinstance(line, list) else [line]
    if isinstance(items[0]["value"], Decimal):
        items = items[::-1]  # NTA 8130 has the value before its time
    value = items[-1]["value"]
    unit = items[-1]["unit"]
    if not unit and len(items) == 7:  # 24.3.0 (time)(status)(period)(1)(0-1:24.2.1)(m3)(value)
        unit = str(items[-2]["value"])
    if not isinstance(value, Decimal) or not unit:
        return None
    measured: Measurement = {"value": value, "unit": memory.units[unit]}
    if len(items) == 1:
        return measured
    moment = memory.times[str(items[0]["value"])]
    if moment is None or (sent_at is not None and moment > sent_at + _AHEAD):
        return measured if value else None
    measured["measured_at"] = moment
    return measured


def _integer(line: Object) -> int | None:
    """A code of one octet (DSMR 5.0.2 P1, 6.12); None for what is none."""
    text = _text(line)
    return number if is_digits(text, 4) and (number := int(text)) <= 0xFF else None


def _text(line: Object) -> str:
    return str(line["value"]) if isinstance(line, dict) else ""
