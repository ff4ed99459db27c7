"""Places what a meter's own memory told among what is stored of the same device, and writes it. Blocking.

What was measured stays. A row that would let a counter fall is left out and counted; the same row twice is
one. So a past that was written, but not confirmed before the process ended, does no harm when it comes again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from smart_meter_reader.history.imports.past_events import reported_in
from smart_meter_reader.history.imports.placing import SeriesPlan, SeriesPlanner
from smart_meter_reader.history.imports.staging import StagedRow, StagedSeries
from smart_meter_reader.history.intake.kept import HOUR, QUARTER, is_counter, is_gauge
from smart_meter_reader.history.questions.counters import CounterHistory, load_counter
from smart_meter_reader.history.rows import CounterRow, GaugeRow, RowOrigin
from smart_meter_reader.history.storage.row_writer import RowWriter
from smart_meter_reader.messages import Past
from smart_meter_reader.text import is_same_serial

# What is logged so often tells of a gauge in its hour what a reading would; a value at midnight does not.
_OFTEN = ("hour", "minutes")
_BEFORE_ALL = -(2**62)
# No service remembers a value that a past would get in the way of: the guard has compared the two.
_NOT_RUNNING = 2**62


@dataclass(slots=True)
class TakenPast:
    """What became of one past: how many values and events were written, were there, or did not fit."""

    new: int = 0
    there: int = 0
    refused: int = 0


class _NewestDevice(NamedTuple):
    segment: int
    until: int  # what was stored last of the devices before it


def take_past(connection: sqlite3.Connection, past: Past) -> TakenPast | None:
    """Write what is new of a past, in the caller's transaction; None where its device is not the one stored.

    Raises sqlite3.Error.
    """
    meter = past["meter"]
    device = _device(connection, meter, past.get("serial_number", "").strip())
    if device is None:
        return None
    taken, writer = TakenPast(), RowWriter(connection)
    writer.use_segment(meter, device.segment)
    first = _NOT_RUNNING
    for series, rows in _counters(past):
        for time, value, unit in _placed(connection, device, series, rows, taken):
            writer.write(CounterRow(meter, series.quantity, unit, time, value, RowOrigin.LOGGER))
            first = min(first, time)
    for row in _gauges(past, device.until):
        writer.write(row)
        first = min(first, row.hour)
    before, reported = reported_in(connection, past, device.until)
    if reported:
        new, there = writer.write_reported(meter, before, reported)
        taken.new += new
        taken.there += there
    connection.execute("UPDATE segment SET since = min(since, ?) WHERE id = ?", (first, device.segment))
    taken.refused += writer.unfit
    taken.new -= writer.unfit
    return taken


def _device(connection: sqlite3.Connection, meter: str, serial: str) -> _NewestDevice | None:
    """The newest device behind a meter's name, where it is the one of that serial number."""
    segments = connection.execute(
        "SELECT segment.id, serial_number FROM segment JOIN meter ON meter.id = meter WHERE name = ? "
        "ORDER BY since, segment.id",
        (meter,),
    ).fetchall()
    if not segments or (serial and segments[-1][1] and not is_same_serial(segments[-1][1], serial)):
        return None
    times = [
        connection.execute("SELECT max(time) FROM counter WHERE series = ?", (number,)).fetchone()[0]
        for segment, _ in segments[:-1]
        for (number,) in connection.execute("SELECT id FROM series WHERE segment = ?", (segment,)).fetchall()
    ]
    return _NewestDevice(
        segments[-1][0], max((time for time in times if time is not None), default=_BEFORE_ALL)
    )


def _counters(past: Past) -> Iterator[tuple[StagedSeries, list[StagedRow]]]:
    """The counters, each with its rows in the order of time; of rows that are close, one in each quarter."""
    found: dict[tuple[str, str], list[StagedRow]] = {}
    for row in past["rows"]:
        time = int(row["measured_at"].timestamp())
        for key, measurement in row["measurements"].items():
            value = measurement["value"]
            if is_counter(key) and not isinstance(value, str):
                rows = found.setdefault((key, measurement["unit"]), [])
                if not rows or rows[-1].time // QUARTER < time // QUARTER:
                    rows.append(StagedRow(time, Decimal(value), 0))
    for number, ((key, unit), rows) in enumerate(found.items()):
        yield StagedSeries(number, past["meter"], key, unit), rows


def _placed(
    connection: sqlite3.Connection,
    device: _NewestDevice,
    series: StagedSeries,
    rows: Sequence[StagedRow],
    taken: TakenPast,
) -> Iterator[tuple[int, Decimal, str]]:
    """Time, value and unit of what is new of a counter."""
    counter = load_counter(connection, series.meter, series.quantity)
    own = {
        number
        for (number,) in connection.execute("SELECT id FROM series WHERE segment = ?", (device.segment,))
    }
    parts = tuple(part for part in counter.parts if part.series in own)
    stored = CounterHistory(connection, parts, counter.wrong) if parts else None
    segments = [(device.segment, _BEFORE_ALL)]
    planner = SeriesPlanner(connection, stored, series, segments, (), _NOT_RUNNING, exact=True)
    fitting = [row for row in _rising(rows) if row.time > device.until]
    # Before anything is written: the planner walks along what is stored.
    placed = list(planner.placed(iter(fitting)))
    _count(planner.plan, taken, len(rows) - len(fitting))
    for _, time, value in placed:
        yield time, value, planner.plan.unit


def _rising(rows: Sequence[StagedRow]) -> list[StagedRow]:
    """The rows that are no more than the one after them, for a service without a guard."""
    rising: list[StagedRow] = []
    for row in reversed(rows):
        if not rising or row.value <= rising[-1].value:
            rising.append(row)
    return rising[::-1]


def _count(plan: SeriesPlan, taken: TakenPast, unfit: int) -> None:
    taken.new += plan.new
    taken.there += plan.stored_already - plan.differing
    taken.refused += plan.contradicting + plan.between_devices + plan.differing + unfit


def _gauges(past: Past, since: int) -> Iterable[GaugeRow]:
    if not past["logger"].startswith(_OFTEN):
        return ()
    hours: dict[tuple[str, str, int], list[Decimal]] = {}
    for row in past["rows"]:
        hour = int(row["measured_at"].timestamp()) // HOUR * HOUR
        for key, measurement in row["measurements"].items():
            value = measurement["value"]
            if hour > since and is_gauge(key) and not isinstance(value, str):
                hours.setdefault((key, measurement["unit"], hour), []).append(Decimal(value))
    return [
        GaugeRow(
            past["meter"],
            key,
            unit,
            hour,
            len(told),
            min(told),
            max(told),
            sum(told, Decimal(0)),
            RowOrigin.LOGGER,
        )
        for (key, unit, hour), told in hours.items()
    ]
