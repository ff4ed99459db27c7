"""Days, months and the like in the house's time zone: where they begin, and what people call them. Pure.

A day is what lies between two local midnights: of 23, 24 or 25 hours. Zones come from the system by
``zoneinfo``; instants are whole seconds since 1970 UTC, so that nothing is counted twice when the clocks go
back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Period(StrEnum):
    """How long a bar is."""

    QUARTER = "quarter"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


YEARS = range(1970, 2200)
"""Meters tell nothing of other centuries, and dates beyond them do not add up."""
_SECONDS = {Period.QUARTER: 900, Period.HOUR: 3600}


@dataclass(frozen=True, slots=True)
class LocalCalendar:
    """Whose days they are: the time zone, and the month and day on which a year of the bill begins.

    A Danish heating year begins in June or July, a contract on any day; (1, 1) is the calendar's.
    """

    zone: ZoneInfo
    year_begins: tuple[int, int] = (1, 1)

    def midnight(self, day: date) -> int:
        """The first instant of a local day, also where the clocks leave midnight out."""
        return int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp())

    def day_of(self, instant: int) -> date:
        """The local day in which an instant lies."""
        return datetime.fromtimestamp(instant, self.zone).date()

    def local(self, instant: int) -> datetime:
        """An instant by the clock on the wall, with its offset."""
        return datetime.fromtimestamp(instant, self.zone)

    def moved(self, instant: int, shift: timedelta) -> int:
        """The instant so many days later at the same time by the clock on the wall; before with a minus."""
        wall = self.local(instant)
        time = wall.time().replace(microsecond=0, fold=0)
        return int(datetime.combine(wall.date() + shift, time, self.zone).timestamp())

    def first_day(self, step: Period, day: date) -> date:
        """The first day of the period in which a day lies; for hours that day. Weeks begin on Monday."""
        match step:
            case Period.WEEK:
                return day - timedelta(days=day.weekday())
            case Period.MONTH:
                return day.replace(day=1)
            case Period.YEAR:
                first = _in_year(day.year, self.year_begins)
                return first if first <= day else _in_year(day.year - 1, self.year_begins)
            case _:
                return day

    def next_day(self, step: Period, day: date) -> date:
        """The first day of the period after the one that begins on ``day``."""
        match step:
            case Period.WEEK:
                return day + timedelta(days=7)
            case Period.MONTH:
                return date(day.year + day.month // 12, day.month % 12 + 1, 1)
            case Period.YEAR:
                # As the year before it: 29 February comes back as such when it can.
                return _in_year(day.year + 1, self.year_begins)
            case _:
                return day + timedelta(days=1)

    def year_before(self, period: Period, day: date) -> date:
        """The first day of what this period is compared with, a year earlier; for weeks 52 weeks."""
        if period is Period.WEEK:
            return day - timedelta(weeks=52)
        return _in_year(day.year - 1, (day.month, day.day))

    def earlier_day(self, step: Period, day: date) -> date:
        """The first day of the period before the one that begins on ``day``."""
        return self.first_day(step, day - timedelta(days=1))

    def boundaries(self, step: Period, since: date, until: date) -> list[int]:
        """Where the periods from ``since`` up to ``until`` (not included) begin, and where the last ends."""
        if until <= since:
            return []
        seconds = _SECONDS.get(step)
        first = self.first_day(step, since)
        if seconds is None:
            return list(self._begins(step, first, until))
        found: list[int] = []
        day, begin = first, self.midnight(first)
        while day < until:
            day += timedelta(days=1)
            end = self.midnight(day)
            # The last one of a day is shorter where clocks change by half an hour (Lord Howe).
            found.extend(range(begin, end, seconds))
            begin = end
        return [*found, begin]

    def _begins(self, step: Period, day: date, until: date) -> Iterator[int]:
        while day < until:
            yield self.midnight(day)
            day = self.next_day(step, day)
        yield self.midnight(day)

    def label(self, step: Period, begin: int) -> str:
        """What a period is called in ISO 8601; an hour that comes twice carries its zone's name."""
        local = self.local(begin)
        match step:
            case Period.QUARTER | Period.HOUR:
                return f"{local:%H:%M}{self._zone_name(local)}"
            case Period.DAY:
                return f"{local:%Y-%m-%d}"
            case Period.WEEK:
                year, week, _ = local.isocalendar()
                return f"{year}-W{week:02}"
            case Period.MONTH:
                return f"{local:%Y-%m}"
            case Period.YEAR:
                if self.year_begins == (1, 1):
                    return f"{local:%Y}"
                return f"{local:%Y}/{(local.year + 1) % 100:02}"

    def _zone_name(self, local: datetime) -> str:
        """Where the clock shows this time twice, which of both it is."""
        twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        # In the hour that is left out both differ too, but no instant shows it.
        return f" {local:%Z}" if twice else ""


def _in_year(year: int, begins: tuple[int, int]) -> date:
    month, day = begins
    try:
        return date(year, month, day)
    except ValueError:  # 29 February in a year that has none
        return date(year, month, 28)


def utc(instant: int) -> datetime:
    """An instant as an aware time in UTC."""
    return datetime.fromtimestamp(instant, UTC)
