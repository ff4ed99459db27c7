"""What waits in a sink's queue: each meter's messages in order, and which meter has most."""

from __future__ import annotations

from collections import deque

from smart_meter_reader.messages import Message


class Waiting:
    """What waits of one meter: what it measured, and beside that what it told, in one order."""

    __slots__ = ("_newest", "_number", "_readings", "_told")

    def __init__(self) -> None:
        self._readings: deque[tuple[int, Message]] = deque()  # and what it had kept
        self._told: deque[tuple[int, Message]] = deque()  # statuses and infos
        self._newest: dict[str, int] = {}  # the numbers of the newest status and the newest info in it
        self._number = 0

    def __len__(self) -> int:
        return len(self._readings) + len(self._told)

    def put(self, message: Message) -> None:
        self._number += 1
        if message["type"] in ("reading", "past"):
            self._readings.append((self._number, message))
        else:
            self._told.append((self._number, message))
            self._newest[message["type"]] = self._number

    def take(self) -> Message:
        """The oldest."""
        readings, told = self._readings, self._told
        if readings and (not told or readings[0][0] < told[0][0]):
            return readings.popleft()[1]
        number, message = told.popleft()
        if self._is_newest(number, message):
            del self._newest[message["type"]]
        return message

    def drop(self) -> Message:
        """Drop the oldest that is not the newest status or info."""
        # Before the first status or info that can go stand two at most that cannot.
        place = next((at for at, each in enumerate(self._told) if not self._is_newest(*each)), None)
        if self._readings and (place is None or self._readings[0][0] < self._told[place][0]):
            return self._readings.popleft()[1]
        assert place is not None
        _, message = self._told[place]
        del self._told[place]
        return message

    def _is_newest(self, number: int, message: Message) -> bool:
        return self._newest[message["type"]] == number


class Ranking:
    """Names by a count that changes by little at a time; the one with the highest is found at once."""

    def __init__(self) -> None:
        self._count: dict[str, int] = {}
        self._names: dict[int, dict[str, None]] = {}  # by count; of one count in the order of getting there
        self._highest = 0

    @property
    def first(self) -> str:
        """The name with the highest count; of several the one that has had it for longest."""
        return next(iter(self._names[self._highest]))

    def place(self, name: str, count: int) -> None:
        """Set the count of a name; 0 takes it out."""
        before = self._count.get(name, 0)
        if count == before:
            return
        if before:
            del self._names[before][name]
            if not self._names[before]:
                del self._names[before]
            del self._count[name]
        if count:
            self._names.setdefault(count, {})[name] = None
            self._count[name] = count
        self._highest = max(self._highest, count)
        while self._highest and self._highest not in self._names:
            self._highest -= 1
