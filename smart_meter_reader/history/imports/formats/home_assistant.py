"""The long-term statistics of Home Assistant: its recorder's database `home-assistant_v2.db`.

Source: home-assistant/core, ``homeassistant/components/recorder/db_schema.py``, and
data.home-assistant.io/docs/statistics. Table ``statistics_meta``: id, statistic_id, unit_of_measurement,
has_sum; table ``statistics``: metadata_id, start_ts (seconds UTC; before 2023.3 ``start``, text in UTC),
state (what the sensor showed at the end of that hour) and sum (what it has counted since the recorder began,
which goes on where the sensor fell). Which statistic is which counter, only a person knows.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from smart_meter_reader.history.imports.formats.databases import opened
from smart_meter_reader.history.imports.found import Findings, FoundRow, ImportOptions, UnfitRowError
from smart_meter_reader.history.imports.quantities import checked_unit

TABLES = frozenset({"statistics", "statistics_meta"})
_HOUR = 3600
_LATEST = 7_258_118_400  # 2200
_MEANT = re.compile(r"([^.:]{1,64})\.([a-z0-9_]{1,64})(:sum)?")
# What floating point has behind these decimals, no meter has told.
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Statistic:
    """One statistic that counts, seconds since 1970 UTC."""

    id: str
    unit: str
    rows: int
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class _Meant:
    meter: str
    quantity: str
    column: str


def statistics(path: Path, findings: Findings) -> list[Statistic]:
    """What counts in a database, by its names. Raises RefusedFileError."""
    with opened(path, findings) as connection:
        start = _start(connection)
        return [
            Statistic(str(name), unit or "", rows, int(since), int(until))
            for name, unit, rows, since, until in connection.execute(
                f"SELECT statistic_id, unit_of_measurement, count(*), min({start}), max({start}) + 3600 "  # noqa: S608 - ours
                "FROM statistics_meta JOIN statistics ON metadata_id = statistics_meta.id "
                f"WHERE has_sum AND {start} BETWEEN 0 AND {_LATEST} "
                "GROUP BY statistics_meta.id ORDER BY statistic_id"
            )
        ]


def read_home_assistant(path: Path, options: ImportOptions, findings: Findings) -> Iterator[FoundRow]:
    """The statistics that ``columns`` names, as METER.QUANTITY by their ids. Raises RefusedFileError."""
    there = {each.id: each for each in statistics(path, findings)}
    meant = _meant(options.columns, findings)
    with opened(path, findings) as connection:
        for name, which in meant.items():
            if name not in there:
                findings.refuse(f"there is no statistic {name} that counts; a run without --map lists them")
                continue
            try:
                unit = checked_unit(which.quantity, options.unit or there[name].unit)
            except UnfitRowError as error:
                findings.refuse(f"{name}: {error}")
                continue
            yield from _rows(connection, name, which, unit, findings)


def _meant(columns: Mapping[str, str], findings: Findings) -> dict[str, _Meant]:
    meant = {}
    for name, text in columns.items():
        found = _MEANT.fullmatch(text)
        if found is None:
            findings.refuse(
                f"--map {name}={text[:80]}: behind = belongs METER.QUANTITY, such as heat.heat_energy"
            )
            continue
        meant[name] = _Meant(found[1], found[2], "sum" if found[3] else "state")
    return meant


def _rows(
    connection: sqlite3.Connection, name: str, which: _Meant, unit: str, findings: Findings
) -> Iterator[FoundRow]:
    start = _start(connection)
    for begin, value in connection.execute(
        f"SELECT {start}, {which.column} FROM statistics JOIN statistics_meta "  # noqa: S608 - our names
        "ON metadata_id = statistics_meta.id "
        f"WHERE statistic_id = ? AND {start} BETWEEN 0 AND {_LATEST} ORDER BY {start}",
        (name,),
    ):
        if value is None:
            findings.remark(f"an hour of {name} without a value is left out")
            continue
        time = int(begin) + _HOUR
        if not isinstance(value, int | float) or not 0 <= value < 10**12:
            findings.refuse(
                f"{name}, {datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M} UTC: {value} is no counter"
            )
            continue
        yield FoundRow(which.meter, which.quantity, unit, time, _decimal(value))


def _decimal(value: float) -> Decimal:
    """The shortest decimal that the floating point number stands for: 1234.567 and not ...56699999."""
    found = round(Decimal(repr(value)), _DECIMALS).normalize()
    return found if found.as_tuple().exponent != 0 and "E" not in str(found) else Decimal(f"{found:f}")


def _start(connection: sqlite3.Connection) -> str:
    """When an hour begins, in seconds: the column has changed, and old rows are moved bit by bit."""
    columns = {row[1] for row in connection.execute("PRAGMA table_info(statistics)")}
    text = "CAST(strftime('%s', substr(start, 1, 19)) AS INTEGER)"
    if "start_ts" not in columns:
        return text
    return f"coalesce(start_ts, {text})" if "start" in columns else "start_ts"
