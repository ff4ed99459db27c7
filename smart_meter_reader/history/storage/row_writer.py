"""Turns rows into lines of the tables of a history, with the numbers that these have there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from smart_meter_reader.history.rows import (
    CLEARED,
    RAISED,
    STARTED,
    STOPPED,
    CounterRow,
    EventRow,
    GaugeRow,
    RestartRow,
    Row,
    RowOrigin,
    SegmentRow,
    SerialRow,
)
from smart_meter_reader.history.storage.report_writer import ReportedAt, write_report, write_reported

# SQLite's integers have 64 bits; all numbers of 18 digits fit.
_MOST_DIGITS = 18
# Measured parts of one hour are added up; what came from elsewhere gives way to them.
_ADD_TO_HOUR = """
INSERT INTO gauge VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    n = excluded.n + iif(excluded.origin = origin, n, 0),
    low = iif(excluded.origin = origin, min(low, excluded.low), excluded.low),
    high = iif(excluded.origin = origin, max(high, excluded.high), excluded.high),
    total = excluded.total + iif(excluded.origin = origin, total, 0),
    origin = excluded.origin
WHERE excluded.origin <= origin
"""
# What came from elsewhere tells a whole hour: the same twice is one.
_SET_HOUR = """
INSERT INTO gauge VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    n = excluded.n, low = excluded.low, high = excluded.high, total = excluded.total, origin = excluded.origin
WHERE excluded.origin <= origin
"""
_STOP_AGAIN = f"""
UPDATE event SET time = ?, text = ? WHERE kind = '{STOPPED}' AND id = (
    SELECT id FROM event WHERE meter IS NULL AND kind IN ('{STARTED}', '{STOPPED}')
    ORDER BY time DESC, id DESC LIMIT 1
)
"""  # noqa: S608 - our words


class TooManyDigitsError(ValueError):
    """A value with more digits than a row can hold."""


class _Series(NamedTuple):
    number: int
    decimals: int


class RowWriter:
    """Writes the rows of one transaction, which is somebody else's to begin and end. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._meters: dict[str, int] = {}
        self._segments: dict[str, int] = {}  # the newest of each meter
        self._series: dict[tuple[int, str, str, str], _Series] = {}
        # Rows that were there already, and values that do not fit.
        self.duplicates = 0
        self.unfit = 0

    def write(self, row: Row) -> None:
        """Write one row; one that is there already stays as it is, and is counted."""
        match row:
            case CounterRow():
                self._write_counter(row)
            case GaugeRow():
                self._write_gauge(row)
            case RestartRow():
                self._write_restart(row)
            case SegmentRow():
                self.add_segment(row.meter, row.time, row.why, row.serial_number)
            case SerialRow():
                number = self._segment(row.meter, 0)
                self._connection.execute(
                    "UPDATE segment SET serial_number = ? WHERE id = ?", (row.serial_number, number)
                )
            case EventRow():
                self._write_event(row)

    def add_segment(self, meter: str, since: int, why: str, serial_number: str = "") -> int:
        """Begin a segment, into which the rows of the meter go from here on; its number."""
        new = self._connection.execute(
            "INSERT INTO segment (meter, since, serial_number, why) VALUES (?, ?, ?, ?)",
            (self._meter(meter), since, serial_number, why),
        )
        assert new.lastrowid is not None
        self._segments[meter] = new.lastrowid
        return new.lastrowid

    def use_segment(self, meter: str, number: int) -> None:
        """Let the rows of a meter go into one of its segments that is not the newest."""
        self._segments[meter] = number

    def write_reported(
        self, meter: str, before: Iterable[str], rows: Sequence[ReportedAt]
    ) -> tuple[int, int]:
        """What a meter reported by its own logger: see ``report_writer``."""
        return write_reported(self._connection, self._meter(meter), before, rows)

    def _write_restart(self, row: RestartRow) -> None:
        series = self._series_of(row.meter, row.quantity, row.unit, "counter", row.time)
        turn = None
        if row.modulus is not None:
            try:
                series, (turn,) = self._fit(series, (row.modulus,))
            except TooManyDigitsError:
                self.unfit += 1  # one turn has a digit more than the value: it begins anew then
        self._connection.execute(
            "INSERT OR REPLACE INTO restart VALUES (?, ?, ?)", (series.number, row.time, turn)
        )

    def _write_counter(self, row: CounterRow) -> None:
        series = self._series_of(row.meter, row.quantity, row.unit, "counter", row.time)
        try:
            series, (value,) = self._fit(series, (row.value,))
        except TooManyDigitsError:
            self.unfit += 1
            return
        # What was measured stays; what was told otherwise gives way to it.
        written = self._connection.execute(
            "INSERT INTO counter VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, "
            "origin = excluded.origin WHERE excluded.origin < counter.origin",
            (series.number, row.time, value, row.origin),
        )
        self.duplicates += written.rowcount == 0

    def _write_gauge(self, row: GaugeRow) -> None:
        series = self._series_of(row.meter, row.quantity, row.unit, "gauge", row.hour)
        try:
            series, (low, high, total) = self._fit(series, (row.low, row.high, row.total))
        except TooManyDigitsError:
            self.unfit += 1
            return
        self._connection.execute(
            _ADD_TO_HOUR if row.origin is RowOrigin.MEASURED else _SET_HOUR,
            (series.number, row.hour, row.n, low, high, total, row.origin),
        )

    def _write_event(self, row: EventRow) -> None:
        # Where no start was worth telling since the last stop, the service has ended only now.
        if row.kind == STOPPED and self._connection.execute(_STOP_AGAIN, (row.time, row.text)).rowcount:
            return
        who = self._meter(row.meter) if row.meter else None
        if who is not None and row.kind in (RAISED, CLEARED):
            self.duplicates += not write_report(self._connection, who, row)
            return
        self._connection.execute(
            "INSERT INTO event (time, meter, kind, text) VALUES (?, ?, ?, ?)",
            (row.time, who, row.kind, row.text),
        )

    def _meter(self, name: str) -> int:
        number = self._meters.get(name)
        if number is None:
            self._connection.execute("INSERT OR IGNORE INTO meter (name) VALUES (?)", (name,))
            number = self._connection.execute("SELECT id FROM meter WHERE name = ?", (name,)).fetchone()[0]
            self._meters[name] = number
        return number

    def _segment(self, name: str, time: int) -> int:
        number = self._segments.get(name)
        if number is None:
            meter = self._meter(name)
            found = self._connection.execute(
                "SELECT id FROM segment WHERE meter = ? ORDER BY since DESC, id DESC LIMIT 1", (meter,)
            ).fetchone()
            if found is None:
                found = self._connection.execute(
                    "INSERT INTO segment (meter, since, serial_number, why) "
                    "VALUES (?, ?, '', 'first reading') RETURNING id",
                    (meter, time),
                ).fetchone()
            number = self._segments[name] = found[0]
        return number

    def _series_of(self, meter: str, quantity: str, unit: str, kind: str, time: int) -> _Series:
        segment = self._segment(meter, time)
        key = (segment, quantity, unit, kind)
        series = self._series.get(key)
        if series is None:
            self._connection.execute(
                "INSERT OR IGNORE INTO series (segment, quantity, unit, kind, decimals) "
                "VALUES (?, ?, ?, ?, 0)",
                key,
            )
            found = self._connection.execute(
                "SELECT id, decimals FROM series "
                "WHERE segment = ? AND quantity = ? AND unit = ? AND kind = ?",
                key,
            ).fetchone()
            series = self._series[key] = _Series(*found)
        return series

    def _fit(self, series: _Series, values: tuple[Decimal, ...]) -> tuple[_Series, list[int]]:
        """Values as integers in the series' last decimal; a series that has fewer decimals gets more.

        Raises TooManyDigitsError for what does not fit into 64 bits with all its digits.
        """
        decimals = max(series.decimals, *map(_decimals, values))
        if decimals > _MOST_DIGITS or any(_digits(value, decimals) > _MOST_DIGITS for value in values):
            raise TooManyDigitsError
        if decimals > series.decimals:
            series = self._refine(series, decimals)
        return series, [int(value.scaleb(decimals)) for value in values]

    def _refine(self, series: _Series, decimals: int) -> _Series:
        """Give what is stored of a series more decimals: a meter's first value may have been a plain 0."""
        factor = 10 ** (decimals - series.decimals)
        most = 10**_MOST_DIGITS // factor
        for table, columns in (
            ("counter", ("value",)),
            ("restart", ("modulus",)),
            ("gauge", ("low", "high", "total")),
        ):
            for column in columns:
                too_large = self._connection.execute(
                    f"SELECT 1 FROM {table} WHERE series = ? AND abs({column}) > ? LIMIT 1",  # noqa: S608 - our names
                    (series.number, most),
                ).fetchone()
                if too_large:
                    raise TooManyDigitsError
            sets = ", ".join(f"{column} = {column} * {factor}" for column in columns)
            self._connection.execute(f"UPDATE {table} SET {sets} WHERE series = ?", (series.number,))  # noqa: S608 - our names
        self._connection.execute("UPDATE series SET decimals = ? WHERE id = ?", (decimals, series.number))
        refined = _Series(series.number, decimals)
        for key, each in self._series.items():
            if each.number == series.number:
                self._series[key] = refined
        return refined


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise TooManyDigitsError
    return max(-exponent, 0)


def _digits(value: Decimal, decimals: int) -> int:
    return value.adjusted() + 1 + decimals if value else 0
