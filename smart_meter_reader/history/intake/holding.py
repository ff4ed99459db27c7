"""Holds messages while the clock is not believed, and dates them when it is. Pure."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import NamedTuple

from smart_meter_reader.messages import Current

# Of each meter one reading a minute is enough to know what was counted meanwhile.
_LEAST_APART = 60.0
_MOST = 5000
# A clock that was right, but for what passes between a reading and us.
_RIGHT = timedelta(seconds=2)


class Released(NamedTuple):
    """Messages with their times, and how many older ones were too many to be held, and are lost."""

    messages: list[Current]
    dropped: int


class Held:
    """Messages with the seconds of a clock that only goes forward: nobody knows the time yet."""

    def __init__(self) -> None:
        self._messages: deque[tuple[float, Current]] = deque()
        self._last: dict[str, float] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def lost(self) -> int:
        """How many are lost if it ends now: those that wait, and those that were too many to."""
        return len(self._messages) + self.dropped

    def hold(self, message: Current, at: float) -> None:
        """Keep a message that came ``at`` these seconds; of too many the oldest go, counted."""
        if message["type"] == "reading":
            last = self._last.get(message["meter"])
            if last is not None and at - last < _LEAST_APART:
                return
            self._last[message["meter"]] = at
        self._messages.append((at, message))
        if len(self._messages) > _MOST:
            self._messages.popleft()
            self.dropped += 1

    def release(self, now: datetime, at: float) -> Released:
        """All messages, dated by the clock that shows ``now`` ``at`` these seconds."""
        messages = [_dated(message, now - timedelta(seconds=at - came)) for came, message in self._messages]
        released = Released(messages, self.dropped)
        self._messages.clear()
        self._last.clear()
        self.dropped = 0
        return released


def _dated(message: Current, time: datetime) -> Current:
    if abs(message["time"] - time) <= _RIGHT:
        return message
    match message["type"]:
        case "reading":
            return {**message, "time": time}
        case "status":
            return {**message, "time": time}
        case "info":
            return {**message, "time": time}
