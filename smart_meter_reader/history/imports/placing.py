"""Finds the place of each reading of one counter among those that are stored.

A reading between stored ones fills a gap of a quarter of an hour or more where it lies between their values;
what does not fit there is left out and counted, since what was measured stays as it is. What a meter logged
at a full hour is more than a reading some minutes before it can tell: it needs no gap.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from smart_meter_reader.history.imports.quantities import exactly
from smart_meter_reader.history.imports.staging import StagedRow, StagedSeries
from smart_meter_reader.history.intake.kept import QUARTER
from smart_meter_reader.history.questions.counters import CounterHistory
from smart_meter_reader.history.questions.parts import Part, Sample
from smart_meter_reader.history.rows import RowOrigin

# A counter that was stored so recently is being read, by a service that remembers its newest value.
RUNNING = 7200


@dataclass(slots=True)
class SeriesPlan:
    """What becomes of one counter of the file; times in seconds since 1970 UTC."""

    series: StagedSeries
    unit: str  # in which it is stored
    rows: int = 0
    days: int = 0
    first: StagedRow | None = None
    last: StagedRow | None = None
    earlier: int = 0  # before all that is stored
    filling: int = 0  # into gaps
    later: int = 0  # after all that is stored
    stored_already: int = 0
    differing: int = 0  # of these, with another value
    contradicting: int = 0
    between_devices: int = 0
    running: int = 0
    # By the number of a device in the file: its first reading and its last one, in ``unit``.
    devices: dict[int, tuple[StagedRow, StagedRow]] = field(default_factory=dict)
    stored_first: tuple[int, Decimal] | None = None
    stored_unit: str = ""  # of the oldest that is stored, which may be another one

    @property
    def new(self) -> int:
        """How many rows are written."""
        return self.earlier + self.filling + self.later


class SeriesPlanner:
    """Finds the place of each row of a counter, in the order of time."""

    def __init__(
        self,
        connection: sqlite3.Connection | None,
        counter: CounterHistory | None,
        series: StagedSeries,
        segments: Sequence[tuple[int, int]],
        replaced_at: tuple[int, ...],
        now: int,
        *,
        exact: bool = False,
    ) -> None:
        """``exact``: the rows tell of the edges of bars, and so stand beside a measured one, however near."""
        self._parts: Sequence[Part] = counter.parts if counter else ()
        self._stored = _Stored(counter) if counter else None
        self._segments, self._replaced_at = segments, replaced_at
        self._in_segment = _segments_of(connection, self._parts)
        self._filled: tuple[Sample | None, Decimal] = (None, Decimal(0))
        unit = self._parts[0].unit if self._parts else series.unit
        self.plan = SeriesPlan(series, unit if exactly(Decimal(1), series.unit, unit) else series.unit)
        self.plan.stored_unit = unit
        self._last = max((part.last.time for part in self._parts), default=0)
        self._runs = now - self._last < RUNNING
        self._exact = exact
        if self._parts and self._parts[0].unit == self.plan.unit and self._is_oldest(self._parts[0]):
            first = self._parts[0].first
            self.plan.stored_first = first.time, _value(self._parts[0], first)

    def placed(self, rows: Iterator[StagedRow]) -> Iterator[tuple[int, int, Decimal]]:
        """The rows that are new as (place, time, value): a segment, or below zero a device of the file."""
        for row in rows:
            value = exactly(row.value, self.plan.series.unit, self.plan.unit)
            assert value is not None
            place = self._place(row._replace(value=value))
            if place is not None:
                yield place, row.time, value

    def _place(self, row: StagedRow) -> int | None:
        plan = self.plan
        if self._stored is None:
            return self._earlier(row)
        if row.time < self._parts[0].first.time:
            return self._earlier(row)
        if row.time <= self._last:
            return self._inside(row, self._stored)
        if self._runs:
            plan.running += 1
            return None
        part = self._parts[-1]
        if part.unit != plan.unit or row.value < _value(part, part.last):
            plan.contradicting += 1
            return None
        plan.later += 1
        return self._in_segment[part.series]

    def _earlier(self, row: StagedRow) -> int | None:
        plan = self.plan
        inside = [number for number, since in self._segments if since <= row.time]
        if inside:  # the meter was there, but this counter was not read yet
            if plan.unit == self._unit_in(inside[-1]) and row.value > self._least_in(inside[-1]):
                plan.contradicting += 1
                return None
            plan.earlier += 1
            return inside[-1]
        plan.earlier += 1
        device = bisect_right(self._replaced_at, row.time)
        first, _ = plan.devices.get(device, (row, row))
        plan.devices[device] = first, row
        return -device - 1

    def _inside(self, row: StagedRow, stored: _Stored) -> int | None:
        plan = self.plan
        stored.move_to(row.time)
        before, after = stored.before, stored.after
        assert before is not None
        part = before[0]
        if after is None or before[1].time == row.time:
            plan.differing += part.unit == plan.unit and row.value != _value(part, before[1])
            plan.stored_already += 1
            return None
        if after[0] is not part:
            plan.between_devices += 1
            return None
        least = _value(part, before[1])
        if self._is_told_by(before[1], row) or self._is_told_by(after[1], row):
            plan.differing += part.unit == plan.unit and not least <= row.value <= _value(part, after[1])
            plan.stored_already += 1
            return None
        if self._filled[0] == before[1]:
            least = max(least, self._filled[1])
        if part.turns or part.unit != plan.unit or not least <= row.value <= _value(part, after[1]):
            plan.contradicting += 1
            return None
        self._filled = before[1], row.value
        plan.filling += 1
        return self._in_segment[part.series]

    def _is_told_by(self, stored: Sample, row: StagedRow) -> bool:
        if self._exact and stored.origin == RowOrigin.MEASURED:
            return False
        return abs(stored.time - row.time) < QUARTER

    def _is_oldest(self, part: Part) -> bool:
        return bool(self._segments) and self._in_segment[part.series] == self._segments[0][0]

    def _unit_in(self, segment: int) -> str:
        found = [part.unit for part in self._parts if self._in_segment[part.series] == segment]
        return found[0] if found else ""

    def _least_in(self, segment: int) -> Decimal:
        return next(
            _value(part, part.first) for part in self._parts if self._in_segment[part.series] == segment
        )


class _Stored:
    """The readings that are stored of a counter, walked along once."""

    def __init__(self, counter: CounterHistory) -> None:
        self._samples = (
            (part, sample)
            for part in counter.parts
            for sample in counter.samples(part, part.first.time, part.last.time)
        )
        self.before: tuple[Part, Sample] | None = None
        self.after: tuple[Part, Sample] | None = next(self._samples, None)

    def move_to(self, time: int) -> None:
        """Let ``before`` be the newest up to a time, and ``after`` the next one."""
        while self.after is not None and self.after[1].time <= time:
            self.before, self.after = self.after, next(self._samples, None)


def _segments_of(connection: sqlite3.Connection | None, parts: Sequence[Part]) -> dict[int, int]:
    if connection is None:
        return {}
    return {
        part.series: connection.execute("SELECT segment FROM series WHERE id = ?", (part.series,)).fetchone()[
            0
        ]
        for part in parts
    }


def _value(part: Part, sample: Sample) -> Decimal:
    return Decimal(sample.value).scaleb(-part.decimals)
