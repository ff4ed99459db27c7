"""When an entry of a logger was made: from the meter's own stamp, in standard time, to UTC. Pure.

Sources: the manuals of MULTICAL 403 and 603 (stamps are saved in standard time, the DST offset beside them).
Summer time is no part of it: switching it off in the meter changes the offset shown with old entries too.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from smart_meter_reader.meters.backfill.state import CONFIG, HOUR, INFO, MINUTES

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
# What a logger's entries are made on; every other one has a raster of days, or months and years of them.
_STEPS = {HOUR: _HOUR, MINUTES: timedelta(minutes=1)}
# Made when something happened.
_WITHOUT_RASTER = (INFO, CONFIG)
# Stamps are some seconds late; what is off by more was made while the clock was moved, or is no full hour.
_LATE = timedelta(minutes=5)
# A clock that is wrong by less is the meter's own hour; by more, somebody has set it to another zone's time.
_WRONG = timedelta(minutes=30)
# What has no raster shows the clock's error as it is.
_INEXACT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Stamp:
    """When an entry was made: ``time`` in UTC, on the raster of its logger; ``raw`` as the meter said it."""

    time: datetime
    raw: datetime  # naive, in standard time


def standard_offset(zone: tzinfo | None, year: int) -> timedelta:
    """What standard time is ahead of UTC in that year; of this computer's zone where there is none.

    That is January's offset; in the south, where January is summer, July's, which is the smaller one.
    """
    offsets = [_offset(datetime(year, month, 15, 12), zone) for month in (1, 7)]  # noqa: DTZ001 - see there
    return min(offsets)


def _offset(local: datetime, zone: tzinfo | None) -> timedelta:
    aware = local.astimezone() if zone is None else local.replace(tzinfo=zone)
    return aware.utcoffset() or timedelta(0)


def to_utc(raw: datetime, zone: tzinfo | None) -> datetime:
    """A stamp without zone, in standard time, in UTC."""
    return raw.replace(tzinfo=timezone(standard_offset(zone, raw.year))).astimezone(UTC)


def clock_error(raw_now: datetime, now: datetime, zone: tzinfo | None) -> timedelta:
    """How far the meter's clock, which said ``raw_now`` just now, is ahead of this computer's."""
    return to_utc(raw_now, zone) - now


def stamp(raw: datetime, logger: str, zone: tzinfo | None, error: timedelta = timedelta(0)) -> Stamp:
    """When an entry was made, by a clock that is ahead by ``error``."""
    offset = standard_offset(zone, raw.year)
    exact = logger in _WITHOUT_RASTER
    right = raw - error if abs(error) > (_INEXACT if exact else _WRONG) else raw
    whole = right if exact else _on_raster(right, _STEPS.get(logger, _DAY))
    chosen = whole if abs(right - whole) <= _LATE else right
    return Stamp(chosen.replace(tzinfo=timezone(offset)).astimezone(UTC), raw)


def _on_raster(time: datetime, step: timedelta) -> datetime:
    """The full hour or midnight that is nearest."""
    since = time - datetime(time.year, time.month, time.day)  # noqa: DTZ001 - in the meter's own time
    return time - since + step * ((since + step / 2) // step)


def rising_ids(stamps: Iterable[tuple[int, datetime]]) -> list[int]:
    """Of entries oldest first the ids of the most that rise in time: others show a clock that was set.

    So an entry with a wrong time costs itself, and not all after it (patience sorting).
    """
    tails: list[datetime] = []  # the earliest time that a rising part of each length ends in
    last: list[int] = []  # and the place of that
    found: list[tuple[int, int]] = []  # each id, and the place of the entry before it in such a part
    for place, (entry, time) in enumerate(stamps):
        length = bisect_left(tails, time)
        found.append((entry, last[length - 1] if length else -1))
        if length == len(tails):
            tails.append(time)
            last.append(place)
        elif time < tails[length]:
            tails[length], last[length] = time, place
    kept: list[int] = []
    place = last[-1] if last else -1
    while place >= 0:
        entry, place = found[place]
        kept.append(entry)
    return kept[::-1]
