"""Keeps what was found on the disk, in the order of time, and finds what cannot be.

A database without a name of its own: SQLite makes it in the directory for temporary files, and it is gone
when the process is, however that ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from smart_meter_reader.history.imports.found import Findings, FoundEntry, FoundRow, FoundSum
from smart_meter_reader.settings.names import METER_NAME, name_problem

_AT_ONCE = 5000
_TABLES = """
CREATE TABLE series (id INTEGER PRIMARY KEY, meter TEXT, quantity TEXT, unit TEXT, line INTEGER);
CREATE TABLE found (series INTEGER, time INTEGER, value TEXT, line INTEGER);
CREATE TABLE sum (series INTEGER, begin INTEGER, end INTEGER, amount TEXT, line INTEGER);
CREATE TABLE kept (series INTEGER, place INTEGER, time INTEGER, value TEXT);
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
"""


class StagedSeries(NamedTuple):
    """One counter of the file."""

    id: int
    meter: str
    quantity: str
    unit: str


class StagedRow(NamedTuple):
    """One reading of it."""

    time: int
    value: Decimal
    line: int


class Staging:
    """The rows of one import, for as long as it lasts."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.executescript(_TABLES)
        self._series: dict[tuple[str, str], tuple[int, str, int]] = {}

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    def fill(self, found: Iterable[FoundEntry], findings: Findings, progress: Callable[[int], None]) -> None:
        """Take all that was found; ``progress`` is told how many so far. Raises RefusedFileError."""
        rows, count = iter(found), 0
        self._connection.execute("BEGIN")
        while batch := list(islice(rows, _AT_ONCE)):
            self._take(batch, findings)
            count += len(batch)
            progress(count)
        findings.finish()
        self._connection.execute("CREATE INDEX by_time ON found (series, time)")
        self._connection.execute("COMMIT")

    def series(self) -> list[StagedSeries]:
        """The counters, in the order in which they came."""
        return [
            StagedSeries(number, meter, quantity, unit)
            for (meter, quantity), (number, unit, _) in self._series.items()
        ]

    def rows(self, series: StagedSeries) -> Iterator[StagedRow]:
        """Its readings in the order of time; of the same instant only the first of the file."""
        before = None
        for time, value, line in self._connection.execute(
            "SELECT time, value, line FROM found WHERE series = ? ORDER BY time, rowid", (series.id,)
        ):
            if time != before:
                yield StagedRow(time, Decimal(value), line)
            before = time

    def sums(self, series: StagedSeries) -> Iterator[FoundSum]:
        """Its sums, the newest first."""
        for begin, end, amount, line in self._connection.execute(
            "SELECT begin, end, amount, line FROM sum WHERE series = ? ORDER BY begin DESC", (series.id,)
        ):
            yield FoundSum(series.meter, series.quantity, series.unit, begin, end, Decimal(amount), line)

    def has_sums(self, series: StagedSeries) -> bool:
        """Whether the file tells sums of it."""
        return (
            self._connection.execute("SELECT 1 FROM sum WHERE series = ? LIMIT 1", (series.id,)).fetchone()
            is not None
        )

    def add_readings(self, series: StagedSeries, rows: Iterable[StagedRow]) -> None:
        """Readings that were worked out from its sums."""
        self._connection.executemany(
            "INSERT INTO found VALUES (?, ?, ?, ?)",
            ((series.id, row.time, f"{row.value:f}", row.line) for row in rows),
        )

    def keep(self, series: StagedSeries, rows: Iterable[tuple[int, int, Decimal]]) -> None:
        """Rows that are to be written, as (place, time, value)."""
        self._connection.executemany(
            "INSERT INTO kept VALUES (?, ?, ?, ?)",
            ((series.id, place, time, f"{value:f}") for place, time, value in rows),
        )

    def kept(self, series: StagedSeries) -> Iterator[tuple[int, int, Decimal]]:
        """The same, in the order in which they were kept."""
        for place, time, value in self._connection.execute(
            "SELECT place, time, value FROM kept WHERE series = ? ORDER BY rowid", (series.id,)
        ):
            yield place, time, Decimal(value)

    def forget_kept(self) -> None:
        """Before another plan is made."""
        self._connection.execute("DELETE FROM kept")

    def check(self, findings: Findings, replaced_at: tuple[int, ...], *, finer_first: bool) -> None:
        """Find counters that fall, and two values for one instant. Raises RefusedFileError.

        ``finer_first``: of one instant, what came first in the file is right, and the others are coarser.
        """
        for series in self.series():
            before: StagedRow | None = None
            for time, text, line in self._connection.execute(
                "SELECT time, value, line FROM found WHERE series = ? ORDER BY time, rowid", (series.id,)
            ):
                row = StagedRow(time, Decimal(text), line)
                if before is None or row.time > before.time:
                    if before is not None and row.value < before.value and not _cut(replaced_at, before, row):
                        findings.refuse(_falls(series, before, row), line)
                    before = row
                elif row.value == before.value:
                    findings.remark("a line that tells the same as another one counts once")
                elif not finer_first:
                    findings.refuse(_twice(series, before, row), line)
        findings.finish()

    def _take(self, batch: list[FoundEntry], findings: Findings) -> None:
        rows, sums = [], []
        for found in batch:
            number = self._number(found, findings)
            if isinstance(found, FoundRow):
                rows.append((number, found.time, f"{found.value:f}", found.line))
            else:
                sums.append((number, found.begin, found.end, f"{found.amount:f}", found.line))
        self._connection.executemany("INSERT INTO found VALUES (?, ?, ?, ?)", rows)
        self._connection.executemany("INSERT INTO sum VALUES (?, ?, ?, ?, ?)", sums)

    def _number(self, found: FoundEntry, findings: Findings) -> int:
        known = self._series.get((found.meter, found.quantity))
        if known is None:
            if not METER_NAME.fullmatch(found.meter):
                # No meter of the settings can be called so; a spreadsheet may take it for a formula.
                findings.refuse(f"no meter is called {name_problem(found.meter, 'meters')}", found.line)
            known = (len(self._series) + 1, found.unit, found.line)
            self._series[found.meter, found.quantity] = known
        elif known[1] != found.unit:
            findings.refuse(
                f"{found.quantity} of {found.meter} is in {found.unit or 'no unit'} here, and in "
                f"{known[1] or 'no unit'} {f'in line {known[2]}' if known[2] else 'elsewhere'}: import each "
                "unit by itself",
                found.line,
            )
        return known[0]


def shown_time(time: int) -> str:
    """An instant as it may be typed again."""
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _cut(replaced_at: tuple[int, ...], before: StagedRow, row: StagedRow) -> bool:
    return any(before.time < time <= row.time for time in replaced_at)


def _where(row: StagedRow) -> str:
    return f"{shown_time(row.time)}{f', line {row.line}' if row.line else ''}"


def _falls(series: StagedSeries, before: StagedRow, row: StagedRow) -> str:
    return (
        f"{series.quantity} of {series.meter} falls from {before.value} ({_where(before)}) to {row.value} "
        f"({shown_time(row.time)}): where the meter was replaced, say --replaced-at {shown_time(row.time)}; "
        "else one of both is wrong"
    )


def _twice(series: StagedSeries, before: StagedRow, row: StagedRow) -> str:
    return (
        f"{series.quantity} of {series.meter} is {row.value} at {shown_time(row.time)}, and "
        f"{before.value}{f' in line {before.line}' if before.line else ' elsewhere'}: take out the wrong one"
    )
