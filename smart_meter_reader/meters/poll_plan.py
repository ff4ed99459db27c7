"""When which registers of a polled meter are due: groups, schedules, requests, the last 24 hours. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from smart_meter_reader.settings.schedule import Schedule

# Groups that are due within so much of each other are read together: one wake-up of the meter, not two.
TOGETHER = timedelta(seconds=30)
# When the clock was put back by less than this, what was just read is not due again.
JUST_READ = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Group:
    """Registers read together at their own times."""

    registers: tuple[int, ...]
    schedule: Schedule


class Plan:
    """When each group is due. A group never read is due at once."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self._groups = tuple(groups)
        self._due: list[datetime | None] = [None] * len(groups)
        self._read_at: list[datetime | None] = [None] * len(groups)

    def next_due(self, now: datetime) -> datetime:
        """The time of the next reading; ``now`` when one is due already."""
        for index, due in enumerate(self._due):
            # After the clock was put back, a group would otherwise wait for the old time to come again.
            if due is not None:
                self._due[index] = min(due, self._due_by_clock(index, now))
        return min(now if due is None else max(now, due) for due in self._due)

    def registers_due(self, now: datetime, *, first_too: bool = False) -> list[int]:
        """The registers of all groups due, each once; ``first_too``: those of the first group in any case."""
        registers: dict[int, None] = {}
        for index, group in enumerate(self._groups):
            if self._is_due(index, now) or (first_too and index == 0):
                registers |= dict.fromkeys(group.registers)
        return list(registers)

    def first_is_due(self, now: datetime) -> bool:
        """Whether the first group is among those due."""
        return self._is_due(0, now)

    def mark_read(self, now: datetime) -> None:
        """All groups due at ``now`` have been read: set their next times."""
        for index in range(len(self._groups)):
            if self._is_due(index, now):
                self._due[index] = self._following(index, now)
                self._read_at[index] = now

    def period_of(self, register: int) -> timedelta:
        """The time between two readings of a register, by the busiest of its groups."""
        return min(group.schedule.period for group in self._groups if register in group.registers)

    def bring_forward(self, when: datetime) -> None:
        """Make the first group due at ``when``, unless it is due earlier anyway."""
        due = self._due[0]
        self._due[0] = min(when, due) if due is not None else None

    def _is_due(self, index: int, now: datetime) -> bool:
        due = self._due[index]
        return due is None or due <= now + self._nearness(index)

    def _nearness(self, index: int) -> timedelta:
        # Half a period at most: a group of a short interval is not read twice for being near the next one.
        return min(TOGETHER, self._groups[index].schedule.period / 2)

    def _due_by_clock(self, index: int, now: datetime) -> datetime:
        """The latest time at which a group that was read can be due, by what the clock says now."""
        schedule, read_at = self._groups[index].schedule, self._read_at[index]
        due = schedule.next_after(now)
        if schedule.interval is not None or read_at is None:
            return due
        # Read early, or the clock was put back a little: the same time is not due twice.
        near = min(JUST_READ, schedule.period / 2)
        was_read = due <= read_at + self._nearness(index) and read_at - due <= near and due - now <= near
        return schedule.next_after(due) if was_read else due

    def _following(self, index: int, now: datetime) -> datetime:
        """The next time in the group's rhythm, once what is due about ``now`` has been read."""
        schedule, due = self._groups[index].schedule, self._due[index] or now
        read_until = now + self._nearness(index)
        if schedule.interval is None:
            return schedule.next_after(max(due, read_until))
        following = schedule.next_after(due)
        # What was missed is not caught up: the rhythm begins anew.
        return following if following > read_until else schedule.next_after(now)


class Spacing:
    """Keeps requests for a reading so far apart that nobody empties a meter's battery with them."""

    def __init__(self, least: timedelta) -> None:
        self.least = least
        self._free_at: datetime | None = None

    def free_at(self, now: datetime) -> datetime:
        """When the next request may be taken; ``now`` when it may be at once."""
        if self._free_at is None:
            return now
        # After the clock was put back one would otherwise wait for the old time to come again.
        self._free_at = min(self._free_at, now + self.least)
        return max(now, self._free_at)

    def take(self, now: datetime) -> None:
        """A request is taken at ``now``."""
        self._free_at = now + self.least


class LastDay:
    """Counts events of the last 24 hours in quarters of an hour: 96 numbers, however many events."""

    QUARTER = timedelta(minutes=15)

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def add(self, now: datetime, count: int = 1) -> None:
        """Count events at ``now``."""
        self._forget(now)
        quarter = self._quarter(now)
        self._counts[quarter] = self._counts.get(quarter, 0) + count

    def total(self, now: datetime) -> int:
        """The events of the 24 hours before ``now``, to the quarter of an hour."""
        self._forget(now)
        return sum(self._counts.values())

    def _forget(self, now: datetime) -> None:
        """Drop what is a day old. What lies ahead, since the clock was put back, counts as of now."""
        newest = self._quarter(now)
        counts: dict[int, int] = {}
        for quarter, count in self._counts.items():
            if quarter > newest - 96:
                counts[min(quarter, newest)] = counts.get(min(quarter, newest), 0) + count
        self._counts = counts

    def _quarter(self, moment: datetime) -> int:
        return int(moment.timestamp() // self.QUARTER.total_seconds())
