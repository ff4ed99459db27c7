"""When a meter is read: a steady interval, minutes of every hour, or times of day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import pairwise

from smart_meter_reader.settings import durations
from smart_meter_reader.settings.durations import UnfitValueError, format_duration, parse_duration

ALLOWED = (
    'an interval with its unit, such as "15min" or "1h", minutes of every hour, such as "at :59" or '
    '"at :00,:30", or times of day, such as "daily 06:00" or "daily 06:00,18:00"'
)

_MINUTE = re.compile(r":([0-5][0-9])")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Exactly one of the three is set: ``interval``, ``minutes`` of the hour, or ``times`` of the day.

    Minutes and times are those of the local clock, sorted, each once.
    """

    interval: timedelta | None = None
    minutes: tuple[int, ...] = ()
    times: tuple[time, ...] = ()

    def __post_init__(self) -> None:
        if (self.interval is not None) + bool(self.minutes) + bool(self.times) != 1:
            raise ValueError("a schedule is an interval, minutes of the hour, or times of day: exactly one")
        if self.interval is not None and self.interval <= timedelta(0):
            raise ValueError("an interval is longer than zero")
        if any(not 0 <= minute < 60 for minute in self.minutes):
            raise ValueError("minutes of the hour are 0 to 59")

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """The schedule that ``text`` says. Raises UnfitValueError, with a suggestion where one is near."""
        word, _, rest = text.strip().partition(" ")
        if word.lower() == "at":
            return cls(minutes=tuple(sorted({int(m[1]) for m in _each(_MINUTE, rest, text)})))
        if word.lower() == "daily":
            return cls(times=tuple(sorted({time(int(m[1]), int(m[2])) for m in _each(_TIME, rest, text)})))
        try:
            interval = parse_duration(text)
        except UnfitValueError as error:
            # The general wording for what is no duration at all; the duration's own limits as they are.
            allowed = ALLOWED if error.allowed == durations.ALLOWED else error.allowed
            raise UnfitValueError(allowed, error.near or _suggestion(text)) from None
        if not interval:
            raise UnfitValueError(f"{ALLOWED}; longer than zero")
        return cls(interval=interval)

    @property
    def period(self) -> timedelta:
        """The longest expected time from one reading to the next; on a day of 25 hours it can be one more."""
        if self.interval is not None:
            return self.interval
        if self.minutes:
            return _longest_gap([timedelta(minutes=m) for m in self.minutes], _HOUR)
        return _longest_gap([timedelta(hours=t.hour, minutes=t.minute) for t in self.times], _DAY)

    def next_after(self, now: datetime, zone: tzinfo | None = None) -> datetime:
        """The first time due that is later than ``now`` (aware), in the time zone of ``now``.

        An interval counts from ``now``: give the time at which the last reading was due, and nothing
        drifts. Minutes and times of day are those of ``zone``, by default the machine's. When summer time
        begins, a time of day that does not exist is due as long after midnight as on the day before;
        when it ends, a time of day that comes twice is due the first time only. Minutes of the hour are
        due in every hour there is.
        """
        if now.tzinfo is None:
            raise ValueError("next_after needs an aware datetime")
        if self.interval is not None:
            return (now.astimezone(UTC) + self.interval).astimezone(now.tzinfo)
        due = self._next_minute(now, zone) if self.minutes else self._next_time(now, zone)
        return due.astimezone(now.tzinfo)

    def _next_minute(self, now: datetime, zone: tzinfo | None) -> datetime:
        due = now.astimezone(UTC).replace(second=0, microsecond=0)
        here = due.astimezone(zone)
        soonest = min((minute - here.minute - 1) % 60 + 1 for minute in self.minutes)
        found = (due + timedelta(minutes=soonest)).astimezone(zone)
        if found.utcoffset() == here.utcoffset():
            return found
        # Minute by minute: at most two hours of them, and right however a zone shifts (by 30 minutes, even).
        while True:
            due += timedelta(minutes=1)
            if due.astimezone(zone).minute in self.minutes:
                return due

    def _next_time(self, now: datetime, zone: tzinfo | None) -> datetime:
        today = now.astimezone(zone).date()
        days = (today + timedelta(days=n) for n in (-1, 0, 1, 2))
        instants = (_instant(datetime.combine(day, t), zone) for day in days for t in self.times)
        return min(instant for instant in instants if instant > now)

    def __str__(self) -> str:
        if self.interval is not None:
            return format_duration(self.interval)
        if self.minutes:
            return "at " + ",".join(f":{minute:02}" for minute in self.minutes)
        return "daily " + ",".join(f"{t:%H:%M}" for t in self.times)


def _instant(wall_clock: datetime, zone: tzinfo | None) -> datetime:
    """The UTC time at which the clock of ``zone`` shows ``wall_clock`` (naive) for the first time."""
    if zone is None:
        # Not astimezone(): for a time that does not exist it takes the offset after the gap.
        return datetime.fromtimestamp(wall_clock.timestamp(), UTC)
    return wall_clock.replace(tzinfo=zone).astimezone(UTC)


def _each(pattern: re.Pattern[str], rest: str, text: str) -> list[re.Match[str]]:
    matches = [pattern.fullmatch(part.strip()) for part in rest.split(",")]
    found = [match for match in matches if match]
    if len(found) != len(matches):
        raise UnfitValueError(ALLOWED, _suggestion(text))
    return found


def _suggestion(text: str) -> str:
    """A schedule near to a text that is none: the clock times in it, said the right way."""
    text = text.strip().lower()
    digits = re.findall(r"(?<![0-9:])([0-9]{0,2}):([0-9]{1,2})(?![0-9:])", text)
    clock = [(hour, minute.zfill(2)) for hour, minute in digits if int(minute) < 60 and int(hour or 0) < 24]
    if clock and all(hour for hour, _ in clock):
        return '"daily ' + ",".join(f"{hour.zfill(2)}:{minute}" for hour, minute in clock) + '"'
    if clock and not any(hour for hour, _ in clock):
        return '"at ' + ",".join(f":{minute}" for _, minute in clock) + '"'
    return {"hourly": '"1h"', "daily": '"daily 06:00"', "at": '"at :59"'}.get(text, "")


def _longest_gap(marks: list[timedelta], around: timedelta) -> timedelta:
    """The longest way from one mark to the next on a dial that is ``around`` long."""
    return max(later - earlier for earlier, later in pairwise([*marks, marks[0] + around]))
