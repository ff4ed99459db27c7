"""An emulated home over three years: what its meters put on their lines, and what they have truly counted.

A heat meter (KMP) that is replaced and two of whose counters roll over; a P1 meter with gas on M-Bus that is
replaced. What they use are whole numbers by the hour and by the quarter of an hour, so that every counter is
known at every second. What goes over the lines is made by the emulators' own code.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

from smart_meter_reader.codecs.kmp import GetRegisterRequest, GetSerialNoRequest, Request
from smart_meter_reader.codecs.p1.encode import encode_telegram
from smart_meter_reader.meters.kmp.emulated_values import House, Values
from smart_meter_reader.meters.kmp.emulator import KamstrupMeter
from smart_meter_reader.meters.p1.emulated_telegrams import TEMPLATES

START = int(datetime(2022, 12, 31, 18, tzinfo=UTC).timestamp())
END = int(datetime(2026, 1, 1, 3, tzinfo=UTC).timestamp())
QUARTER, HOUR, DAY = 900, 3600, 86400
# P1 meters tell Central European time, whatever the house's zone is.
_METER_ZONE = ZoneInfo("Europe/Amsterdam")
REGISTERS = ("heat_energy", "volume", "volume_times_flow_temperature", "volume_times_return_temperature")
REGISTER_IDS = (60, 68, 97, 110, 80, 86, 87)
_GJ_PER_KWH = 0.0036


class Course:
    """A counter in its last decimal: so much in each step of time, evenly within it."""

    def __init__(self, amounts: Sequence[int], step: int, first: int = 0) -> None:
        self.amounts = amounts
        self._step = step
        self._counted = [first]
        for amount in amounts:
            self._counted.append(self._counted[-1] + amount)

    def at(self, time: int) -> int:
        """What it has counted at a time, in its last decimal."""
        index, rest = divmod(time - START, self._step)
        return self._counted[index] + self.amounts[index] * rest // self._step


@dataclass
class Shown:
    """What one device has told of one counter: the times, and the counts without turns of the digits."""

    decimals: int
    times: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def tell(self, time: int, count: int) -> None:
        """It was read; the same time again says nothing new."""
        if not self.times or time > self.times[-1]:
            self.times.append(time)
            self.counts.append(count)

    def forget(self, since: int) -> None:
        """What came since then was never written: a power cut."""
        first = bisect_left(self.times, since)
        del self.times[first:], self.counts[first:]

    @property
    def counted(self) -> Decimal:
        """From the first reading to the last."""
        return self.decimal(self.counts[-1] - self.counts[0])

    def decimal(self, count: int) -> Decimal:
        """A count as the meter shows it."""
        return Decimal(count).scaleb(-self.decimals)

    def around(self, instant: int) -> tuple[int, int]:
        """The counts of the readings before and after an instant: of each quarter the first one is kept."""
        after = bisect_left(self.times, instant)
        if after == len(self.times):
            return self.counts[-1], self.counts[-1]
        if self.times[after] == instant or not after:
            return self.counts[after], self.counts[after]
        last = self.times[after - 1]
        before = bisect_left(self.times, last - last % QUARTER)
        return self.counts[before], self.counts[after]

    def limits(self, begin: int, end: int) -> tuple[Decimal, Decimal]:
        """What can have been counted between two instants, by the readings around them."""
        (least_begin, most_begin), (least_end, most_end) = self.around(begin), self.around(end)
        return self.decimal(max(0, least_end - most_begin)), self.decimal(most_end - least_begin)


class HeatHouse(House):
    """A house whose heat and water are known by the hour, in the last decimals of the meter."""

    def __init__(self, seed: int, energy: int, volume: int) -> None:
        """``energy`` and ``volume``: what the meter shows in the first hour, in its last decimals."""
        super().__init__(seed)
        chance = Random(seed)
        hours = range(START, END + DAY, HOUR)
        heat, water, flow, back = [], [], [], []
        for hour in hours:
            season = abs((hour // DAY - 20) % 365 - 182) / 182  # 1 in January, 0 in July
            heat.append(chance.randrange(2, 6) + int(season * chance.randrange(40)))
            water.append(heat[-1] * chance.randrange(6, 12) // 10)
            flow.append(water[-1] * (60 + int(season * 20)) // 100)
            back.append(water[-1] * (30 + chance.randrange(10)) // 100)
        self.courses = {
            "heat_energy": Course(heat, HOUR, energy),
            "volume": Course(water, HOUR, volume),
            "volume_times_flow_temperature": Course(flow, HOUR, 10_000),
            "volume_times_return_temperature": Course(back, HOUR, 6_000),
        }

    def _step(self, quantity: str, seconds: float) -> float:
        # Seven digits, as on the display; the half keeps the float clear of the step below.
        return self.courses[quantity].at(START + int(seconds)) % 10**7 + 0.5

    def energy(self, seconds: float) -> float:
        return self._step("heat_energy", seconds) / 1000 / _GJ_PER_KWH

    def volume(self, seconds: float) -> float:
        return self._step("volume", seconds) / 100

    def volume_times_flow_temperature(self, seconds: float) -> float:
        return self._step("volume_times_flow_temperature", seconds)

    def volume_times_return_temperature(self, seconds: float) -> float:
        return self._step("volume_times_return_temperature", seconds)


class HeatMeter:
    """An emulated MULTICAL 403 in such a house, and what it has told."""

    def __init__(self, seed: int, energy: int = 0, volume: int = 0) -> None:
        self.house = HeatHouse(seed, energy, volume)
        start = datetime.fromtimestamp(START, UTC)
        self._meter = KamstrupMeter("403", values=Values(self.house, "403", start, {}))
        decimals = {"heat_energy": 3, "volume": 2}
        self.shown = {quantity: Shown(decimals.get(quantity, 0)) for quantity in REGISTERS}

    @property
    def serial_number(self) -> str:
        return str(self.house.serial_number)

    def answer(self, request: Request, time: int) -> bytes:
        """The bytes that answer."""
        frame = self._meter.answer(request, time - START)
        assert frame is not None
        if isinstance(request, GetRegisterRequest):
            for quantity, shown in self.shown.items():
                shown.tell(time, self.house.courses[quantity].at(time))
        return frame


READ = GetRegisterRequest(REGISTER_IDS)
WHO = GetSerialNoRequest()


@dataclass
class _Loads:
    """What a home with solar panels uses, by the quarter of an hour."""

    imported: tuple[list[int], list[int]]
    exported: list[int]
    gas: list[int]


def _loads(seed: int) -> _Loads:
    chance = Random(seed)
    low: list[int] = []
    high: list[int] = []
    exported: list[int] = []
    gas: list[int] = []
    for quarter in range(START, END + DAY, QUARTER):
        hour, weekday = quarter // HOUR % 24, (quarter // DAY + 3) % 7
        load = chance.randrange(30, 120) + (chance.randrange(400, 2200) if chance.random() < 0.02 else 0)
        sun = max(0, 500 - 100 * abs(hour - 11)) if chance.random() < 0.7 else 0
        cheap = hour >= 22 or hour < 6 or weekday >= 5
        low.append(max(load - sun, 0) if cheap else 0)
        high.append(0 if cheap else max(load - sun, 0))
        exported.append(max(sun - load, 0))
        gas.append(chance.randrange(100))
    return _Loads((low, high), exported, gas)


# A connection of one phase without voltage: fewer lines, so that three years take less than a minute.
_TEMPLATE = b"\r\n".join(
    line for line in TEMPLATES["dsmr-5"].split(b"\r\n") if not re.match(rb"1-0:[0-9]{2}\.", line)
)
_FIELDS = re.compile(
    rb"(0-0:1\.0\.0|1-0:[12]\.8\.[12]|0-0:96\.14\.0|0-1:96\.1\.0|1-0:[12]\.7\.0)\([^)]*?(\*kW|\*kWh)?\)"
    rb"|(0-1:24\.2\.1)\([0-9SW]*\)\([0-9.]*"
)


class PowerMeter:
    """An emulated DSMR 5 meter with a gas meter on M-Bus, and what they have told."""

    def __init__(self) -> None:
        loads = _loads(5)
        self.imported = [low + high for low, high in zip(*loads.imported, strict=True)]
        self.courses = {
            "active_energy_import_tariff_1": Course(loads.imported[0], QUARTER, 4_426_215),
            "active_energy_import_tariff_2": Course(loads.imported[1], QUARTER, 2_399_874),
            "active_energy_export_tariff_2": Course(loads.exported, QUARTER, 5_680_330),
        }
        self.shown = {quantity: Shown(3) for quantity in (*self.courses, "active_energy_import")}
        self.gas_serial_number = "G0039001234567819"
        self.gas_course = Course(loads.gas, QUARTER, 3_107_218)
        self.gas_shown = [Shown(3)]

    def replace_gas_meter(self) -> None:
        """Another one, that begins at zero, on the same channel."""
        self.gas_serial_number = "G0099001234567800"
        self.gas_course = Course(self.gas_course.amounts, QUARTER, 12)
        # It has counted since the emulated home began; what matters is what it shows when it is read.
        self.gas_shown.append(Shown(3))

    def telegram(self, time: int) -> bytes:
        """The bytes of the telegram of a second."""
        counts = [course.at(time) for course in self.courses.values()]
        for shown, count in zip(self.shown.values(), [*counts, counts[0] + counts[1]], strict=True):
            shown.tell(time, count)
        # As older gas meters do: the counter as it stood at the full hour.
        measured = time - time % HOUR
        gas = self.gas_course.at(max(measured, START))
        self.gas_shown[-1].tell(measured, gas)
        watts = self.imported[(time - START) // QUARTER] * 4
        fields = {
            b"0-0:1.0.0": _stamp(time),
            b"1-0:1.8.1": _kilo(counts[0]) + b"*kWh",
            b"1-0:1.8.2": _kilo(counts[1]) + b"*kWh",
            b"1-0:2.8.2": _kilo(counts[2]) + b"*kWh",
            b"1-0:1.7.0": b"%02d.%03d*kW" % divmod(watts, 1000),
            b"0-1:96.1.0": self.gas_serial_number.encode().hex().upper().encode(),
        }

        def fill(match: re.Match[bytes]) -> bytes:
            if match[3]:
                return match[3] + b"(" + _stamp(measured) + b")(" + b"%05d.%03d" % divmod(gas, 1000)
            return match[1] + b"(" + fields[match[1]] + b")" if match[1] in fields else match[0]

        return encode_telegram(_FIELDS.sub(fill, _TEMPLATE))


def _kilo(count: int) -> bytes:
    return b"%06d.%03d" % divmod(count, 1000)


def _stamp(time: int) -> bytes:
    local = datetime.fromtimestamp(time, _METER_ZONE)
    return f"{local:%y%m%d%H%M%S}{'S' if local.dst() else 'W'}".encode()


def utc(*when: int) -> int:
    """Seconds since 1970 of a date and time in UTC."""
    return int(datetime(*when, tzinfo=UTC).timestamp())  # type: ignore[arg-type, misc]


def changes_of_summer_time() -> list[int]:
    """The instants at which the European Union changed its clocks in these years."""
    hours = range(START, END, HOUR)
    offsets = [datetime.fromtimestamp(hour, _METER_ZONE).utcoffset() for hour in hours]
    return [
        hour for hour, (before, after) in zip(hours[1:], pairwise(offsets), strict=True) if before != after
    ]
