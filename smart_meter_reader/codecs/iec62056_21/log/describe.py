"""A logger's answer as a plain dict, ready for JSON: what `decode iec62056_21` prints of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from smart_meter_reader.codecs.iec62056_21.capture import Decoded, LoggerAnswer
from smart_meter_reader.codecs.iec62056_21.log.counters import Mark
from smart_meter_reader.codecs.iec62056_21.log.lines import LogLine
from smart_meter_reader.codecs.iec62056_21.log.rows import (
    Timed,
    added_in,
    energies,
    marks_of,
    measure_row,
    meter_time,
    time_table,
)
from smart_meter_reader.codecs.iec62056_21.log.table import LogTable
from smart_meter_reader.codecs.iec62056_21.multical import ShortAnswer, shift
from smart_meter_reader.codecs.iec62056_21.scaling import Scaling
from smart_meter_reader.quantities.measurement import Measurement

_NO_SCALE = (
    "units and decimals are not known, so the digits stand as sent: give --program, or "
    "the answer to /#2 or /#D with it"
)


class LogContext:
    """What a capture tells about the rows of its loggers: counters to reckon from, and the meter's clock."""

    def __init__(self, decoded: Sequence[Decoded], scaling: Scaling) -> None:
        answers = {answer.request: answer for answer in decoded if isinstance(answer, ShortAnswer)}
        self._decimals = scaling.energy[1] if scaling.energy is not None else None
        self.clock = meter_time(answers["#D"]) if "#D" in answers else None
        logs = {answer.request: answer.table for answer in decoded if isinstance(answer, LoggerAnswer)}
        self._live = self._live_of(answers)
        self._marks: dict[str, list[Mark]] = {"day": [], "hour": []}
        if self._decimals is None:
            return
        for request in ("#8", "#5"):
            if request in logs:
                self._marks["day"] = marks_of(time_table(logs[request]).lines, self._decimals)
        if "#6" in logs:
            days, _ = self.energies("day", time_table(logs["#6"]).lines)
            self._marks["hour"] = [Mark(at, counter) for at, counter in days.items()]

    def _live_of(self, answers: dict[str, ShortAnswer]) -> Mark | None:
        if self._decimals is None or self.clock is None or "#1" not in answers:
            return None
        counter = shift(int(answers["#1"].fields["energy"]), self._decimals)
        return Mark(self.clock + timedelta(hours=1), counter)  # seconds or minutes apart in the capture

    def energies(
        self, logger: str, timed: Sequence[Timed]
    ) -> tuple[dict[datetime, Decimal], tuple[str, ...]]:
        """The energy counter by moment; in sentences why it is not known for some."""
        if self._decimals is None or logger not in self._marks:
            return {}, ()
        walked = energies(timed, logger, self._marks[logger], self._decimals, self._live)
        return dict(walked.counters), walked.told


def describe_log(answer: LoggerAnswer, scaling: Scaling, context: LogContext) -> dict[str, Any]:
    """``records`` as they were sent, and ``log``: rows with time, values and units, and what gave none.

    ``time`` is the end of a row's period by the meter's clock, which keeps standard time. ``added`` is what
    a counter gained in it; ``digits`` are the columns that nothing gives a unit.
    """
    table = answer.table
    timed = time_table(table, context.clock)
    moments = {entry.line.number: entry.at for entry in timed.lines}
    counters, told = context.energies(table.plan.logger, timed.lines)
    rows = [_row(table, line, scaling, moments.get(line.number), counters) for line in table.lines]
    log: dict[str, Any] = {"logger": table.plan.logger, "rows": rows}
    if table.customer_no:
        log["customer_no"] = table.customer_no
    doubtful = [
        {"line": doubt.number, "reason": doubt.reason, "detail": doubt.detail}
        for doubt in table.doubts
        if not doubt.damaged  # those stand as errors of their own
    ]
    if doubtful:
        log["doubtful"] = doubtful
    notes = [*timed.told, *told]
    if scaling.energy is None or scaling.volume is None:
        notes.append(_NO_SCALE)
    if notes:
        log["notes"] = notes
    return {"records": answer.records, "log": log}


def _row(
    table: LogTable,
    line: LogLine,
    scaling: Scaling,
    at: datetime | None,
    counters: dict[datetime, Decimal],
) -> dict[str, Any]:
    row: dict[str, Any] = {"line": line.number, "date": line.day.isoformat()}
    if at is not None:
        row["time"] = at.isoformat()
    measured = measure_row(table, line, scaling)
    if at in counters and scaling.energy is not None:
        counted: Measurement = {"value": counters[at], "unit": scaling.energy[0]}
        measured = {"heat_energy": counted} | measured
    row["measurements"] = measured
    added = added_in(table, line, scaling)
    if added:
        row["added"] = added
    known = measured.keys() | added.keys()
    row["digits"] = {
        field.name: line.fields[field.name]
        for field in table.plan.fields
        if field.name not in ("date", "clock") and field.quantity not in known
    }
    return row
