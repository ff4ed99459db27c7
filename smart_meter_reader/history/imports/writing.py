"""Writes what an import has found, in the transaction of whoever imports. Blocking."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from smart_meter_reader.history.imports.found import Findings
from smart_meter_reader.history.imports.planning import MeterPlan
from smart_meter_reader.history.imports.staging import Staging
from smart_meter_reader.history.rows import CounterRow, EventRow, RowOrigin
from smart_meter_reader.history.storage.row_writer import RowWriter

_AT_ONCE = 5000


def write_rows(
    connection: sqlite3.Connection,
    staging: Staging,
    plans: list[MeterPlan],
    now: int,
    findings: Findings,
    progress: Callable[[int], None],
) -> None:
    """Write the rows that ``staging`` keeps, in the caller's transaction.

    Raises sqlite3.Error, and RefusedFileError for values that do not fit.
    """
    writer, count = RowWriter(connection), 0
    for plan in plans:
        if not plan.new:
            continue
        places = {place: _segment(connection, writer, plan, place) for place in sorted(plan.devices)}
        for series in plan.series:
            meter, quantity = series.series.meter, series.series.quantity
            at = None
            for place, time, value in staging.kept(series.series):
                if place != at:
                    writer.use_segment(meter, places.get(place, place))
                    at = place
                writer.write(CounterRow(meter, quantity, series.unit, time, value, RowOrigin.IMPORTED))
                count += 1
                if count % _AT_ONCE == 0:
                    progress(count)
        text = f"{plan.new} readings of {findings.name}"
        writer.write(EventRow(plan.meter, now, "imported", text))
    if writer.unfit:
        findings.refuse(f"{writer.unfit} values have more digits, together with what is stored, than 18")
        findings.finish()


def _segment(connection: sqlite3.Connection, writer: RowWriter, plan: MeterPlan, place: int) -> int:
    device = plan.devices[place]
    if device.segment is not None:
        connection.execute(
            "UPDATE segment SET since = min(since, ?) WHERE id = ?", (device.since, device.segment)
        )
        return device.segment
    return writer.add_segment(plan.meter, device.since, device.why)
