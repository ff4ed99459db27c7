"""Reads a file of any known format into a staging, and works out the counters where it has only sums."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from smart_meter_reader.history.imports.formats.csv_rows import read_csv
from smart_meter_reader.history.imports.formats.dsmr_reader import read_dsmr_reader
from smart_meter_reader.history.imports.formats.home_assistant import read_home_assistant
from smart_meter_reader.history.imports.formats.p1monitor import read_p1monitor
from smart_meter_reader.history.imports.formats.sniffing import ImportProgram
from smart_meter_reader.history.imports.found import Findings, FoundEntry, ImportOptions, UnfitRowError
from smart_meter_reader.history.imports.planning import stored_counter
from smart_meter_reader.history.imports.quantities import exactly
from smart_meter_reader.history.imports.staging import StagedSeries, Staging, shown_time
from smart_meter_reader.history.imports.sums import NEAR, boundary, readings_from_sums

# Between the newest sum and the first stored reading may lie so much, of which nothing is known.
_NEXT_READING = 2 * 86400


def read_file(
    path: Path,
    program: ImportProgram,
    options: ImportOptions,
    staging: Staging,
    findings: Findings,
    progress: Callable[[int], None],
) -> None:
    """Everything that is in the file, checked. Raises OSError and RefusedFileError."""
    match program:
        case ImportProgram.P1MONITOR:
            staging.fill(read_p1monitor(path, options, findings), findings, progress)
        case ImportProgram.HOME_ASSISTANT:
            staging.fill(read_home_assistant(path, options, findings), findings, progress)
        case _:
            staging.fill(_of_text(path, program, options, findings), findings, progress)
    if not staging.series():
        raise findings.give_up("there is no reading in it")
    staging.check(findings, options.replaced_at, finer_first=program is ImportProgram.P1MONITOR)


def work_out_sums(
    connection: sqlite3.Connection | None, options: ImportOptions, staging: Staging, findings: Findings
) -> None:
    """Make readings of sums. Raises sqlite3.Error, and RefusedFileError where no counter is known."""
    for series in staging.series():
        if not staging.has_sums(series):
            continue
        sums = list(staging.sums(series))[::-1]
        if all(each.amount == 0 for each in sums):
            findings.remark(f"{series.quantity} of {series.meter} is left out: it never counted")
            continue
        overlapping = next((b for a, b in pairwise(sums) if b.begin < a.end), None)
        if overlapping is not None:
            findings.refuse(f"{shown_time(overlapping.begin)} is in two lines", overlapping.line)
            continue
        positions: dict[int, Decimal] = {}
        for known in options.known:
            if known.quantity == series.quantity:
                positions[boundary(known.time) or known.time] = known.value
        positions |= _stored_positions(connection, series, sums[0].begin, sums[-1].end, findings)
        try:
            staging.add_readings(series, readings_from_sums(sums, positions))
        except UnfitRowError as error:
            findings.refuse(f"{series.quantity} of {series.meter}: {error}")
    findings.finish()


def _stored_positions(
    connection: sqlite3.Connection | None, series: StagedSeries, since: int, until: int, findings: Findings
) -> dict[int, Decimal]:
    """What is stored of the counter near the quarters of an hour of a time, and soon after it."""
    counter = stored_counter(connection, series)
    positions: dict[int, Decimal] = {}
    for part in counter.parts if counter else ():
        if exactly(Decimal(1), part.unit, series.unit) is None:
            continue
        for sample in counter.samples(part, since - NEAR, until + _NEXT_READING) if counter else ():
            value = exactly(Decimal(sample.value).scaleb(-part.decimals), part.unit, series.unit)
            assert value is not None
            if sample.time <= until + NEAR:
                at = boundary(sample.time)
                if at is not None:
                    positions.setdefault(at, value)
            elif until not in positions:
                positions[until] = value
                findings.remark(
                    f"{series.quantity} of {series.meter}: nothing is taken to have been used between the "
                    f"newest sum and {shown_time(sample.time)}, the first reading that is stored"
                )
            else:
                break
    return positions


def _of_text(
    path: Path, program: ImportProgram, options: ImportOptions, findings: Findings
) -> Iterator[FoundEntry]:
    with path.open("rb") as file:
        if program is ImportProgram.DSMR_READER:
            yield from read_dsmr_reader(file, options, findings)
        else:
            yield from read_csv(file, options, findings)
