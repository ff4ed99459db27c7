"""The runs of one counter that go on from reading to reading, over all its devices and units."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

BEFORE = "SELECT time, value, origin FROM counter WHERE series = ? AND time <= ? ORDER BY time DESC LIMIT 1"
AFTER = "SELECT time, value, origin FROM counter WHERE series = ? AND time > ? ORDER BY time LIMIT 1"

# Stretches of time, both ends included, in order and apart.
Spans: TypeAlias = tuple[tuple[int, int], ...]


class Sample(NamedTuple):
    """One stored reading, in the last decimal of its part."""

    time: int
    value: int
    origin: int


@dataclass(frozen=True, slots=True)
class Part:
    """A run of one counter that goes on from reading to reading: of one device, in one unit."""

    series: int
    unit: str
    decimals: int
    first: Sample
    last: Sample
    turns: tuple[tuple[int, int], ...]  # since when how much is added, for digits that have rolled over
    serial_number: str
    why: str  # why it does not go on from the part before

    @property
    def counted(self) -> int:
        """What it has counted from its first reading to its last, in its last decimal."""
        return self.last.value - self.first.value


def load_parts(connection: sqlite3.Connection, meter: str, quantity: str) -> tuple[tuple[Part, ...], Spans]:
    """The parts of a counter in the order of time, and when its readings are wrong. Raises sqlite3.Error."""
    notes = connection.execute(
        "SELECT note.kind, note.since, note.until FROM note JOIN meter ON meter.id = note.meter "
        "WHERE name = ? AND quantity IN ('', ?) AND taken_back IS NULL ORDER BY note.since",
        (meter, quantity),
    ).fetchall()
    wrong = _joined([(since, until) for kind, since, until in notes if kind == "wrong"])
    replaced = [since for kind, since, _ in notes if kind == "replaced"]
    parts: list[Part] = []
    for row in connection.execute(
        "SELECT series.id, unit, decimals, serial_number, why FROM series "
        "JOIN segment ON segment.id = segment JOIN meter ON meter.id = meter "
        "WHERE name = ? AND quantity = ? AND kind = 'counter' ORDER BY segment.since, segment.id, series.id",
        (meter, quantity),
    ).fetchall():
        parts.extend(_parts(connection, wrong, row, replaced))
    parts.sort(key=lambda part: part.first.time)
    return tuple(_apart(connection, wrong, parts)), wrong


def _parts(
    connection: sqlite3.Connection, wrong: Spans, row: tuple[int, str, int, str, str], replaced: list[int]
) -> Iterator[Part]:
    """The parts of one series: it is cut where the counter began anew, and where a person says so."""
    series, unit, decimals, serial, why = row
    restarts = [
        restart
        for restart in connection.execute(
            "SELECT time, modulus FROM restart WHERE series = ? ORDER BY time", (series,)
        ).fetchall()
        if not (wrong and _comes_of_wrong(connection, wrong, series, restart[0]))
    ]
    turns = tuple(turn for turn in restarts if turn[1] is not None)
    cuts = {time: "the counter began anew" for time, modulus in restarts if modulus is None}
    cuts |= dict.fromkeys(replaced, "noted as replaced")
    begins = [(-(2**62), why), *sorted(cuts.items())]
    ends = [time for time, _ in begins[1:]] + [2**62]
    for (begin, reason), end in zip(begins, ends, strict=True):
        first = _first(connection, wrong, series, begin - 1, AFTER)
        last = _first(connection, wrong, series, end - 1, BEFORE)
        if first is None or last is None or not begin <= first.time <= last.time < end:
            continue
        # What had turned before the first reading that is to be used is nothing to it.
        own_turns = tuple(turn for turn in turns if first.time < turn[0] < end)
        last = last._replace(value=last.value + turned(own_turns, last.time))
        yield Part(series, unit, decimals, first, last, own_turns, serial, reason)


def _comes_of_wrong(connection: sqlite3.Connection, wrong: Spans, series: int, time: int) -> bool:
    """Whether a counter only seemed to begin anew, since the reading before is noted as wrong."""
    fell_from = connection.execute(BEFORE, (series, time - 1)).fetchone()
    if fell_from is None or around(wrong, fell_from[0]) is None:
        return False
    before = _first(connection, wrong, series, time - 1, BEFORE)
    after = _first(connection, wrong, series, time - 1, AFTER)
    return before is not None and after is not None and before.value <= after.value


def _first(
    connection: sqlite3.Connection, wrong: Spans, series: int, instant: int, question: str
) -> Sample | None:
    """The first reading after an instant, or the last one up to it, that is not noted as wrong."""
    while (row := connection.execute(question, (series, instant)).fetchone()) is not None:
        excluded = around(wrong, row[0])
        if excluded is None:
            return Sample(*row)
        instant = excluded[1] if question is AFTER else excluded[0] - 1
    return None


def _apart(connection: sqlite3.Connection, wrong: Spans, parts: Sequence[Part]) -> Iterator[Part]:
    """No stretch of time counts twice: of parts that overlap the later one begins where the other ends."""
    until = -(2**62)
    for part in parts:
        apart = part if part.first.time >= until else _begun_at(connection, wrong, part, until)
        if apart is not None:
            until = apart.last.time
            yield apart


def _begun_at(connection: sqlite3.Connection, wrong: Spans, part: Part, since: int) -> Part | None:
    """What of a part lies after an instant; None for nothing.

    A meter that tells kWh and Wh by turns has two series at once, and goes on with one of them alone.
    """
    if part.last.time < since:
        return None
    first = _first(connection, wrong, part.series, since - 1, AFTER)
    assert first is not None
    first = first._replace(value=first.value + turned(part.turns, first.time))
    return replace(part, first=first)


def around(wrong: Spans, time: int) -> tuple[int, int] | None:
    """The stretch of wrong readings in which a time lies."""
    return next((each for each in wrong if each[0] <= time <= each[1]), None)


def _joined(ranges: list[tuple[int, int]]) -> Spans:
    joined: list[tuple[int, int]] = []
    for since, until in sorted(ranges):
        if joined and since <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], until))
        else:
            joined.append((since, until))
    return tuple(joined)


def turned(turns: tuple[tuple[int, int], ...], time: int) -> int:
    """What has to be added to a stored value for the turns that its digits have made."""
    return sum(add for since, add in turns if since <= time) if turns else 0
