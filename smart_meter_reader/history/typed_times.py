"""Times as people type them: by the clock of the house, in ISO 8601, a day alone too. Pure."""

from __future__ import annotations

from datetime import MAXYEAR, date, datetime, timedelta

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.history.periods import YEARS, LocalCalendar

_SHAPE = "write it as 2026-10-25, 2026-10-25T14:30 or 2026-10-25T14:30:00+02:00"


def typed_time(text: str, house: LocalCalendar, *, end: bool = False) -> int:
    """The instant, in seconds since 1970 UTC; of a day alone its first second, with ``end`` its last.

    Raises ValueFormatError for what is no time, for one of a year in which no meter was read, for one that
    the clocks leave out in spring, and for one that they show twice in autumn: the sentence has both.
    """
    if "W" in text:  # Python's way to write a week; of one without its day nobody knows which is meant
        raise _no_time(text)
    if (day := typed_day(text)) is not None:
        _require_year(day)
        return house.midnight(day + timedelta(days=1)) - 1 if end else house.midnight(day)
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise _no_time(text) from None
    _require_year(told)
    if told.tzinfo is not None:
        return int(told.timestamp())
    first, second = (told.replace(tzinfo=house.zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return int(first.timestamp())
    back = house.local(int(first.timestamp())).replace(tzinfo=None)
    if back != told.replace(microsecond=0, fold=0):
        raise ValueFormatError(f"{text} does not exist in {house.zone}: the clocks went forward over it")
    raise ValueFormatError(
        f"{text} comes twice in {house.zone}: write {first.isoformat(timespec='minutes')} for the first, or "
        f"{second.isoformat(timespec='minutes')} for the second"
    )


def typed_day(text: str) -> date | None:
    """The day where a text is a day alone, with hyphens or without; else None."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _no_time(text: str) -> ValueFormatError:
    return ValueFormatError(f"{text} is no time: {_SHAPE}")


def _require_year(day: date) -> None:
    # What is yet to come adds up, but for the last year that a calendar has.
    if not YEARS[0] <= day.year < MAXYEAR:
        raise ValueFormatError(f"no meter was read in {day.year}")
