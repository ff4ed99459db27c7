"""Reads a history: meters, devices, counters, gauges, events and notes. What it gives is frozen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from smart_meter_reader.history.errors import HistoryBusyError, HistoryError, NoHistoryError
from smart_meter_reader.history.periods import LocalCalendar
from smart_meter_reader.history.questions.counters import CounterHistory, load_counter
from smart_meter_reader.history.storage.connecting import connect, explained_for, lies_still
from smart_meter_reader.history.storage.schema import HISTORY, YEAR_BEGINS, ZONE, version_of

# Added up by SQLite: ten years of hours are too many to look at here.
_HOURS = (
    "SELECT sum(n), min(low), max(high), sum(total) FROM gauge WHERE series = ? AND hour >= ? AND hour < ?"
)


@dataclass(frozen=True, slots=True)
class Segment:
    """One device behind a meter's name."""

    since: int
    until: int | None  # None: it is there still
    serial_number: str
    why: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One quantity of a meter, in one unit."""

    quantity: str
    unit: str
    kind: str  # counter or gauge
    decimals: int


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: in a stable word and a sentence."""

    time: int
    meter: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """What a person knows better: replaced at ``since``, or wrong from then to ``until``, both included."""

    number: int
    meter: str
    quantity: str  # "": all
    kind: str
    since: int
    until: int
    text: str
    taken_back: int | None  # when, if so


@dataclass(frozen=True, slots=True)
class Spread:
    """A gauge over a while: how often it was seen, lowest, highest and mean."""

    begin: int
    end: int
    unit: str
    n: int
    low: Decimal | None
    high: Decimal | None
    mean: Decimal | None


class History:
    """A history that is open for reading. For one thread; close it, or use it in a ``with`` statement.

    Every method raises HistoryError when the file cannot be read, and sees what was committed when it was
    called, or, inside of ``snapshot``, when that began.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with explained_for(path):
            self._lay_still = lies_still(path)
        self._connection = connect(path, read_only=True)
        with explained_for(path):
            found = version_of(self._connection)
        if found < HISTORY.version:
            self._connection.close()
            if not found:  # whoever keeps it has just made the file
                raise NoHistoryError("no_history", f"there is no history in {path} yet")
            raise HistoryError(
                "history_older", f"{path} is of an older version: start the service once to bring it forward"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def require_same(self) -> None:
        """After the questions: raise HistoryBusyError if somebody began to write to what lay still."""
        if self._lay_still and not lies_still(self.path):
            raise HistoryBusyError("history_busy", f"the service of {self.path} has just begun: ask again")

    def interrupt(self) -> None:
        """End the question under way; for another thread."""
        self._connection.interrupt()

    @contextmanager
    def snapshot(self) -> Iterator[History]:
        """Let several questions see the same, whatever is written meanwhile."""
        # What goes wrong in between is not the file's: a broken pipe of whoever is told, for one.
        with explained_for(self.path):
            self._connection.execute("BEGIN")
        try:
            yield self
        finally:
            with explained_for(self.path):
                self._connection.execute("ROLLBACK")

    @property
    def house(self) -> LocalCalendar:
        """Whose days and years they are, as the file says. HistoryError: a zone that the system lacks."""
        zone, begins = self._setting(ZONE) or "UTC", self._setting(YEAR_BEGINS) or "01-01"
        try:
            found = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise HistoryError(
                "unknown_zone", f"this computer does not know the time zone {zone!r}: install tzdata"
            ) from None
        month, _, day = begins.partition("-")
        return LocalCalendar(found, (int(month), int(day)))

    def meters(self) -> list[str]:
        """The meters that something is stored of, in the order in which they came."""
        return [name for (name,) in self._all("SELECT name FROM meter ORDER BY id")]

    def newest(self) -> int:
        """The time of the newest stored counter; 0 for none."""
        numbers = self._all("SELECT id FROM series WHERE kind = 'counter'")
        newest = (self._all("SELECT max(time) FROM counter WHERE series = ?", *number) for number in numbers)
        return max((found[0][0] for found in newest if found[0][0] is not None), default=0)

    def segments(self, meter: str) -> list[Segment]:
        """The devices behind a name, in the order of time."""
        rows = self._all(
            "SELECT since, serial_number, why FROM segment JOIN meter ON meter.id = meter WHERE name = ? "
            "ORDER BY since, segment.id",
            meter,
        )
        ends: list[int | None] = [since for since, _, _ in rows[1:]]
        return [
            Segment(since, until, serial, why)
            for (since, serial, why), until in zip(rows, [*ends, None], strict=False)
        ]

    def kept(self, meter: str) -> list[Kept]:
        """What is stored of a meter; of a quantity whose unit has changed the newest."""
        rows = self._all(
            "SELECT quantity, unit, kind, decimals FROM series JOIN segment ON segment.id = segment "
            "JOIN meter ON meter.id = meter WHERE name = ? ORDER BY segment.since, series.id",
            meter,
        )
        return list({(row[0], row[2]): Kept(*row) for row in rows}.values())

    def counter(self, meter: str, quantity: str) -> CounterHistory:
        """A counter, ready for questions; without parts when nothing is stored of it."""
        with explained_for(self.path):
            return load_counter(self._connection, meter, quantity)

    def spreads(self, meter: str, quantity: str, boundaries: Sequence[int]) -> list[Spread]:
        """A gauge in each piece between neighbours of rising ``boundaries``; an hour counts where it begins.

        Of hours in different units only those in the newest one count.
        """
        series = self._all(
            "SELECT series.id, unit, decimals FROM series JOIN segment ON segment.id = segment "
            "JOIN meter ON meter.id = meter WHERE name = ? AND quantity = ? AND kind = 'gauge' "
            "ORDER BY segment.since, series.id",
            meter,
            quantity,
        )
        unit = series[-1][1] if series else ""
        made = [_Sums() for _ in boundaries[1:]]
        for number, own, decimals in series:
            if own == unit and made:
                self._add_hours(number, decimals, boundaries, made)
        pieces = zip(boundaries, boundaries[1:], made, strict=False)
        return [Spread(begin, end, unit, each.n, *each.shown()) for begin, end, each in pieces]

    def events(self, since: int, until: int, meter: str = "") -> list[Event]:
        """What happened between two instants, both included; to one meter or to all."""
        rows = self._all(
            "SELECT time, coalesce(name, ''), kind, text FROM event LEFT JOIN meter ON meter.id = meter "
            "WHERE time BETWEEN ? AND ? AND (? = '' OR name = ?) ORDER BY time, event.id",
            since,
            until,
            meter,
            meter,
        )
        return [Event(*row) for row in rows]

    def notes(self) -> list[Note]:
        """What people have noted, in the order in which they did."""
        rows = self._all(
            "SELECT note.id, name, quantity, kind, since, until, text, taken_back FROM note "
            "JOIN meter ON meter.id = meter ORDER BY note.id"
        )
        return [Note(*row) for row in rows]

    def gauge_extent(self, meter: str, quantity: str) -> tuple[int, int] | None:
        """From when to when hours of a gauge are stored; None for none."""
        found = self._all(
            "SELECT (SELECT min(hour) FROM gauge WHERE series = series.id), "
            "(SELECT max(hour) FROM gauge WHERE series = series.id) FROM series "
            "JOIN segment ON segment.id = segment JOIN meter ON meter.id = meter "
            "WHERE name = ? AND quantity = ? AND kind = 'gauge'",
            meter,
            quantity,
        )
        hours = [hour for row in found for hour in row if hour is not None]
        return (min(hours), max(hours) + 3600) if hours else None

    def _add_hours(self, series: int, decimals: int, boundaries: Sequence[int], made: list[_Sums]) -> None:
        with explained_for(self.path):
            for since, until, sums in zip(boundaries, boundaries[1:], made, strict=False):
                n, low, high, total = self._connection.execute(_HOURS, (series, since, until)).fetchone()
                if n:
                    sums.add(n, low, high, total, decimals)

    def _setting(self, key: str) -> str:
        rows = self._all("SELECT value FROM setting WHERE key = ?", key)
        return str(rows[0][0]) if rows else ""

    def _all(self, question: str, *values: object) -> list[Any]:
        with explained_for(self.path):
            return self._connection.execute(question, values).fetchall()


@dataclass(slots=True)
class _Sums:
    n: int = 0
    low: Decimal | None = None
    high: Decimal | None = None
    total: Decimal = Decimal(0)

    def add(self, n: int, low: int, high: int, total: int, decimals: int) -> None:
        lowest, highest = Decimal(low).scaleb(-decimals), Decimal(high).scaleb(-decimals)
        self.low = lowest if self.low is None else min(self.low, lowest)
        self.high = highest if self.high is None else max(self.high, highest)
        self.n += n
        self.total += Decimal(total).scaleb(-decimals)

    def shown(self) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        """Lowest, highest and mean; the mean with one decimal more than the values have."""
        if self.low is None or self.high is None:
            return None, None, None
        exponent = min(self.low.as_tuple().exponent, self.high.as_tuple().exponent)
        assert isinstance(exponent, int)
        mean = (self.total / self.n).quantize(Decimal(1).scaleb(min(exponent, 0) - 1))
        return self.low, self.high, mean
