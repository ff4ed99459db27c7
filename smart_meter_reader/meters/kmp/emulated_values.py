"""What an emulated heat meter measures: a house whose heat demand swings through the day."""

from __future__ import annotations

import json
import math
import random
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from smart_meter_reader.codecs.kmp import RegisterValue, encode_register
from smart_meter_reader.codecs.kmp.registers import REGISTERS, resolve_register
from smart_meter_reader.codecs.kmp.units import UNITS
from smart_meter_reader.exceptions import SettingsError, ValueFormatError
from smart_meter_reader.meters.kmp.emulated_info import EmulatedInfo
from smart_meter_reader.meters.kmp.emulated_loggers.clock import InnerClock

# kWh per m³ and kelvin of water around 60 °C.
_WATER = 1.143
_DAY = 86_400.0
_GJ_PER_KWH = 0.0036


class House:
    """Totals and momentary values at any time; the same seed and the same time give the same values.

    All follow from closed forms of the emulated seconds since the start, so that the clock can run at any
    rate and readings need not be regular.
    """

    def __init__(self, seed: int = 0) -> None:
        chance = random.Random(seed)  # noqa: S311 - values to look at
        self.serial_number = chance.randint(60_000_000, 89_999_999)
        self._power = chance.uniform(4.0, 9.0)  # kW, mean
        self._swing = self._power * chance.uniform(0.3, 0.6)
        self._phase = chance.uniform(0.0, 2 * math.pi)
        self._flow_temperature = chance.uniform(62.0, 74.0)
        self._difference = chance.uniform(25.0, 35.0)
        self._energy = chance.uniform(20_000.0, 90_000.0)  # kWh at the start
        self._hours = chance.randint(9_000, 60_000)

    def power(self, seconds: float) -> float:
        """Heat power in kW, positive."""
        return self._power + self._swing * math.sin(2 * math.pi * seconds / _DAY + self._phase)

    def energy(self, seconds: float) -> float:
        """Heat energy in kWh: the integral of the power; before the start ever less of it, never below 0."""
        swung = math.cos(self._phase) - math.cos(2 * math.pi * seconds / _DAY + self._phase)
        counted = (self._power * seconds + self._swing * swung * _DAY / (2 * math.pi)) / 3600
        return self._energy + counted if seconds >= 0 else _faded(self._energy, counted)

    def difference(self, seconds: float) -> float:
        """Flow minus return temperature in K."""
        return self._difference + 2 * math.sin(2 * math.pi * seconds / 7_000)

    def flow_temperature(self, seconds: float) -> float:
        """Temperature of the incoming water in °C."""
        return self._flow_temperature + 3 * math.sin(2 * math.pi * seconds / 5_000)

    def volume_flow(self, seconds: float) -> float:
        """Flow in l/h."""
        return self.power(seconds) / (_WATER * self.difference(seconds)) * 1000

    def volume(self, seconds: float) -> float:
        """Volume in m³."""
        return self.energy(seconds) / (_WATER * self._difference)

    def volume_times_flow_temperature(self, seconds: float) -> float:
        """E8 in m³ × °C: counted on with every volume by the temperature that it had."""
        return self.volume(seconds) * 68

    def volume_times_return_temperature(self, seconds: float) -> float:
        """E9, likewise."""
        return self.volume(seconds) * 38

    def hours(self, seconds: float) -> float:
        """Operating hours."""
        return self._hours + seconds / 3600 if seconds >= 0 else _faded(self._hours, seconds / 3600)

    @property
    def peak(self) -> float:
        """The highest power of a day in kW."""
        return self._power + self._swing


def _faded(total: float, counted: float) -> float:
    """A total before ``total`` was reached, which had ``counted``, a negative number, less by today's use."""
    return total * math.exp(counted / total)


@dataclass(frozen=True, slots=True)
class EmulatedRegister:
    """How one register is made: unit, decimals and mantissa length as on a MULTICAL 403, and its value."""

    unit: str
    decimals: int
    size: int
    value: Callable[[House, float], float]
    code: int | None = None  # of the unit, where it is not the plain one of that name


_SOURCES: Final[Mapping[int, EmulatedRegister]] = {
    60: EmulatedRegister("GJ", 3, 4, lambda house, at: house.energy(at) * _GJ_PER_KWH),
    63: EmulatedRegister("GJ", 3, 4, lambda house, at: 0),
    68: EmulatedRegister("m³", 2, 4, lambda house, at: house.volume(at)),
    72: EmulatedRegister("t", 2, 4, lambda house, at: house.volume(at) * 0.985),
    74: EmulatedRegister("l/h", 0, 2, House.volume_flow),
    80: EmulatedRegister("kW", 1, 2, House.power),
    86: EmulatedRegister("°C", 2, 2, House.flow_temperature),
    87: EmulatedRegister("°C", 2, 2, lambda house, at: house.flow_temperature(at) - house.difference(at)),
    89: EmulatedRegister("K", 2, 2, House.difference),
    97: EmulatedRegister("m³·°C", 0, 4, lambda house, at: house.volume_times_flow_temperature(at)),
    99: EmulatedRegister("", 0, 4, lambda house, at: 0),
    110: EmulatedRegister("m³·°C", 0, 4, lambda house, at: house.volume_times_return_temperature(at)),
    113: EmulatedRegister("", 0, 2, lambda house, at: 2),
    124: EmulatedRegister("l/h", 0, 2, lambda house, at: house.peak / (_WATER * 30) * 1000),
    126: EmulatedRegister("l/h", 0, 2, lambda house, at: 0),
    128: EmulatedRegister("kW", 1, 2, lambda house, at: house.peak),
    130: EmulatedRegister("kW", 1, 2, lambda house, at: 0),
    139: EmulatedRegister("l/h", 0, 2, lambda house, at: house.peak / (_WATER * 32) * 1000),
    141: EmulatedRegister("l/h", 0, 2, lambda house, at: 0),
    143: EmulatedRegister("kW", 1, 2, lambda house, at: house.peak * 0.97),
    145: EmulatedRegister("kW", 1, 2, lambda house, at: 0),
    146: EmulatedRegister("°C", 2, 2, lambda house, at: 67.41),
    147: EmulatedRegister("°C", 2, 2, lambda house, at: 38.02),
    149: EmulatedRegister("°C", 2, 2, lambda house, at: 68.10),
    150: EmulatedRegister("°C", 2, 2, lambda house, at: 37.76),
    175: EmulatedRegister("h", 0, 4, lambda house, at: 0),
    369: EmulatedRegister("", 0, 4, lambda house, at: 0, code=0x3B),
    379: EmulatedRegister("°C", 2, 2, lambda house, at: 67.52),
    380: EmulatedRegister("°C", 2, 2, lambda house, at: 37.94),
    381: EmulatedRegister("°C", 2, 2, lambda house, at: house.flow_temperature(at - 1800)),
    382: EmulatedRegister(
        "°C", 2, 2, lambda house, at: house.flow_temperature(at - 1800) - house.difference(at - 1800)
    ),
    266: EmulatedRegister("Wh", 0, 4, lambda house, at: house.energy(at) * 1000 % 2**32),
    1001: EmulatedRegister("", 0, 4, lambda house, at: house.serial_number),
    1004: EmulatedRegister("h", 0, 4, House.hours),
}
# The days of the peaks, before the start; a date that was never set is all zero on the wire.
_PEAK_DATES: Final[Mapping[int, int]] = {123: 40, 125: 70, 127: 40, 129: 70, 138: 4, 140: 9, 142: 4, 144: 9}
_SERIAL_NUMBER, _CLOCK, _DATE, _DATE_AND_TIME = 1001, 1002, 1003, 348
# Of the newer generation, with which a 403 has these in common, though no source names it.
_AS_A_603: Final = frozenset({175, 348, 369, 379, 380, 381, 382})
_SERIAL_NUMBER_SIZE = 4  # also that of the answer to GetSerialNo
_TIME_UNIT, _DATE_UNIT, _LOCAL_TIME_UNIT = 0x2F, 0x30, 0x4F
_DATE_UNITS: Final[Mapping[int, int]] = {
    **dict.fromkeys((*_PEAK_DATES, _DATE), _DATE_UNIT),
    _CLOCK: _TIME_UNIT,
}
_UNIT_CODES: Final[Mapping[str, int]] = {
    # The first code of a unit is the plain one; codes of other layouts and scales have no name of their own.
    unit.symbol: code
    for code, unit in reversed(tuple(UNITS.items()))
    if not unit.scale and (unit.symbol or code == 0)
}


class Values:
    """The registers of one emulated meter at any time, as they go on the wire."""

    def __init__(
        self,
        house: House,
        model: str,
        start: datetime,
        fixed: Mapping[int, bytes],
        clock: InnerClock | None = None,
    ) -> None:
        self.clock = clock or InnerClock(start)
        self._house = house
        self._start = start
        self._fixed = fixed
        self.info = EmulatedInfo(model)
        self._known = {
            register
            for register in (*_SOURCES, *_PEAK_DATES, _CLOCK, _DATE, _DATE_AND_TIME)
            if any(model in models.split("/") for models in REGISTERS[register].models)
            or (model == "403" and register in _AS_A_603)
        }

    @property
    def registers(self) -> frozenset[int]:
        """The registers that this meter knows."""
        return frozenset(self._known | set(self._fixed))

    @property
    def serial_number(self) -> int:
        """The serial number: that of the register, where it is fixed."""
        record = self._fixed.get(_SERIAL_NUMBER)
        # Id, unit, NoB and SignExp come before the mantissa.
        return int.from_bytes(record[5:], "big") if record else self._house.serial_number

    def record(self, register: int, seconds: float) -> bytes | None:
        """The record of one register so many emulated seconds after the start; None when it is not known."""
        if register in self._fixed:
            return self._fixed[register]
        if register not in self._known:
            return None
        if register == _DATE_AND_TIME:
            return RegisterValue(register, _LOCAL_TIME_UNIT, 0, self.clock.local(seconds).encode()).encode()
        if register in _DATE_UNITS:
            return encode_register(register, self._date_or_time(register, seconds), _DATE_UNITS[register])
        source = _SOURCES[register]
        reported = self.info.value(register, seconds)
        measured = source.value(self._house, seconds) if reported is None else reported
        value = _rounded_down(measured, source.decimals)
        code = _UNIT_CODES[source.unit] if source.code is None else source.code
        return encode_register(register, value, code, source.size)

    def _date_or_time(self, register: int, seconds: float) -> str:
        if register in _PEAK_DATES:
            return f"{self._start.astimezone(UTC) - timedelta(days=_PEAK_DATES[register]):%Y-%m-%d}"
        now = self.clock.local(seconds).standard
        return f"{now:%H:%M:%S}" if register == _CLOCK else f"{now:%Y-%m-%d}"


def _rounded_down(value: float, decimals: int) -> Decimal:
    # A meter's display does not run ahead of its counter.
    return Decimal(math.floor(value * 10**decimals)).scaleb(-decimals)


def read_values(path: Path) -> dict[int, bytes]:
    """Fixed registers from a JSON or TOML file.

    Such as ``{"heat_energy": {"value": 227.445, "unit": "GJ"}, "99": 0, "123": "2022-01-12"}``. Keys are
    quantities or register ids; digits stay as written. Raises SettingsError.
    """
    try:
        table = _load(path)
    except OSError as error:
        raise SettingsError([f"{path} cannot be read: {error.strerror}"]) from error
    except (ValueError, RecursionError) as error:  # JSON and TOML errors alike; nested too deeply
        raise SettingsError([f"{path} is neither JSON nor TOML: {error}"]) from error
    if not isinstance(table, dict):
        raise SettingsError([f"{path} holds no table of registers"])
    records: dict[int, bytes] = {}
    problems = []
    for name, entry in table.items():
        try:
            register = resolve_register(name).id
            records[register] = _record(register, entry)
        except (ValueError, ValueFormatError) as error:
            problems.append(f"{path}: {name}: {error}")
    if problems:
        raise SettingsError(problems)
    return records


def _load(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".toml":
        return tomllib.loads(text, parse_float=Decimal)
    return json.loads(text, parse_float=Decimal)


def _record(register: int, entry: Any) -> bytes:
    table = entry if isinstance(entry, dict) else {"value": entry}
    value = table.get("value")
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError(f"{value!r} is no value; a number or a date like 2022-01-12 is")
    if isinstance(value, str) and register in _DATE_UNITS:
        return encode_register(register, value, _DATE_UNITS[register])
    default = _SOURCES[register].unit if register in _SOURCES else ""
    symbol = table.get("unit", default)
    if not isinstance(symbol, str) or symbol not in _UNIT_CODES:
        raise ValueError(f"unknown unit {symbol!r}; known: {', '.join(filter(None, _UNIT_CODES))}")
    size = _SERIAL_NUMBER_SIZE if register == _SERIAL_NUMBER else None
    return encode_register(register, _decimal(value), _UNIT_CODES[symbol], size)


def _decimal(value: int | Decimal | str) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None


def values_of(
    model: str,
    seed: int,
    fixed: Mapping[int, bytes],
    start: datetime | None = None,
    *,
    zone: tzinfo | None = UTC,
    drift: float = 0.0,
) -> Values:
    """The values of a model; ``start`` is the emulated clock's start, now by default.

    ``zone`` and ``drift`` are those of the meter's own clock: see ``InnerClock``.
    """
    start = start or datetime.now(UTC)
    return Values(House(seed), model, start, fixed, InnerClock(start, zone, drift))
