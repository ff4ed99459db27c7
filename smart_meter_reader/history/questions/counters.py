"""One counter over all the devices, units and turns of its digits that it has had: its value at any instant.

Between two readings the value is on the straight line between them, cut to the counter's last decimal. It
is so for one instant wherever that is asked, which is why the bars of any partition add up to what the
meter counted.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from smart_meter_reader.history.questions.parts import (
    AFTER,
    BEFORE,
    Part,
    Sample,
    Spans,
    around,
    load_parts,
    turned,
)
from smart_meter_reader.history.rows import RowOrigin

QUARTER = 900
_DAY = 86400
# A meter's memory goes by standard time: in summer its midnight is one hour after that of the house.
_BESIDE = 3600
# What is read as seldom as this or more often is looked up line by line, longer bars by their ends.
_DENSE = 7200
# Instants further apart than this are looked up one by one, unless there are but a few.
_FAR = 4 * 3600
_WORTH_A_SCAN = 4
# How often a meter is read is judged anew for each stretch of so many seconds, by so many readings.
_STRETCH = 28 * 86400
_JUDGED_BY = 33

_ALL = "SELECT time, value, origin FROM counter WHERE series = ? AND time BETWEEN ? AND ? ORDER BY time"
_VALUES = "SELECT time, value FROM counter WHERE series = ? AND time BETWEEN ? AND ? ORDER BY time"
_COUNT = "SELECT count(*) FROM counter WHERE series = ? AND time >= ? AND time < ?"
_PAUSES = (
    "SELECT before, time FROM (SELECT time, lag(time) OVER (ORDER BY time) AS before FROM counter "
    "WHERE series = ? AND time BETWEEN ? AND ? AND origin <> ?) WHERE time - before > ?"
)
_LAST_UP_TO = (
    "SELECT time FROM counter WHERE series = ? AND time <= ? AND origin <> ? ORDER BY time DESC LIMIT 1"
)
_FIRST_AFTER = "SELECT time FROM counter WHERE series = ? AND time > ? AND origin <> ? ORDER BY time LIMIT 1"
OF_ANY_ORIGIN = -1
"""No origin of a row, so that none is left out."""
_TIMES = "SELECT time FROM counter WHERE series = ? AND time >= ? ORDER BY time LIMIT ?"
_TIMES_BEFORE = "SELECT time FROM counter WHERE series = ? AND time < ? ORDER BY time DESC LIMIT ?"


class Point(NamedTuple):
    """The value at an instant. ``unread``: from when to when nothing was read, where it is an estimate."""

    value: int
    origin: int
    unread: tuple[int, int] | None


class CounterHistory:
    """A quantity of a meter, as parts in the order of time. Empty when nothing is stored of it."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        parts: tuple[Part, ...],
        wrong: Spans = (),
    ) -> None:
        self._connection = connection
        self.parts = parts
        self.wrong = wrong  # from when to when readings are not to be used, both included
        self._usual: dict[tuple[int, int], int] = {}

    def points(self, part: Part, instants: Sequence[int]) -> list[Point]:
        """The values of a part at rising instants; before it its first value, after it its last."""
        inside = [instant for instant in instants if part.first.time < instant < part.last.time]
        found = iter(self._inside(part, inside))
        first = Point(part.first.value, part.first.origin, None)
        last = Point(part.last.value, part.last.origin, None)
        return [
            first if instant <= part.first.time else last if instant >= part.last.time else next(found)
            for instant in instants
        ]

    def values(self, part: Part, instants: Sequence[int]) -> list[int]:
        """As ``points``, but only the values, and fast: a year has 35,000 quarters."""
        inside = [instant for instant in instants if part.first.time < instant < part.last.time]
        if not inside:
            return [self._outside(part, instant) for instant in instants]
        found = [value for run in _runs(inside) for value in self._values_of_run(part, run)]
        first, last = instants.index(inside[0]), len(instants)
        while last and instants[last - 1] > inside[-1]:
            last -= 1
        outside = partial(self._outside, part)
        return [*map(outside, instants[:first]), *found, *map(outside, instants[last:])]

    def _values_of_run(self, part: Part, inside: Sequence[int]) -> list[int]:
        """The values at instants that lie so close together that what lies between is gone through."""
        if len(inside) < _WORTH_A_SCAN:
            return [self._value(part, instant) for instant in inside]
        since, until = self._before(part, inside[0]).time, self._after(part, inside[-1]).time
        if self.wrong or part.turns:
            rows: Iterator[tuple[int, int]] = (
                (time, value) for time, value, _ in self.samples(part, since, until)
            )
        else:  # as the file has them: there are thirty-five thousand in a year
            rows = iter(self._connection.execute(_VALUES, (part.series, since, until)).fetchall())
        (before, low), (after, high) = next(rows), next(rows)
        found: list[int] = []
        for instant in inside:
            while after <= instant:
                before, low = after, high
                after, high = next(rows)
            found.append(low + (high - low) * (instant - before) // (after - before))
        return found

    def _value(self, part: Part, instant: int) -> int:
        before, after = self._before(part, instant), self._after(part, instant)
        since_before, apart = instant - before.time, after.time - before.time
        return before.value + (after.value - before.value) * since_before // apart

    def _outside(self, part: Part, instant: int) -> int:
        return part.first.value if instant <= part.first.time else part.last.value

    def samples(self, part: Part, since: int, until: int) -> Iterator[Sample]:
        """The readings of a part between two instants, both included."""
        since, until = max(since, part.first.time), min(until, part.last.time)
        for time, value, origin in self._connection.execute(_ALL, (part.series, since, until)):
            if not (self.wrong and around(self.wrong, time)):
                yield Sample(time, value + turned(part.turns, time), origin)

    def count(self, part: Part, since: int, until: int) -> int:
        """How many readings of a part are stored between two instants, the second not included."""
        since, until = max(since, part.first.time), min(until, part.last.time + 1)
        found: int = self._connection.execute(_COUNT, (part.series, since, until)).fetchone()[0]
        return found

    def pauses(
        self, part: Part, since: int, until: int, least: int, without: int = OF_ANY_ORIGIN
    ) -> list[tuple[int, int]]:
        """Where more than ``least`` seconds lie between two readings of a part, in a stretch or into it.

        Readings whose origin is ``without`` do not count as such.
        """
        begin = max(self._time(_LAST_UP_TO, part, since, without, part.first.time), part.first.time)
        end = min(self._time(_FIRST_AFTER, part, until, without, part.last.time), part.last.time)
        return [
            (before, after)
            for before, after in self._connection.execute(_PAUSES, (part.series, begin, end, without, least))
            if not (self.wrong and (around(self.wrong, before) or around(self.wrong, after)))
        ]

    def usual_interval(self, part: Part, instant: int) -> int:
        """How many seconds usually lie between two readings around an instant; 900 at least, a day at most.

        Of what is known by the month it is not known what was counted on a day.
        """
        stretch = instant // _STRETCH
        key = (part.series, stretch)
        if key not in self._usual:
            # Both ends are asked: a person may have changed how often the meter is read.
            begin = self._times(_TIMES, part, stretch * _STRETCH, _JUDGED_BY)
            if len(begin) < _JUDGED_BY:
                missing = _JUDGED_BY - len(begin)
                begin = self._times(_TIMES_BEFORE, part, stretch * _STRETCH, missing)[::-1] + begin
            end = self._times(_TIMES_BEFORE, part, (stretch + 1) * _STRETCH, _JUDGED_BY)[::-1]
            self._usual[key] = min(max(QUARTER, _middle_interval(begin), _middle_interval(end)), _DAY)
        return self._usual[key]

    def _time(self, question: str, part: Part, instant: int, without: int, otherwise: int) -> int:
        found = self._connection.execute(question, (part.series, instant, without)).fetchone()
        return otherwise if found is None else int(found[0])

    def _times(self, question: str, part: Part, instant: int, most: int) -> list[int]:
        return [time for (time,) in self._connection.execute(question, (part.series, instant, most))]

    def _inside(self, part: Part, instants: Sequence[int]) -> Iterator[Point]:
        if not instants:
            return
        dense = len(instants) > 2 and instants[-1] - instants[0] <= _DENSE * (len(instants) - 1)
        pairs = self._pairs_of_all(part, instants) if dense else self._pairs(part, instants)
        for instant, (before, after) in zip(instants, pairs, strict=True):
            yield self._between(part, instant, before, after)

    def _pairs(self, part: Part, instants: Sequence[int]) -> Iterator[tuple[Sample, Sample]]:
        for instant in instants:
            yield self._before(part, instant), self._after(part, instant)

    def _pairs_of_all(self, part: Part, instants: Sequence[int]) -> Iterator[tuple[Sample, Sample]]:
        """The same by going through all readings once."""
        since, until = self._before(part, instants[0]).time, self._after(part, instants[-1]).time
        samples = self.samples(part, since, until)
        before, after = next(samples), next(samples)
        for instant in instants:
            while after.time <= instant:
                before, after = after, next(samples)
            yield before, after

    def _before(self, part: Part, instant: int) -> Sample:
        return self._neighbour(part, BEFORE, instant, to_since=True)

    def _after(self, part: Part, instant: int) -> Sample:
        return self._neighbour(part, AFTER, instant, to_since=False)

    def _neighbour(self, part: Part, question: str, instant: int, *, to_since: bool) -> Sample:
        """The next reading to one side that is not noted as wrong. There is one: the part's first or last."""
        while True:
            time, value, origin = self._connection.execute(question, (part.series, instant)).fetchone()
            wrong = around(self.wrong, time)
            if wrong is None:
                return Sample(time, value + turned(part.turns, time), origin)
            instant = wrong[0] - 1 if to_since else wrong[1]

    def _between(self, part: Part, instant: int, before: Sample, after: Sample) -> Point:
        apart = after.time - before.time
        origin = max(before.origin, after.origin)
        if before.time == instant:
            return Point(before.value, before.origin, None)
        value = before.value + (after.value - before.value) * (instant - before.time) // apart
        # Where nothing was counted, it does not matter that nobody looked.
        known = after.value == before.value or apart <= 2 * QUARTER
        if known or _told_beside(instant, before, after) or apart <= 2 * self.usual_interval(part, instant):
            return Point(value, origin, None)
        return Point(value, origin, (before.time, after.time))


def _told_beside(instant: int, before: Sample, after: Sample) -> bool:
    """Whether something that was kept, and not read at the time, tells of an instant near enough."""
    return any(
        each.origin != RowOrigin.MEASURED and abs(each.time - instant) <= _BESIDE for each in (before, after)
    )


def _runs(instants: Sequence[int]) -> Iterator[Sequence[int]]:
    """Runs of rising instants in which neighbours are near each other."""
    cuts = [index for index, (one, other) in enumerate(pairwise(instants), 1) if other - one > _FAR]
    for begin, end in pairwise((0, *cuts, len(instants))):
        yield instants[begin:end]


def load_counter(connection: sqlite3.Connection, meter: str, quantity: str) -> CounterHistory:
    """Everything that is known of a counter, its parts in the order of time. Raises sqlite3.Error."""
    return CounterHistory(connection, *load_parts(connection, meter, quantity))


def _middle_interval(times: Sequence[int]) -> int:
    """The median of what lies between two neighbours, in seconds; 0 for less than two."""
    intervals = sorted(after - before for before, after in pairwise(times))
    return intervals[(len(intervals) - 1) // 2] if intervals else 0


def index_of(boundaries: Sequence[int], instant: int) -> int:
    """Which bar an instant lies in: the last one whose beginning is not after it; -1 before all."""
    return bisect_right(boundaries, instant) - 1
