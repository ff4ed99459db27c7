"""What a meter's info logger told: what it reported, from which moment on. Blocking."""

from __future__ import annotations

import sqlite3

from smart_meter_reader.history.reports import REPORTS, reported_by, sentences
from smart_meter_reader.history.rows import CLEARED, RAISED
from smart_meter_reader.history.storage.report_writer import ReportedAt
from smart_meter_reader.messages import Past

_BEFORE = (
    "SELECT kind, text FROM event JOIN meter ON meter.id = meter "
    "WHERE name = ? AND kind IN (?, ?) AND time < ? ORDER BY time, event.id"
)


def reported_in(
    connection: sqlite3.Connection, past: Past, since: int
) -> tuple[tuple[str, ...], list[ReportedAt]]:
    """What held before, and what was reported from when on, later than ``since`` and oldest first.

    Empty for a past of another logger than ``info``. Where it does not say what held before its first row,
    that is what is stored. Raises sqlite3.Error.
    """
    if past["logger"] != "info":
        return (), []
    told = [
        ReportedAt(int(row["measured_at"].timestamp()), sentences(str(row["measurements"][REPORTS]["value"])))
        for row in past["rows"]
        if REPORTS in row["measurements"]
    ]
    early = [each for each in told if each.time <= since]
    rows = told[len(early) :]
    if early:
        return early[-1].sentences, rows
    if "reported_before" in past:
        return sentences(past["reported_before"]), rows
    if not rows:
        return (), []
    stored = connection.execute(_BEFORE, (past["meter"], RAISED, CLEARED, rows[0].time)).fetchall()
    return reported_by(stored), rows
