"""What could not be read of a meter's loggers: asked for in smaller parts, or on another day. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from smart_meter_reader.meters.backfill.state import DAY, LOOK_AGAIN, Window

_MOST_UNANSWERED = 3


class Failures:
    """Those of one meter since the start, by logger."""

    def __init__(self) -> None:
        self._limits: dict[str, int] = {}  # rows of a window, where larger ones failed
        self._unanswered: Counter[str] = Counter()  # how often a single entry was asked for in vain
        self._refused: dict[str, datetime] = {}

    def clear(self) -> None:
        """Another meter answers."""
        for kept in (self._limits, self._unanswered, self._refused):
            kept.clear()

    def limit_of(self, logger: str) -> int | None:
        """How many rows a window may have; None: as many as fit."""
        return self._limits.get(logger)

    def halve(self, window: Window) -> bool:
        """This window could not be read; False: there is no smaller one."""
        if window.rows > 1:
            self._limits[window.logger] = window.rows // 2
        return window.rows > 1

    def unanswered(self, window: Window, now: datetime) -> bool:
        """Nothing came in time. True when this logger is left alone for a day, for not answering."""
        if self.halve(window):
            return False
        self._unanswered[window.logger] += 1
        if self._unanswered[window.logger] < _MOST_UNANSWERED:
            return False
        del self._unanswered[window.logger]
        self.refuse(window.logger, now)
        return True

    def refuse(self, logger: str, now: datetime) -> None:
        """The meter says that this logger cannot be read: it is left alone for a day."""
        self._refused[logger] = now

    def is_refused(self, logger: str, now: datetime) -> bool:
        """Whether that is so now."""
        return logger in self._refused and abs(now - self._refused[logger]) < LOOK_AGAIN[DAY]

    def forget(self, logger: str) -> None:
        """Something of it was read."""
        self._limits.pop(logger, None)
        self._unanswered.pop(logger, None)
