"""Writes what a meter reports of itself, and no longer: each change once, at the time that is known best.

A reading shows a change up to its period too late; the meter's own info logger tells each by the second.
The two come in any order, and each again after an interruption.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from smart_meter_reader.history.reports import changes, event_text, is_logged, told_by
from smart_meter_reader.history.rows import CLEARED, RAISED, EventRow

_COLUMNS = "SELECT id, time, kind, text FROM event WHERE meter = ? AND kind IN (?, ?) AND "
_UNTIL = _COLUMNS + "time <= ? ORDER BY time DESC, id DESC"
_FROM = _COLUMNS + "time >= ? ORDER BY time, id"
_AT = _COLUMNS + "time = ? ORDER BY id"
# A reading may be taken so many seconds before the meter's clock, which is that much ahead, dates the change.
_AHEAD = 90
# The logger's own times come out otherwise by so much, where they are put right by the meter's clock.
_JITTER = 3


class ReportedAt(NamedTuple):
    """What a meter reports from a time on, in sentences."""

    time: int
    sentences: tuple[str, ...]


class _Reported(NamedTuple):
    number: int
    time: int
    kind: str
    sentences: list[str]
    logged: bool


_Change: TypeAlias = tuple[int, str, str, bool]  # time, kind, sentence, and whether it was logged


def write_report(connection: sqlite3.Connection, meter: int, row: EventRow) -> bool:
    """Write what a reading has shown; False where all of it is known already. Raises sqlite3.Error."""
    new = []
    for sentence in told_by(row.kind, row.text):
        before = _mentioning(sentence, _found(connection, _UNTIL, meter, row.time))
        after = _mentioning(sentence, _found(connection, _FROM, meter, row.time + 1))
        if row.kind not in (before and before.kind, after and after.kind):
            new.append(sentence)
    for sentence in new:
        _put_in(connection, meter, (row.time, row.kind, sentence, False))
    return bool(new)


def write_reported(
    connection: sqlite3.Connection, meter: int, before: Iterable[str], rows: Sequence[ReportedAt]
) -> tuple[int, int]:
    """Write all changes of a stretch of time, rows oldest first; how many events are new, and were there.

    ``before``: what was reported until the first row. What readings had shown of the same changes goes: it
    is of the same time, or comes too late. Raises sqlite3.Error.
    """
    told = list(pairwise([ReportedAt(0, tuple(before)), *rows]))
    true: dict[_Change, None] = {
        (new.time, kind, sentence, True): None
        for old, new in told
        for kind, changed in changes(old.sentences, new.sentences)
        for sentence in changed
    }
    known = {sentence for pair in told for each in pair for sentence in each.sentences}
    first, last = rows[0].time, rows[-1]
    there = set()
    for event in list(_found(connection, _FROM, meter, first)):
        if event.time > last.time:
            break
        for sentence in known.intersection(event.sentences):
            change = (event.time, event.kind, sentence, event.logged)
            there.add(change)
            if change not in true:
                _take_out(connection, change, meter)
    for sentence in known:
        _join_before(connection, meter, sentence, first, true)
        _join_after(connection, meter, sentence, last)
    for change in true:
        if change not in there:
            _put_in(connection, meter, change)
    events = {change[:2] for change in true}
    new = {change[:2] for change in true if change not in there}
    return len(new), len(events) - len(new)


def _join_before(
    connection: sqlite3.Connection, meter: int, sentence: str, first: int, true: Iterable[_Change]
) -> None:
    """A reading from just before the first row may have shown what that row tells."""
    kind = next((kind for _, kind, each, _ in true if each == sentence), None)
    event = _mentioning(sentence, _found(connection, _UNTIL, meter, first - 1))
    if event is not None and event.kind == kind and event.time >= first - _near(event):
        _take_out(connection, (event.time, event.kind, sentence, event.logged), meter)


def _join_after(connection: sqlite3.Connection, meter: int, sentence: str, last: ReportedAt) -> None:
    """What comes after the last row, and is so already, a reading has shown too late."""
    held = RAISED if sentence in last.sentences else CLEARED
    event = _mentioning(sentence, _found(connection, _FROM, meter, last.time + 1))
    if event is None or event.kind != held:
        return
    if not event.logged or event.time <= last.time + _near(event):
        _take_out(connection, (event.time, event.kind, sentence, event.logged), meter)


def _near(event: _Reported) -> int:
    """So many seconds beside the rows an event may still be the same as one of them."""
    return _JITTER if event.logged else _AHEAD


def _found(connection: sqlite3.Connection, question: str, meter: int, time: int) -> Iterator[_Reported]:
    for number, at, kind, text in connection.execute(question, (meter, RAISED, CLEARED, time)):
        yield _Reported(number, at, kind, told_by(kind, text), is_logged(kind, text))


def _mentioning(sentence: str, events: Iterable[_Reported]) -> _Reported | None:
    return next((event for event in events if sentence in event.sentences), None)


def _take_out(connection: sqlite3.Connection, change: _Change, meter: int) -> None:
    time, kind, sentence, logged = change
    for event in list(_found(connection, _AT, meter, time)):
        if (event.kind, event.logged) != (kind, logged) or sentence not in event.sentences:
            continue
        left = [each for each in event.sentences if each != sentence]
        if left:
            text = event_text(kind, left, logged=logged)
            connection.execute("UPDATE event SET text = ? WHERE id = ?", (text, event.number))
        else:
            connection.execute("DELETE FROM event WHERE id = ?", (event.number,))


def _put_in(connection: sqlite3.Connection, meter: int, change: _Change) -> None:
    time, kind, sentence, logged = change
    for event in _found(connection, _AT, meter, time):
        if (event.kind, event.logged) == (kind, logged):
            text = event_text(kind, [*event.sentences, sentence], logged=logged)
            connection.execute("UPDATE event SET text = ? WHERE id = ?", (text, event.number))
            return
    connection.execute(
        "INSERT INTO event (time, meter, kind, text) VALUES (?, ?, ?, ?)",
        (time, meter, kind, event_text(kind, [sentence], logged=logged)),
    )
