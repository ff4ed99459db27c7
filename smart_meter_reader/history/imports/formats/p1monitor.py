"""What P1 Monitor keeps: its SQLite file `e_historie.db`, or the zip of SQL statements that it exports.

Source: intelwolf/p1monitor (ZTATZ), ``p1mon/scripts/const.py``, ``P1Db.py``, ``P1SqlExport.py`` and
``P1SqlImport.py``, read for the format. Tables ``e_history_uur``, ``_dag``, ``_maand`` and ``_jaar`` with
TIMESTAMP (text, by the local clock: the beginning of the period), VERBR_KWH_181, VERBR_KWH_182,
GELVR_KWH_281, GELVR_KWH_282, VERBR_KWH_X, GELVR_KWH_X, VERBR_GAS_2421 and VERBR_GAS_X. The counters are
brought forward until the period is over, so they are those at its end (so also
patrickvorgers/Home-Assistant-Import-Energy-Data#131); the ``_X`` are differences. A zip has files whose lines
are `replace into e_history_uur (...) values (...)`; they are read, not executed. In the hour that comes twice
the second one takes the place of the first, since its key is the same.
"""

from __future__ import annotations

import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

from smart_meter_reader.history.imports.formats.databases import opened
from smart_meter_reader.history.imports.formats.dsmr_reader import meters_of
from smart_meter_reader.history.imports.formats.times import local_instant
from smart_meter_reader.history.imports.found import Findings, FoundRow, ImportOptions, UnfitRowError

# The finer one is believed where two tell of the same instant.
TABLES = ("e_history_uur", "e_history_dag", "e_history_maand", "e_history_jaar")
_COLUMNS = {
    "VERBR_KWH_181": ("active_energy_import_tariff_1", "kWh"),
    "VERBR_KWH_182": ("active_energy_import_tariff_2", "kWh"),
    "GELVR_KWH_281": ("active_energy_export_tariff_1", "kWh"),
    "GELVR_KWH_282": ("active_energy_export_tariff_2", "kWh"),
    "VERBR_GAS_2421": ("gas_volume", "m³"),
}
_STATEMENT = re.compile(
    r"replace into (e_history_\w+) *\(([^)]{1,400})\) *values *\(([^)]{1,1000})\)", re.IGNORECASE
)
_LONGEST_LINE = 4096
_MOST_FILES = 100
_LARGEST = 1024 * 1024 * 1024
_MOST_LINES = 20_000_000
# The meter has three decimals; what SQLite's floating point has behind them is not the meter's.
_DECIMALS = Decimal("0.001")

_Row: TypeAlias = tuple[str, dict[str, str]]  # the timestamp, and the columns as text


def read_p1monitor(path: Path, options: ImportOptions, findings: Findings) -> Iterator[FoundRow]:
    """The counters of all tables. Raises OSError and RefusedFileError."""
    rows: Callable[[Path, str, Findings], Iterator[_Row]] = (
        _statements if zipfile.is_zipfile(path) else _from_database
    )
    meters = meters_of(options)
    for table in TABLES:
        counted: set[str] = set()
        newest: tuple[int, list[FoundRow]] = (0, [])
        for stamp, cells in rows(path, table, findings):
            try:
                time = _end(stamp, table, options.zone)
                values = {column: _value(cells.get(column, "")) for column in _COLUMNS}
            except UnfitRowError as error:
                findings.refuse(f"{table}, {stamp[:40]}: {error}")
                continue
            # Before its first value a counter is 0 there: it was not there yet.
            counted |= {column for column, value in values.items() if value}
            found = [
                FoundRow(meters[quantity], quantity, unit, time, value)
                for column, (quantity, unit) in _COLUMNS.items()
                if (value := values[column]) is not None and column in counted
            ]
            if time > newest[0]:
                # The newest period is not over: its counter is not that of its end.
                yield from newest[1]
                newest = (time, found)
            else:
                yield from found


def _end(stamp: str, table: str, zone: ZoneInfo) -> int:
    """When the period is over that begins at a time by the clock on the wall."""
    try:
        begin = datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - by the clock on the wall
    except ValueError:
        raise UnfitRowError("that is no time") from None
    if not 1970 < begin.year < 2200:
        raise UnfitRowError("no meter was read in that year")
    if table == "e_history_uur":
        return local_instant(begin, zone, "second") + 3600
    day = begin.replace(hour=0, minute=0, second=0)
    match table:
        case "e_history_dag":
            end = day + timedelta(days=1)
        case "e_history_maand":
            end = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        case _:
            end = day.replace(year=day.year + 1, month=1, day=1)
    return int(end.replace(tzinfo=zone).timestamp())


def _value(text: str) -> Decimal | None:
    """A counter; None for an empty cell. Raises UnfitRowError."""
    if not text or text.upper() in ("NULL", "NONE"):
        return None
    try:
        value = Decimal(text)
    except ArithmeticError:
        raise UnfitRowError(f"{text[:40]!r} is no number") from None
    if not 0 <= value < 10**12:  # NaN is not either
        raise UnfitRowError(f"{text[:40]!r} is no counter")
    return value.quantize(_DECIMALS)


def _from_database(path: Path, table: str, findings: Findings) -> Iterator[_Row]:
    with opened(path, findings) as connection:
        there = {row[1].upper() for row in connection.execute(f"PRAGMA table_info({table})")}
        columns = [column for column in _COLUMNS if column in there]
        if not columns or "TIMESTAMP" not in there:
            findings.remark(f"it has no table {table}")
            return
        try:
            for stamp, *cells in connection.execute(
                f"SELECT TIMESTAMP, {', '.join(columns)} FROM {table} ORDER BY TIMESTAMP"  # noqa: S608 - our names
            ):
                yield (
                    str(stamp),
                    {
                        column: "" if cell is None else str(cell)
                        for column, cell in zip(columns, cells, strict=True)
                    },
                )
        except sqlite3.Error as error:
            raise findings.give_up(f"table {table}: {error}") from None


def _statements(path: Path, table: str, findings: Findings) -> Iterator[_Row]:
    """The rows of a table in the statements of a zip; they are in the order of time, as it writes them."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if "historie" in name.lower()]
            if not names:
                raise findings.give_up("this zip has no file of P1 Monitor's history (e_historie) in it")
            if len(names) > _MOST_FILES or sum(archive.getinfo(name).file_size for name in names) > _LARGEST:
                raise findings.give_up("what is in this zip is far larger than the history of a house")
            for name in names:
                yield from _of_table(archive, name, table, findings)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise findings.give_up(f"it is no zip that can be read ({error})") from None


def _of_table(archive: zipfile.ZipFile, name: str, table: str, findings: Findings) -> Iterator[_Row]:
    with archive.open(name) as file:
        number = 0
        while raw := file.readline(_LONGEST_LINE):
            number += 1
            if number > _MOST_LINES:
                raise findings.give_up(f"{name} has more than {_MOST_LINES} lines")
            if table.encode() not in raw[:64].lower():
                continue
            found = _STATEMENT.match(raw.decode("utf-8", "replace"))
            if found is None or found[1].lower() != table:
                continue
            columns = [column.strip().upper() for column in found[2].split(",")]
            cells = [cell.strip().strip("'\"") for cell in found[3].split(",")]
            if len(columns) != len(cells) or "TIMESTAMP" not in columns:
                findings.refuse(f"{name}: it has not as many values as columns", number)
                continue
            row = dict(zip(columns, cells, strict=True))
            yield row["TIMESTAMP"], row
