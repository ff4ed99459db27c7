"""What no history has that was written as it should be: our own rules, beside those of SQLite. Blocking."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from smart_meter_reader.history.questions.counters import CounterHistory, load_counter
from smart_meter_reader.history.questions.parts import Part
from smart_meter_reader.history.storage.connecting import connect, explained_for
from smart_meter_reader.history.storage.interrupting import interruptible_questions

# A clock that was wrong for a while may have been ahead; by a day nobody's time zone is.
_AHEAD = 86400
_MOST = 20

# Whether a fall is explained, by a restart or by a note, the counter's own parts say.
_FALLS = """
SELECT earlier, time FROM (
    SELECT time, value, lag(time) OVER (ORDER BY time) AS earlier, lag(value) OVER (ORDER BY time) AS before
    FROM counter WHERE series = ?
) WHERE value < before ORDER BY time LIMIT 1000
"""
_BOUNDS = "SELECT count(*), min({time}), max({time}) FROM {table} WHERE series = ?"
# The first device was there before anybody looked: what a gas meter told last may be of the hour before.
_SERIES = """
SELECT series.id, name, quantity, unit, kind, iif(EXISTS (
    SELECT 1 FROM segment AS earlier WHERE earlier.meter = segment.meter AND earlier.since < segment.since
), since, -4611686018427387904), (
    SELECT min(later.since) FROM segment AS later
    WHERE later.meter = segment.meter AND later.since > segment.since
) FROM series JOIN segment ON segment.id = segment JOIN meter ON meter.id = segment.meter
ORDER BY meter.id, segment.since, series.id
"""


@dataclass(frozen=True, slots=True)
class SeriesSize:
    """How much is stored of one quantity of one device, in one unit; times in seconds since 1970 UTC."""

    meter: str
    quantity: str
    unit: str
    kind: str  # counter or gauge
    rows: int
    first: int
    last: int


def sizes(path: Path) -> list[SeriesSize]:
    """What is stored, series by series. Raises HistoryError."""
    return [size for _, size, _ in _series(path)]


def broken_rules(path: Path, now: int) -> list[str]:
    """A sentence for each thing that should not be, some of each kind. Raises HistoryError."""
    told: list[str] = []
    connection = connect(path, read_only=True)
    try:
        for number, size, (since, until) in _series(path):
            with explained_for(path), interruptible_questions(connection):
                told += _of_series(connection, number, size, since, until, now)
    finally:
        connection.close()
    return told[:_MOST] + ([f"and {len(told) - _MOST} more of these"] if len(told) > _MOST else [])


def _series(path: Path) -> list[tuple[int, SeriesSize, tuple[int, int | None]]]:
    found = []
    connection = connect(path, read_only=True)
    try:
        with explained_for(path), interruptible_questions(connection):
            for number, meter, quantity, unit, kind, since, until in connection.execute(_SERIES).fetchall():
                time = "time" if kind == "counter" else "hour"
                rows, first, last = connection.execute(
                    _BOUNDS.format(time=time, table=kind), (number,)
                ).fetchone()
                size = SeriesSize(meter, quantity, unit, kind, rows, first or 0, last or 0)
                found.append((number, size, (since, until)))
    finally:
        connection.close()
    return found


def _of_series(
    connection: sqlite3.Connection,
    number: int,
    size: SeriesSize,
    since: int,
    until: int | None,
    now: int,
) -> Iterator[str]:
    who = f"{size.meter}, {size.quantity}"
    if size.rows and size.last > now + _AHEAD:
        yield f"{who}: the newest value is of {_utc(size.last)}, which is to come: was the clock wrong?"
    # The hour of a gauge begins before the device that was put in within it.
    slack = 3600 if size.kind == "gauge" else 0
    if size.rows and size.first < since - slack:
        yield f"{who}: values of {_utc(size.first)} on, but the device is there since {_utc(since)} only"
    if size.rows and until is not None and size.last >= until:
        yield f"{who}: values up to {_utc(size.last)}, but the device was replaced at {_utc(until)}"
    if size.kind == "gauge":
        wrong = connection.execute(
            "SELECT count(*) FROM gauge WHERE series = ? AND (n < 1 OR low > high)", (number,)
        ).fetchone()[0]
        if wrong:
            yield f"{who}: {wrong} hours have a lowest value above the highest, or none at all"
        return
    counter = load_counter(connection, size.meter, size.quantity)
    falls = connection.execute(_FALLS, (number,)).fetchall()
    told = dict.fromkeys(_fall(counter, number, *fall) for fall in falls)
    yield from (f"{who}: {each}" for each in told if each)


def _fall(counter: CounterHistory, series: int, before: int, time: int) -> str:
    """What a person has to be told of a counter that shows less than before; "" where that is explained."""
    for since, until in counter.wrong:
        before = since - 1 if since <= before <= until else before
        time = until + 1 if since <= time <= until else time
    for part in counter.parts:
        if part.series == series and part.first.time <= before and time <= part.last.time:
            high, low = counter.values(part, [before, time])
            if low < high:
                fell = f"{_shown(high, part)} to {_shown(low, part)} {part.unit}"
                return f"falls from {fell} at {_utc(time)}: say by `history note` what happened"
    return ""


def _shown(value: int, part: Part) -> str:
    return f"{Decimal(value).scaleb(-part.decimals):f}"


def _utc(time: int) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%MZ}"
