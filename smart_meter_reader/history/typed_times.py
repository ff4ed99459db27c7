"""Times as people type them: by the clock of the house, in ISO 8601, a day alone too. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.history.periods import LocalCalendar

_SHAPE = "write it as 2026-10-25, 2026-10-25T14:30 or 2026-10-25T14:30:00+02:00"


def typed_time(text: str, house: LocalCalendar, *, end: bool = False) -> int:
    """The instant, in seconds since 1970 UTC; of a day alone its first second, with ``end`` its last.

    Raises ValueFormatError for what is no time, for one that the clocks leave out in spring, and for one that
    they show twice in autumn: the sentence has both.
    """
    try:
        if len(text) == len("2026-10-25"):
            day = date.fromisoformat(text)
            return house.midnight(day + timedelta(days=1)) - 1 if end else house.midnight(day)
        told = datetime.fromisoformat(text)
        if told.tzinfo is not None:
            return int(told.timestamp())
    except (ValueError, OverflowError):
        raise ValueFormatError(f"{text} is no time: {_SHAPE}") from None
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
