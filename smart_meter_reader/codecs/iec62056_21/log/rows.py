"""Rows of the log tables of MULTICAL 66-CDE: when each ended by the meter's clock, and what it measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType

from smart_meter_reader.codecs.iec62056_21.log.counters import Growth, Mark, Walked, modulus, walk
from smart_meter_reader.codecs.iec62056_21.log.lines import LogLine, parse_clock, parse_date
from smart_meter_reader.codecs.iec62056_21.log.table import LogTable
from smart_meter_reader.codecs.iec62056_21.multical import Measure, ShortAnswer, scale_field, shift
from smart_meter_reader.codecs.iec62056_21.scaling import Scaling
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.quantities.measurement import Measurement, Value

HOURS_A_DAY = 24
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

# 5511-634, info codes: 4 t2, 8 t1, 32 t3. A mean taken while its sensor was broken is none.
_BROKEN: Mapping[str, int] = MappingProxyType({"t1": 8, "t2": 4, "t3": 32})
# A 66-C without a third sensor shows 219.2 there, and no info code (KenanV's dump).
_NO_SENSOR = Decimal(200)
_ACCUMULATED = frozenset({Measure.ENERGY, Measure.VOLUME, Measure.MASS})


@dataclass(frozen=True, slots=True)
class Timed:
    """A line and when its period ended (info logger: when it happened), in the meter's standard time."""

    line: LogLine
    at: datetime


@dataclass(frozen=True, slots=True)
class TimedTable:
    """The lines of a table that have a time, newest first, and in sentences why others have none."""

    lines: tuple[Timed, ...]
    untimed: int = 0
    told: tuple[str, ...] = ()


def meter_time(answer: ShortAnswer) -> datetime | None:
    """The meter's calendar and clock in an answer to /#D, its standard time; None for no possible time."""
    try:
        day = parse_date(answer.fields["calendar"])
        return datetime.combine(day, parse_clock(answer.fields["clock_or_target"]))
    except (FrameError, KeyError):
        return None


def end_of(day: date) -> datetime:
    """24:00 of a day: that is what the date of a day, a month or a year in these tables means.

    Meters of this generation date the reading of a target day by the day before (5512-1689, 3.5).
    """
    return datetime.combine(day, time()) + _DAY


def time_table(table: LogTable, clock: datetime | None = None) -> TimedTable:
    """When the period of each line ended. ``clock``: the meter's time when the table began to arrive.

    Only /#7 needs the clock: its lines bear a date and no hour.
    """
    if table.plan.logger == "hour":
        return _time_hours(table, clock)
    return TimedTable(tuple(Timed(line, line.moment or end_of(line.day)) for line in table.lines))


def _time_hours(table: LogTable, clock: datetime | None) -> TimedTable:
    """Hours by their place in the day: the newest ended at the last full hour, a day has 24 of them.

    Whether the hour from 23 to 24 bears the date of its beginning or of its end is not documented; the count
    of today's lines tells it: as many as hours are over, or one more.
    """
    days = _by_day(table.lines)
    if clock is None or not days:
        unknown = "the hours bear no time, and the meter's clock is not known"
        return TimedTable((), len(table.lines), (unknown,) if days else ())
    today = days.get(clock.date(), [])
    over = clock.hour if len(today) == clock.hour else clock.hour + 1
    whole = [line.number for line in today] == list(range(1, over + 1))
    begun = not today or not table.lines[len(today) :] or table.lines[len(today)].number == over + 1
    if len(today) != over or not whole or not begun or max(days) > clock.date():
        told = (
            f"{len(today)} hours of today do not fit the meter's clock, {clock:%H:%M}: no hour has a time",
        )
        return TimedTable((), len(table.lines), told)
    # Dated by the beginning, the last hour of a day ends at its 24:00; by the end, at 23:00.
    last = HOURS_A_DAY if over == clock.hour else HOURS_A_DAY - 1
    timed: list[Timed] = []
    strange: list[date] = []
    above = 0
    for day, lines in days.items():
        newest = over if day == clock.date() else HOURS_A_DAY
        top = _top_of_day(lines, above, is_last=day == min(days), newest=newest)
        above = lines[-1].number
        if top is None:
            strange.append(day)
            continue
        ended = datetime.combine(day, time()) + _HOUR * (last if newest == HOURS_A_DAY else clock.hour)
        sure = _unbroken(lines) if day == min(days) else lines
        if len(sure) < len(lines):
            strange.append(day)
        timed += [Timed(line, ended - _HOUR * (line.number - top)) for line in sure]
    odd = (f"{day.isoformat()} has not 24 hours: nothing tells which is which" for day in strange)
    return TimedTable(tuple(timed), len(table.lines) - len(timed), tuple(odd))


def _by_day(lines: Sequence[LogLine]) -> dict[date, list[LogLine]]:
    days: dict[date, list[LogLine]] = {}
    for line in lines:
        days.setdefault(line.day, []).append(line)
    return days


def _unbroken(lines: Sequence[LogLine]) -> Sequence[LogLine]:
    """The lines before the first that is missing: how many lines that was, only a whole day tells."""
    for place, line in enumerate(lines):
        if line.number != lines[0].number + place:
            return lines[:place]
    return lines


def _top_of_day(lines: Sequence[LogLine], above: int, *, is_last: bool, newest: int) -> int | None:
    """The number of the line with the day's newest hour; None where lines that are missing leave it open.

    ``above``: the last number of the day after it. The table may end anywhere in its last day.
    """
    first, last = lines[0].number, lines[-1].number
    if last - first + 1 == newest:
        return first
    if is_last and first == above + 1 and last - first < newest:
        return first
    return None


def growth_of(timed: Sequence[Timed], logger: str, name: str, decimals: int) -> list[Growth]:
    """What each period of /#6 or /#7 added to one counter, in its unit; ``name`` is the column's."""
    lasts = _HOUR if logger == "hour" else _DAY
    return [Growth(entry.at, lasts, shift(int(entry.line.fields[name]), decimals)) for entry in timed]


def marks_of(timed: Sequence[Timed], decimals: int) -> list[Mark]:
    """What the energy counter stood at, by the lines of /#5, /#8 or /#9."""
    return [Mark(entry.at, shift(int(entry.line.fields["energy"]), decimals)) for entry in timed]


def energies(
    timed: Sequence[Timed], logger: str, marks: Sequence[Mark], decimals: int, live: Mark | None
) -> Walked:
    """The energy counter at the ends of the periods of /#6 or /#7, as far as ``marks`` lead."""
    periods = growth_of(timed, logger, "energy_E1_E2", decimals)
    return walk(periods, marks, modulus(decimals), live=live)


def measure_row(table: LogTable, line: LogLine, scaling: Scaling) -> dict[str, Measurement]:
    """Measurements by quantity key of what a line tells by itself: counters, peaks, means, info code.

    What was added in a period is left out (``added_in``), and so is what has no known unit.
    """
    measured: dict[str, Measurement] = {}
    info = int(line.fields.get("info", "0"))
    for field in table.plan.fields:
        if not field.quantity or (table.plan.grows and field.measure in _ACCUMULATED):
            continue
        scaled = scale_field(field, int(line.fields[field.name]), scaling)
        if scaled is not None and not _is_no_measurement(field.name, scaled["value"], info):
            measured[field.quantity] = scaled
    return measured


def added_in(table: LogTable, line: LogLine, scaling: Scaling) -> dict[str, Measurement]:
    """What a line of /#6 or /#7 says was added in its period, by quantity key; nothing of other tables."""
    added: dict[str, Measurement] = {}
    for field in table.plan.fields:
        if table.plan.grows and field.measure in _ACCUMULATED:
            scaled = scale_field(field, int(line.fields[field.name]), scaling)
            if scaled is not None:
                added[field.quantity] = scaled
    return added


def _is_no_measurement(name: str, value: Value, info: int) -> bool:
    broken = _BROKEN.get(name, 0)
    return isinstance(value, Decimal) and broken != 0 and (value >= _NO_SENSOR or bool(info & broken))
