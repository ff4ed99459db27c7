"""Files of other programs as their documents describe them, and what an import makes of a file."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from smart_meter_reader.history.imports.formats.sniffing import program_of
from smart_meter_reader.history.imports.found import Findings, ImportOptions
from smart_meter_reader.history.imports.taking import Import, Taken, house_of

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAYS_HEAD = (
    "Date,Electricity 1 (Low Tariff),Electricity 2 (High Tariff),Electricity 1 Returned (Low Tariff),"
    "Electricity 2 Returned (High Tariff),Gas,Electricity 1 Price (Low Tariff),"
    "Electricity 2 Price (High Tariff),Gas Price,Fixed Costs,Total Cost,Electricity 1 Reading,"
    "Electricity 2 Reading,Electricity 1 Returned Reading,Electricity 2 Returned Reading,Gas Reading\n"
)
HOURS_HEAD = (
    "Hour Start,Electricity 1 (Low Tariff),Electricity 2 (High Tariff),"
    "Electricity 1 Returned (Low Tariff),Electricity 2 Returned (High Tariff),Gas\n"
)
P1_COLUMNS = (
    "TIMESTAMP",
    "VERBR_KWH_181",
    "VERBR_KWH_182",
    "GELVR_KWH_281",
    "GELVR_KWH_282",
    "VERBR_KWH_X",
    "GELVR_KWH_X",
    "VERBR_GAS_2421",
    "VERBR_GAS_X",
)


def take(
    file: Path,
    history: Path,
    options: ImportOptions | None = None,
    *,
    write: bool = True,
    now: datetime = NOW,
    backup: bool = False,
) -> tuple[Taken, Findings]:
    """What `history import` does with a file."""
    findings = Findings(file.name)
    house = house_of(history, "Europe/Amsterdam")
    options = options or ImportOptions(AMSTERDAM)
    with closing(Import(file, program_of(file, findings), options, findings)) as taken:
        if write:
            return taken.write(history, house, now, lambda _what, _count: None, backup=backup), findings
        return taken.look(history, house, now, lambda _what, _count: None), findings


def stored(history: Path, quantity: str = "heat_energy") -> list[tuple[int, int, int, int]]:
    """All rows of a quantity as (segment, time, value, origin), as the tables have them."""
    with closing(sqlite3.connect(history)) as connection:
        return connection.execute(
            "SELECT segment, time, value, origin FROM counter JOIN series ON series.id = series "
            "WHERE quantity = ? ORDER BY segment, time",
            (quantity,),
        ).fetchall()


def p1_rows(begin: datetime, count: int, step: timedelta = timedelta(hours=1)) -> list[tuple[object, ...]]:
    """Rows as P1 Monitor keeps them; ``begin`` is by the local clock, without a zone."""
    return [
        (
            f"{begin + i * step:%Y-%m-%d %H:%M:%S}",
            1000 + i / 10,
            2000 + i / 5,
            0.0,
            0.0,
            0.1,
            0.0,
            500 + i / 20,
            0.05,
        )
        for i in range(count)
    ]


def p1_database(path: Path, tables: dict[str, Iterable[tuple[object, ...]]]) -> Path:
    """`e_historie.db` with its tables."""
    with closing(sqlite3.connect(path)) as connection:
        for table in ("e_history_uur", "e_history_dag", "e_history_maand", "e_history_jaar"):
            columns = ", ".join(f"{name} REAL DEFAULT 0" for name in P1_COLUMNS[1:])
            connection.execute(f"CREATE TABLE {table} (TIMESTAMP TEXT PRIMARY KEY NOT NULL, {columns})")
            marks = ", ".join("?" * len(P1_COLUMNS))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", tables.get(table, ()))  # noqa: S608
        connection.commit()
    return path


def p1_zip(path: Path, tables: dict[str, Iterable[tuple[object, ...]]]) -> Path:
    """The zip that P1 Monitor exports: a file of statements for each of its databases."""
    lines = [
        f"replace into {table} ({','.join(P1_COLUMNS)}) values ({','.join(map(repr, row))});"  # noqa: S608 - as that program writes it
        for table, rows in tables.items()
        for row in rows
    ]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p1mon/export/manifest.json", '{"record_count": 1}')
        archive.writestr("p1mon/export/01_e_historie20260301", "\n".join(lines))
    return path


def home_assistant(
    path: Path, statistics: dict[str, tuple[str, list[tuple[int, float, float]]]], *, old: bool = False
) -> Path:
    """`home-assistant_v2.db`: statistics by id as (unit, hours of (begin, state, sum))."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE statistics_meta "  # noqa: S608 - no statement of a stranger
            "(id INTEGER PRIMARY KEY, statistic_id VARCHAR(255), source VARCHAR(32), "
            "unit_of_measurement VARCHAR(255), has_mean BOOLEAN, has_sum BOOLEAN, name VARCHAR(255));"
            "CREATE TABLE statistics "
            "(id INTEGER PRIMARY KEY, created DATETIME, metadata_id INTEGER, start DATETIME, "
            "mean FLOAT, min FLOAT, max FLOAT, last_reset DATETIME, state FLOAT, sum FLOAT"
            f"{'' if old else ', created_ts FLOAT, start_ts FLOAT, last_reset_ts FLOAT'});"
            "INSERT INTO statistics_meta VALUES (1000, 'sensor.outside', 'recorder', '°C', 1, 0, NULL);"
        )
        for number, (name, (unit, hours)) in enumerate(statistics.items(), 1):
            connection.execute(
                "INSERT INTO statistics_meta VALUES (?, ?, 'recorder', ?, 0, 1, NULL)", (number, name, unit)
            )
            for begin, state, total in hours:
                start = f"{datetime.fromtimestamp(begin, UTC):%Y-%m-%d %H:%M:%S.%f}" if old else float(begin)
                connection.execute(
                    f"INSERT INTO statistics (metadata_id, {'start' if old else 'start_ts'}, state, sum) "  # noqa: S608
                    "VALUES (?, ?, ?, ?)",
                    (number, start, state, total),
                )
        connection.commit()
    return path
