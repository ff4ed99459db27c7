"""Compares what was found with what is stored: what is new, what is there already, and where it goes.

What was measured stays as it is. What lies before all that is stored goes on to it where every counter of
the meter rises to it; else the meter was another one, and gets a segment of its own.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from smart_meter_reader.history.imports.found import Findings, ImportOptions
from smart_meter_reader.history.imports.placing import SeriesPlan, SeriesPlanner
from smart_meter_reader.history.imports.staging import StagedRow, StagedSeries, Staging, shown_time
from smart_meter_reader.history.periods import LocalCalendar
from smart_meter_reader.history.questions.counters import CounterHistory, load_counter


@dataclass(slots=True)
class DevicePlan:
    """One device of the file: the segment that it goes into; None for one of its own."""

    since: int
    segment: int | None
    why: str


@dataclass(slots=True)
class MeterPlan:
    """What becomes of one meter: its devices by the place that rows are kept with."""

    meter: str
    series: list[SeriesPlan]
    devices: dict[int, DevicePlan]

    @property
    def new(self) -> int:
        """How many rows are written."""
        return sum(each.new for each in self.series)


def plan_import(
    connection: sqlite3.Connection | None,
    staging: Staging,
    options: ImportOptions,
    house: LocalCalendar,
    now: int,
    findings: Findings,
) -> list[MeterPlan]:
    """What is to be written, which ``staging`` keeps. Raises sqlite3.Error and RefusedFileError."""
    staging.forget_kept()
    by_meter: dict[str, list[StagedSeries]] = {}
    for series in staging.series():
        by_meter.setdefault(series.meter, []).append(series)
    plans = []
    for meter, several in by_meter.items():
        segments = _segments(connection, meter)
        made = []
        for series in several:
            counter = stored_counter(connection, series)
            planner = SeriesPlanner(connection, counter, series, segments, options.replaced_at, now)
            staging.keep(series, planner.placed(_counted(staging, planner.plan, house, now, findings)))
            made.append(planner.plan)
        plans.append(MeterPlan(meter, made, _devices(made, segments, options.replaced_at)))
    findings.finish()
    return plans


def stored_counter(connection: sqlite3.Connection | None, series: StagedSeries) -> CounterHistory | None:
    """What is stored of a counter; None for nothing. Raises sqlite3.Error."""
    if connection is None:
        return None
    counter = load_counter(connection, series.meter, series.quantity)
    return counter if counter.parts else None


def _segments(connection: sqlite3.Connection | None, meter: str) -> list[tuple[int, int]]:
    """Number and beginning of the meter's segments, the oldest first."""
    if connection is None:
        return []
    return connection.execute(
        "SELECT segment.id, since FROM segment JOIN meter ON meter.id = meter WHERE name = ? "
        "ORDER BY since, segment.id",
        (meter,),
    ).fetchall()


def _counted(
    staging: Staging, plan: SeriesPlan, house: LocalCalendar, now: int, findings: Findings
) -> Iterator[StagedRow]:
    until = -(2**62)
    for row in staging.rows(plan.series):
        if row.time > now:
            findings.refuse(f"{shown_time(row.time)} lies in the future", row.line)
        if row.time >= until:
            plan.days += 1
            until = house.midnight(house.day_of(row.time) + timedelta(days=1))
        plan.rows += 1
        plan.first, plan.last = plan.first or row, row
        yield row


def _devices(
    series: Sequence[SeriesPlan], segments: Sequence[tuple[int, int]], replaced_at: tuple[int, ...]
) -> dict[int, DevicePlan]:
    """Where the devices of the file go: the last one may be the one that is stored."""
    numbers = sorted({device for each in series for device in each.devices})
    found: dict[int, DevicePlan] = {}
    for device in numbers:
        since = min(each.devices[device][0].time for each in series if device in each.devices)
        segment, why = None, "imported"
        if segments and device == numbers[-1]:
            why = _what_parts(device, series, segments[0][1], replaced_at)
            segment = None if why else segments[0][0]
        elif device != numbers[-1]:
            why = f"imported: replaced at {shown_time(replaced_at[device])}"
        found[-device - 1] = DevicePlan(since, segment, why)
    return found


def _what_parts(device: int, series: Sequence[SeriesPlan], since: int, replaced_at: tuple[int, ...]) -> str:
    """Why the last device of the file is not the one that is stored; "" where it is."""
    if bisect_right(replaced_at, since) != device:
        return f"imported: replaced at {shown_time(replaced_at[device])}"
    for each in series:
        if device in each.devices and each.stored_first is not None:
            time, value = each.stored_first
            if each.devices[device][1].value > value:
                return (
                    f"imported: {each.series.quantity} does not rise to what is stored, which is "
                    f"{value} {each.unit} at {shown_time(time)}"
                )
    return ""
