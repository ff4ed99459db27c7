"""P1 timestamps: ``YYMMDDhhmmssX``, X = S for summer time, W for standard time (DSMR 5.0.2 P1, 6.4).

The suffix alone gives the offset: S is +02:00 and W is +01:00, in lower case too where a meter or gateway
writes all in lower case. The zone of the host plays no part.
DSMR 2.2 and 3 write gas times without it; they are Central European time, summer time by the rule of
Directive 2000/84/EC (last Sundays of March and October at 01:00 UTC). The hour that comes twice is read as
standard time; the hour that does not exist is nonsense.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_SHAPE = re.compile(r"[0-9]{12}[SWsw]?", re.ASCII)
# "20230404 21:31:04" and the like, which some write instead.
_SEPARATED = re.compile(
    r"(?:20)?([0-9]{2})[-./]?([0-9]{2})[-./]?([0-9]{2})[ T]?([0-9]{2}):?([0-9]{2}):?([0-9]{2})([SWsw]?)",
    re.ASCII,
)
_ISO_SHAPE = re.compile(r"(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\+0[12]:00", re.ASCII)
STANDARD = timezone(timedelta(hours=1))
SUMMER = timezone(timedelta(hours=2))
# A clock that was never set starts at 2000; the first P1 ports are of 2007.
_EARLIEST_YEAR = 2006
_LATEST_YEAR = 2068
_LATEST = str(_LATEST_YEAR - 2000)
_OFFSETS = {"S": "+02:00", "s": "+02:00", "W": "+01:00", "w": "+01:00"}


def looks_like_timestamp(text: str) -> bool:
    """Thirteen characters in the shape of a P1 timestamp with its suffix; nothing is said of its sense."""
    return len(text) == 13 and text[12] in "SWsw" and text[:12].isdecimal() and text.isascii()


def parse_timestamp(text: str) -> datetime | None:
    """The moment that ``text`` names, with the offset the meter meant; None when it names none."""
    if looks_like_timestamp(text) and text[:2] <= _LATEST and text[6:8] < "24":
        # Each telegram has a new one: a fifth of the time of what is below, which says the same.
        try:
            return datetime.fromisoformat(f"20{text[:6]}T{text[6:12]}{_OFFSETS[text[12]]}")
        except ValueError:
            return None
    if not _SHAPE.fullmatch(text):
        return None
    year = int(text[:2])
    try:
        local = datetime(  # noqa: DTZ001 - the offset follows from the suffix
            year + (2000 if year <= _LATEST_YEAR - 2000 else 1900),
            int(text[2:4]),
            int(text[4:6]),
            int(text[6:8]),
            int(text[8:10]),
            int(text[10:12]),
        )
    except ValueError:
        return None
    if len(text) == 13:
        return local.replace(tzinfo=SUMMER if text[12] in "Ss" else STANDARD)
    return _central_european(local)


def set_clock(moment: datetime | None) -> datetime | None:
    """``moment`` in UTC; None when the clock that told it was evidently never set (before 2006)."""
    if moment is None or moment.year < _EARLIEST_YEAR:
        return None
    return moment.astimezone(UTC)


def parse_moment(text: str) -> datetime | None:
    """The moment in UTC of an item's text; None for nonsense and for a clock that was never set.

    A timestamp is in an item as ISO 8601; what stayed as it was may be one without suffix, as the gas times
    of DSMR 2.2, or anything that a meter likes to write.
    """
    if not _ISO_SHAPE.fullmatch(text):
        separated = _SEPARATED.fullmatch(text)
        return set_clock(parse_timestamp("".join(separated.groups()) if separated else text))
    try:
        return set_clock(datetime.fromisoformat(text))
    except ValueError:
        return None


def _central_european(local: datetime) -> datetime | None:
    begin = _last_sunday(local.year, 3) + timedelta(hours=2)
    end = _last_sunday(local.year, 10) + timedelta(hours=2)
    if begin <= local < begin + timedelta(hours=1):
        return None
    return local.replace(tzinfo=SUMMER if begin <= local < end else STANDARD)


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31)  # noqa: DTZ001 - compared with local times only
    return last - timedelta(days=(last.weekday() + 1) % 7)
