"""One line of a log table of MULTICAL 66-CDE: dated, or doubted with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from smart_meter_reader.exceptions import FrameError


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a table that can be believed. ``number`` counts the lines as they came, from 1.

    ``moment`` is by the meter's clock, which keeps standard time; only /#J tells it.
    """

    number: int
    fields: Mapping[str, str]
    day: date
    moment: datetime | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a line gives no row: ``reason`` is a short stable word. ``damaged``: the way here spoilt it."""

    number: int
    reason: str
    detail: str
    damaged: bool = False


def parse_date(text: str) -> date:
    """0YYMMDD as a date, 90 to 99 being of the last century. Raises FrameError ``date`` for what is none."""
    year, month, day = int(text[:-4]), int(text[-4:-2]), int(text[-2:])
    try:
        if year > 99:
            raise ValueError
        return date(1900 + year if year >= 90 else 2000 + year, month, day)
    except ValueError:
        raise FrameError("date", f"{text!r} is no date YYMMDD", text.encode("ascii")) from None


def parse_clock(text: str) -> time:
    """0hhmmss as a time of day. Raises FrameError ``clock`` for one that does not exist."""
    try:
        return time(int(text[:-4]), int(text[-4:-2]), int(text[-2:]))
    except ValueError:
        raise FrameError("clock", f"{text!r} is no time hhmmss", text.encode("ascii")) from None
