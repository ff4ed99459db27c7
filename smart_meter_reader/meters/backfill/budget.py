"""How much line time a day the loggers of a meter on battery may cost, over restarts too. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import ceil

from smart_meter_reader.settings.durations import format_duration

UNLIMITED = float("inf")


def check_budget(daily: timedelta | None, least: float) -> None:
    """Raises ValueError for a ``logger_budget`` with which nothing would ever be read, unless that is meant.

    ``least``: seconds of the line that go into one piece at least.
    """
    if daily and daily.total_seconds() < least:
        raise ValueError(
            f"logger_budget: with {format_duration(daily)} a day nothing would ever be read; needed: "
            f"{ceil(least)}s or more, or 0s, with which the meter's memory is left alone"
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds of the line spent on ``day``, by the UTC calendar.

    What is about to be spent is reserved first, and kept on disk before it is spent: a process that is killed
    meanwhile has then spent all of it, and the day's budget is never exceeded. A clock that is put back, by
    however much, brings no second budget: the day it comes back to, ``behind``, shares that of ``day``. When
    that one is over, ``day`` was never one.
    """

    day: date = date.min
    spent: float = 0.0
    behind: date | None = None

    def left(self, now: datetime, daily: float) -> float:
        """Seconds that are left today."""
        return max(0.0, daily - self.spent) if now.date() <= self.day else daily

    def reserve(self, now: datetime, seconds: float) -> Budget:
        """Spend so much in advance."""
        if now.date() <= self.day:
            return replace(self, spent=self.spent + seconds)
        return Budget(now.date(), seconds)

    def give_back(self, day: date, seconds: float) -> Budget:
        """So much of what was reserved on ``day`` was not needed; a day that is over gets nothing back."""
        if day not in (self.day, self.behind):
            return self
        return replace(self, spent=max(0.0, self.spent - seconds))

    def on(self, now: datetime) -> Budget:
        """The budget as it is from this moment on, to be kept."""
        today = now.date()
        if today >= self.day:
            return replace(self, behind=None)
        if self.behind is not None and today > self.behind:
            return Budget(today)
        return replace(self, behind=today)
