"""The part of a spool that is in memory: entries by their rising sequence. Pure: times are arguments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from smart_meter_reader.spool.entries import SpoolEntry
from smart_meter_reader.spool.file import Written


class _InMemory(NamedTuple):
    since: float  # seconds of a clock that only goes forward
    written: Written


class EntriesInMemory:
    """What came last, in its order."""

    def __init__(self) -> None:
        self._held: dict[int, _InMemory] = {}
        self._sequences: dict[str, int] = {}  # by id
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Written]:
        return (held.written for held in self._held.values())

    def put(self, written: Written, since: float) -> None:
        """Behind all others; its id is not there yet."""
        self._held[written.sequence] = _InMemory(since, written)
        self._sequences[written.entry.id] = written.sequence
        self.bytes += written.entry.size

    def pop(self, sequence: int) -> SpoolEntry | None:
        """Take one out; None where it is not here."""
        held = self._held.pop(sequence, None)
        if held is None:
            return None
        entry = held.written.entry
        self._sequences.pop(entry.id, None)
        self.bytes -= entry.size
        return entry

    def drop_first(self) -> Written:
        """Take out the oldest. KeyError where there is none."""
        first = next(iter(self), None)
        if first is None:
            raise KeyError("nothing is held")
        self.pop(first.sequence)
        return first

    def sequence_of(self, key: str) -> int | None:
        """Of the entry with this id, where it is here."""
        return self._sequences.get(key)

    def due(self, until: float) -> list[Written]:
        """What came before this moment; it is the first of all."""
        found: list[Written] = []
        for held in self._held.values():
            if held.since > until:
                break
            found.append(held.written)
        return found
