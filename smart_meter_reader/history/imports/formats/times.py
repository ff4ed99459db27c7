"""Times as files write them: with an offset, or by the clock on a wall, which shows one hour twice a year."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from smart_meter_reader.history.imports.found import (
    Dates,
    Findings,
    ImportOptions,
    RepeatedHour,
    UnfitRowError,
)

_EPOCH = re.compile(r"\d{9,10}(\.\d+)?")
_OTHER = re.compile(r"(\d{1,2})([-./])(\d{1,2})\2(\d{4})(?:[T ,]+(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?)?")
_LATEST = 7_258_118_400  # 2200
_WAYS = "as 2026-10-25T02:30:00+02:00"


class RepeatedHourSkippedError(UnfitRowError):
    """The row is of the hour that comes twice, and those are to be left out."""


def read_time(text: str, options: ImportOptions, findings: Findings) -> int:
    """Seconds since 1970 UTC: of ISO 8601, of seconds since 1970, or of day, month and year.

    Raises UnfitRowError.
    """
    try:
        time = _read(text, options, findings)
    except (OverflowError, OSError):  # of a year that no calendar here reaches
        time = -1
    if not 0 <= time < _LATEST:
        raise UnfitRowError(f"{text[:40]!r} is no time since 1970 at which a meter was read")
    return time


def _read(text: str, options: ImportOptions, findings: Findings) -> int:
    if text[4:5] == "-":
        time = _iso(text)
        if len(text) <= 10:
            findings.remark("of a date without a time, the counter is taken as that of its first instant")
    elif _EPOCH.fullmatch(text):
        return int(float(text))
    else:
        time = _other(text, options.dates, findings)
    if time.tzinfo is not None:
        return int(time.timestamp())
    findings.remark(
        f"times without an offset are taken as those of {options.zone.key}; --zone says otherwise"
    )
    return local_instant(time, options.zone, options.repeated_hour)


def local_instant(local: datetime, zone: ZoneInfo, repeated: RepeatedHour) -> int:
    """The instant at which a clock on a wall shows ``local``. Raises UnfitRowError where that is not one."""
    first, second = local.replace(tzinfo=zone), local.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return int(first.timestamp())
    if datetime.fromtimestamp(first.timestamp(), zone).replace(tzinfo=None) != local:
        raise UnfitRowError(
            f"{local:%Y-%m-%d %H:%M} never was in {zone.key}, where the clocks went forward: "
            "say by --zone whose clock it was"
        )
    match repeated:
        case "first":
            return int(first.timestamp())
        case "second":
            return int(second.timestamp())
        case "skip":
            raise RepeatedHourSkippedError("of the hour that comes twice")
        case _:
            raise UnfitRowError(
                f"{local:%Y-%m-%d %H:%M} comes twice in {zone.key}, where the clocks went back: write such "
                f"times with their offset, as {first.isoformat()}, say --zone UTC if they are in UTC, or "
                "leave those lines out by --repeated-hour skip"
            )


def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UnfitRowError(f"{text[:40]!r} is no time: write it {_WAYS}") from None


def _other(text: str, dates: Dates, findings: Findings) -> datetime:
    found = _OTHER.fullmatch(text)
    if found is None:
        raise UnfitRowError(f"{text[:40]!r} is no time: write it {_WAYS}")
    one, mark, two, year = int(found[1]), found[2], int(found[3]), int(found[4])
    if not dates:
        if mark == "/":
            raise UnfitRowError(
                f"{text[:40]!r} may begin with day or month: say --dates day-first or --dates month-first"
            )
        findings.remark(
            "dates such as 31-12-2025 are read with the day first; --dates month-first says otherwise"
        )
    day, month = (two, one) if dates == "month-first" else (one, two)
    try:
        return datetime(year, month, day, int(found[5] or 0), int(found[6] or 0), int(found[7] or 0))  # noqa: DTZ001 - by the clock on the wall
    except ValueError:
        raise UnfitRowError(
            f"{text[:40]!r} is no time with the {'month' if dates == 'month-first' else 'day'} first; "
            "--dates says what comes first"
        ) from None
