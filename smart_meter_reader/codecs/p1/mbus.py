"""The M-Bus channels of a telegram: gas, water, heat and further meters behind the electricity meter.

DSMR 5.0.2 P1, section 6.12; device types by EN 13757-3, written in decimal. NL puts the reading on 24.2.1,
BE the gas that is not temperature corrected on 24.2.3, DSMR 2.2 and 3 a small table on 24.3.0. Before the
channels there were groups of their own: 7-0:23.1.0 (value)(time) for gas, 5-0, 6-0 and 8-0:1.0.0 for heat,
cold and water (NTA 8130). A replaced meter may stay on its channel for ever, with zero, without unit or with
a nonsense time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Final, NamedTuple

from smart_meter_reader.codecs.p1.values import Memory, Object
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.text import LONGEST_NAME, is_digits, printable

# A device cannot have measured after the telegram was sent; clocks differ by minutes, wrong ones by months.
_AHEAD = timedelta(days=1)
# Devices report every five minutes to every hour, and a wireless one is not heard each time.
_CLEARLY_OLDER = timedelta(hours=3)

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
}
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
_POSITION_QUANTITIES: Final = frozenset({"valve_position"})


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

    def owns(self, code: str) -> bool:
        """Whether a line with this code, as written, is the device's: a relay on its channel is not."""
        return code.startswith(self.prefix) and not code.startswith("96.3.10", len(self.prefix))

    @property
    def measured_at(self) -> datetime | None:
        """When the device measured, by its newest value with a time."""
        times = [item["measured_at"] for item in self.measurements.values() if "measured_at" in item]
        return max(times, default=None)


class Chosen(NamedTuple):
    """The device that bears the name of its medium; ``counted``: whether it ever showed more than zero."""

    group: tuple[int, int]
    serial_number: str
    counted: bool

    def is_same(self, device: SubMeter) -> bool:
        """Whether ``device`` is it."""
        return (self.group, self.serial_number) == (device.group, device.serial_number)


MOST_IN_USE: Final = 32  # media that are remembered; a telegram has four channels


@dataclass(slots=True)
class InUse:
    """Which devices count: what the settings say of it, and the one ``chosen`` of each medium.

    ``channels``: no other ones; empty for all. ``by_channel``: each device has a name of its own, "gas-1".
    """

    channels: frozenset[int] = frozenset()
    by_channel: bool = False
    chosen: dict[str, Chosen] = field(default_factory=dict)


class Channels(NamedTuple):
    """The M-Bus devices of one telegram by name, one per medium as a rule; and the others."""

    meters: dict[str, SubMeter]
    dead: tuple[SubMeter, ...]


def read_channels(
    devices: Mapping[tuple[int, int], Mapping[str, Object]],
    sent_at: datetime | None,
    memory: Memory,
    in_use: InUse,
) -> Channels:
    """What ``devices`` say of themselves, and which of them are in use; ``in_use`` is brought up to date."""
    read: list[SubMeter] = []
    rivals: dict[str, list[SubMeter]] = {}
    for group in sorted(devices):
        device = _read_device(group, devices[group], sent_at, memory)
        if device is not None:
            read.append(device)
            if _alive(device) and (not in_use.channels or device.channel in in_use.channels):
                name = f"{device.medium}-{device.channel}" if in_use.by_channel else device.medium
                rivals.setdefault(name, []).append(device)
    meters: dict[str, SubMeter] = {}
    for name, several in rivals.items():
        before = in_use.chosen.get(name)
        if before is not None and before.counted and len(several) == 1 and before.is_same(several[0]):
            meters[name] = several[0]  # as in nearly every telegram
            continue
        if before is not None and in_use.channels and before.group[1] not in in_use.channels:
            before = None  # the settings have it otherwise now
        chosen = _choose(several, before)
        if chosen is not None:
            meters[name] = chosen
            _remember(in_use.chosen, name, chosen)
    if len(read) == len(meters):
        return Channels(meters, ())
    used = [id(device) for device in meters.values()]
    return Channels(meters, tuple(device for device in read if id(device) not in used))


def _remember(chosen: dict[str, Chosen], name: str, device: SubMeter) -> None:
    before = chosen.get(name)
    if before is None or not before.is_same(device):
        if before is None and len(chosen) >= MOST_IN_USE:
            return
        chosen[name] = Chosen(device.group, device.serial_number, _counted(device))
    elif not before.counted and _counted(device):
        chosen[name] = before._replace(counted=True)


def _counted(device: SubMeter) -> bool:
    """Whether it shows more than zero: one that was never connected, or taken over by another, does not."""
    return any(item["value"] for key, item in device.measurements.items() if key not in _POSITION_QUANTITIES)


def _alive(device: SubMeter) -> bool:
    """Whether it measures anything: a valve that is open is no sign of life."""
    return not device.measurements.keys() <= _POSITION_QUANTITIES


def _choose(rivals: list[SubMeter], before: Chosen | None) -> SubMeter | None:
    """Of the up-to-date ones the one that was chosen before, else the newest, or that of the higher channel.

    A new device takes the next free channel. Two that both live are newest by turns: going by that alone
    would mix two counters. One that shows zero takes the place of none that counts or has counted; a new
    meter does so with the first it counts.
    """
    if before is not None and before.counted:
        rivals = [device for device in rivals if before.is_same(device) or _counted(device)]
    elif len(rivals) > 1:
        rivals = [device for device in rivals if _counted(device)] or rivals
    if len(rivals) < 2:
        return rivals[0] if rivals else None
    timed = [(time, device) for device in rivals if (time := device.measured_at) is not None]
    if timed:
        timed.sort(key=itemgetter(0))
        newest = timed[-1][0]
        rivals = [device for time, device in timed if newest - time <= _CLEARLY_OLDER]
    for device in rivals:
        if before is not None and before.is_same(device):
            return device
    return rivals[-1]


def _read_device(
    group: tuple[int, int], lines: Mapping[str, Object], sent_at: datetime | None, memory: Memory
) -> SubMeter | None:
    device_type = _integer(lines["24.1.0"]) if "24.1.0" in lines else _GROUP_TYPES.get(group[0])
    identifier, has_lines = "", False
    readings: list[Measurement] = []
    positions: dict[str, Measurement] = {}
    for code, line in lines.items():
        if code.startswith(_READINGS):
            has_lines = True
            reading = _timed(line, sent_at, memory)
            if reading is not None:
                readings.append(reading)
        elif code in _IDENTIFIERS:
            identifier = identifier or _text(line)
        elif code == _VALVE:
            position = _integer(line)
            if position is not None:
                positions["valve_position"] = {"value": position, "unit": ""}
    medium = _medium(device_type, readings, has_lines=has_lines)
    if not medium:
        return None
    measurements: dict[str, Measurement] = {}
    for item in readings:
        quantity = _quantity(medium, item["unit"])
        if quantity:
            measurements.setdefault(quantity, item)
    measurements.update(positions)
    serial_number = printable(memory.octets[identifier], LONGEST_NAME)
    return SubMeter(medium, group, device_type, serial_number, measurements)


def _medium(device_type: int | None, readings: Sequence[Measurement], *, has_lines: bool) -> str:
    """By device type; without one by the unit, as DSMR 2.2 gas meters without 24.1.0 need it."""
    if device_type is not None and device_type in _MEDIA:
        return _MEDIA[device_type]
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


def _timed(line: Object, sent_at: datetime | None, memory: Memory) -> Measurement | None:
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
