"""Which loggers an emulated meter has, and what stands in each entry: a pure function of the time.

Sources of depths and registers: the technical descriptions of MULTICAL 403 and 603, and readouts in
jktjkt/PyKMP (docs/references.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, TypeAlias

from smart_meter_reader.codecs.kmp import RegisterValue
from smart_meter_reader.codecs.kmp.loggers import DATE_AND_TIME, Logger, LogRow
from smart_meter_reader.codecs.kmp.units import UNIT_BY_CODE, Layout
from smart_meter_reader.meters.kmp.emulated_values import Values

# When the first entry was made; so a log id is the number of full hours, days and so on since then.
_BIRTH: Final = datetime(2010, 1, 1)  # noqa: DTZ001 - meters know no zone
# The module of a 601 counts with 16 bits only.
MODULE_BIRTH: Final = datetime(2022, 1, 1)  # noqa: DTZ001
_LATE: Final = 4  # seconds that a stamp is behind the full hour, as captured
_ALWAYS: Final = (DATE_AND_TIME, 60, 63, 68, 97, 110, 72, 1003, 1002)
_NOW: Final = (86, 87, 74, 80)
_CODES: Final = (369, 99)
_INFO_BITS: Final = 369
_OF_THE_CLOCK: Final = (DATE_AND_TIME, 1002, 1003)


_Count: TypeAlias = Callable[[datetime, datetime], int]  # entries from the birth to then
_Moment: TypeAlias = Callable[[datetime, int], datetime]  # when an entry is made


def _steady(every: timedelta) -> tuple[_Count, _Moment]:
    return (lambda birth, at: (at - birth) // every), (lambda birth, number: birth + number * every)


def _months(birth: datetime, at: datetime) -> int:
    return (at.year - birth.year) * 12 + at.month - birth.month


def _month(birth: datetime, number: int) -> datetime:
    years, months = divmod(birth.month - 1 + number, 12)
    return birth.replace(year=birth.year + years, month=months + 1)


def _years(birth: datetime, at: datetime) -> int:
    return at.year - birth.year


def _year(birth: datetime, number: int) -> datetime:
    return birth.replace(year=birth.year + number)


_RASTERS: Final[Mapping[Logger, tuple[_Count, _Moment]]] = MappingProxyType(
    {
        Logger.YEAR: (_years, _year),
        Logger.MONTH: (_months, _month),
        Logger.DAY: _steady(timedelta(days=1)),
        Logger.HOUR: _steady(timedelta(hours=1)),
        Logger.MINUTES_1: _steady(timedelta(minutes=15)),
    }
)
REGISTERS_OF: Final[Mapping[Logger, tuple[int, ...]]] = MappingProxyType(
    {
        Logger.INFO: (DATE_AND_TIME, _INFO_BITS, 60, 63),
        Logger.YEAR: (*_ALWAYS, *range(123, 131), 1004, 175, *_CODES),
        Logger.MONTH: (*_ALWAYS, *range(138, 146), 1004, 175, *_CODES),
        Logger.DAY: (*_ALWAYS, *_NOW, 379, 380, *_CODES),
        Logger.HOUR: (*_ALWAYS, *_NOW, 381, 382, *_CODES),
        Logger.MINUTES_1: (*_ALWAYS, *_NOW),
    }
)
_AS_603: Final = {Logger.YEAR: 20, Logger.MONTH: 36, Logger.DAY: 460, Logger.HOUR: 960, Logger.INFO: 250}
DEPTHS: Final[Mapping[str, Mapping[Logger, int]]] = MappingProxyType(
    {
        "403": {Logger.YEAR: 30, Logger.MONTH: 36, Logger.DAY: 460, Logger.HOUR: 72, Logger.INFO: 50},
        "303": _AS_603,
        "603": {**_AS_603, Logger.MINUTES_1: 960},
    }
)
MODULE_DEPTH: Final = 1440  # hours


@dataclass(frozen=True, slots=True)
class LoggerPast:
    """What happened to the loggers before and after the start, in emulated seconds after it.

    ``format_changed``: older entries have one decimal less. ``reset``: entries begin anew from id 1, and the
    older ones are gone.
    """

    format_changed: float | None = None
    reset: float | None = None


UNTOUCHED: Final = LoggerPast()


@dataclass(frozen=True, slots=True)
class Contents:
    """One logger of an emulated meter."""

    logger: Logger
    depth: int
    registers: tuple[int, ...]
    values: Values
    past: LoggerPast
    birth: datetime = _BIRTH

    def range(self, seconds: float) -> tuple[int, int]:
        """The ids of the oldest and the newest entry at that time; the newest is 0 when there is none."""
        newest = self._count(seconds) - self._gone(seconds)
        return max(1, newest - self.depth + 1), max(0, newest)

    def row(self, log_id: int, seconds: float, registers: tuple[int, ...]) -> LogRow:
        """The entry, with those of the registers that are kept. It is one that ``range`` has now."""
        at = self._moment(log_id + self._gone(seconds))
        told = []
        for register in registers:
            late = _LATE if register in _OF_THE_CLOCK else 0
            record = self.values.record(register, at + late) if register in self.registers else None
            if record is not None:
                told.append(self._formatted(_register_of(record), at))
        return LogRow(log_id, tuple(told))

    def is_older_format(self, log_id: int, seconds: float) -> bool:
        """Whether the entry was made before the format changed."""
        changed = self.past.format_changed
        return changed is not None and self._moment(log_id + self._gone(seconds)) < changed

    def _count(self, seconds: float) -> int:
        """How many entries were ever made."""
        if self.logger is Logger.INFO:
            return self.values.info.events(seconds)
        count, _ = _RASTERS[self.logger]
        return max(0, count(self.birth, self.values.clock.local(seconds).standard))

    def _gone(self, seconds: float) -> int:
        reset = self.past.reset
        return 0 if reset is None or seconds < reset else self._count(reset)

    def _moment(self, number: int) -> float:
        """The emulated seconds at which entry number so and so was made."""
        if self.logger is Logger.INFO:
            return self.values.info.change(number)[0]
        _, moment = _RASTERS[self.logger]
        return self.values.clock.seconds(moment(self.birth, number))

    def _formatted(self, register: RegisterValue, at: float) -> RegisterValue:
        """A decimal less, where it was made before the format changed."""
        changed, size = self.past.format_changed, len(register.mantissa)
        is_number = UNIT_BY_CODE[register.unit_code].layout is Layout.NUMBER
        if changed is None or at >= changed or not is_number or not register.sign_exponent & 0x40:
            return register
        fewer = int.from_bytes(register.mantissa, "big") // 10
        return register._replace(
            sign_exponent=register.sign_exponent - 1 if register.sign_exponent & 0x3E else 0,
            mantissa=fewer.to_bytes(size, "big"),
        )


def _register_of(record: bytes) -> RegisterValue:
    """A record as it is on the wire."""
    register = int.from_bytes(record[:2], "big")
    mantissa = record[5:]
    return RegisterValue(register, record[2], record[4], mantissa)


def contents_of(model: str, values: Values, past: LoggerPast) -> dict[int, Contents]:
    """The loggers of a model by number; none for one of which no source tells that it has any."""
    return {
        int(logger): Contents(logger, depth, _kept(REGISTERS_OF[logger], values), values, past)
        for logger, depth in DEPTHS.get(model, {}).items()
    }


def contents_of_module(values: Values, past: LoggerPast) -> Contents:
    """The hourly log of a logger module."""
    registers = (60, 68, 72, 74, 80, 86, 87, 97, 99, 110, 1002, 1003)
    return Contents(Logger.HOUR, MODULE_DEPTH, _kept(registers, values), values, past, MODULE_BIRTH)


def _kept(registers: tuple[int, ...], values: Values) -> tuple[int, ...]:
    return tuple(register for register in registers if register in values.registers)
