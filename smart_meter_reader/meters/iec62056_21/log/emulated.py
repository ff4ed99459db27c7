"""What an emulated MULTICAL 66C has counted and remembers: log tables that fit its live counters exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.iec62056_21.log.plans import LOG_PLANS

STARTED: Final = datetime(2017, 10, 28, 18, 4, 19)  # noqa: DTZ001 - the meter's own clock has no zone
"""When the emulated meter is first asked, by its own clock: as in KenanV's dump of a 66C."""

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
# What the house takes with 3.1 kW goes up and down with the days and the hours before that.
_WEEK, _WEEKLY = 168, Decimal("0.45")
_DAILY = Decimal("0.25")
_DENSITY = Decimal("0.9925")
_INFO_EVENTS = (8, 12, 13, 12, 4, 0)


@dataclass(frozen=True, slots=True)
class EmulatedCounters:
    """Counters of a meter of program 44119 (MWh with three decimals, m³ with two), at any time.

    ``energy`` and ``volume`` are digits at ``started``, the other two digits an hour.
    """

    energy: Decimal
    volume: Decimal
    started: datetime = STARTED
    hourly_energy: Decimal = Decimal("3.1")
    hourly_volume: Decimal = Decimal("7.9")

    def energy_at(self, at: datetime) -> int:
        return int(self.energy + self.hourly_energy * self._hours(at))

    def volume_at(self, at: datetime) -> int:
        return int(self.volume + self.hourly_volume * self._hours(at))

    def mass_at(self, at: datetime) -> int:
        return int(self.volume_at(at) * _DENSITY)

    def _hours(self, at: datetime) -> Decimal:
        """Hours of full heating from the start: before it there were days with more and with less."""
        hours = Decimal((at - self.started).total_seconds()) / 3600
        if hours >= 0:
            return hours
        return hours - _WEEKLY * _triangle(-hours, _WEEK) - _DAILY * _triangle(-hours, 24)


def _triangle(hours: Decimal, period: int) -> Decimal:
    """A wave that goes up by one in an hour, and down again."""
    place = hours % period
    return min(place, period - place)


def log_lines(request: str, counters: EmulatedCounters, now: datetime, customer_no: int) -> list[str]:
    """The lines of a log table ("#5" to "#9", "#J"), newest first, each without its CR."""
    plan = LOG_PLANS[request]
    lines = [
        " ".join(f"{row.get(field.name, 0):0{field.width}d}" for field in plan.fields) + " "
        for row, _ in zip(_ROWS[request](counters, now), range(plan.depth), strict=False)
    ]
    if plan.customer_first:
        lines[0] = f"{customer_no:011d} {lines[0]}"
    return lines


def _digits(day: date) -> int:
    return (day.year % 100 * 100 + day.month) * 100 + day.day


def _counted(counters: EmulatedCounters, day: date) -> dict[str, int]:
    at = datetime.combine(day, time()) + _DAY
    return {
        "date": _digits(day),
        "energy": counters.energy_at(at),
        "volume": counters.volume_at(at),
        "peak_power": 40 + day.toordinal() % 50,
    }


def _months(counters: EmulatedCounters, now: datetime) -> Iterator[dict[str, int]]:
    day = now.date().replace(day=1) - _DAY
    while True:
        yield _counted(counters, day)
        day = day.replace(day=1) - _DAY


def _years(counters: EmulatedCounters, now: datetime) -> Iterator[dict[str, int]]:
    """The set day is 31 May, as in KenanV's dump."""
    year = now.year if now.date() > date(now.year, 5, 31) else now.year - 1
    while True:
        yield _counted(counters, date(year, 5, 31))
        year -= 1


def _grown(counters: EmulatedCounters, ends: datetime, lasts: timedelta, day: date) -> dict[str, int]:
    return {
        "date": _digits(day),
        "energy_E1_E2": counters.energy_at(ends) - counters.energy_at(ends - lasts),
        "mass1": counters.mass_at(ends) - counters.mass_at(ends - lasts),
        "t1": 6700 + ends.toordinal() % 40 + ends.hour,
        "t3": 21920,  # no third sensor
        "t2": 3400 + ends.toordinal() % 30,
    }


def _days(counters: EmulatedCounters, now: datetime) -> Iterator[dict[str, int]]:
    ends = datetime.combine(now.date(), time())
    while True:
        yield _grown(counters, ends, _DAY, ends.date() - _DAY)
        ends -= _DAY


def _hours(counters: EmulatedCounters, now: datetime) -> Iterator[dict[str, int]]:
    """The hour from 23 to 24 bears the date of its beginning."""
    ends = now.replace(minute=0, second=0, microsecond=0)
    while True:
        yield _grown(counters, ends, _HOUR, (ends - _HOUR).date())
        ends -= _HOUR


def _events(counters: EmulatedCounters, now: datetime) -> Iterator[dict[str, int]]:
    """A sensor that was cleaned a month ago; the ring begins somewhere in its middle."""
    noon = datetime.combine(now.date() - 30 * _DAY, time(12))
    events = [(noon + timedelta(seconds=10 * place), info) for place, info in enumerate(_INFO_EVENTS)]
    for at, info in events[2:] + events[:2]:
        yield {
            "info": info,
            "date": _digits(at.date()),
            "clock": int(at.strftime("%H%M%S")),
            "energy": counters.energy_at(at),
        }


_ROWS: Final[Mapping[str, Callable[[EmulatedCounters, datetime], Iterator[dict[str, int]]]]] = (
    MappingProxyType({"#5": _months, "#6": _days, "#7": _hours, "#8": _months, "#9": _years, "#J": _events})
)
