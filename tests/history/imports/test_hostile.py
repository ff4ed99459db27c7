"""Files that somebody has made to do harm: a sentence says so, and neither memory nor time is spent."""

from __future__ import annotations

import sqlite3
import zipfile
from pathlib import Path

import pytest

from smart_meter_reader.console import EXIT_DATA
from tests.cli.history.houses import house
from tests.cli.program import run

STATISTICS = (
    "CREATE TABLE statistics_meta (id INTEGER PRIMARY KEY, statistic_id, unit_of_measurement, has_sum);"
    "INSERT INTO statistics_meta VALUES (1, 'sensor.heat', 'kWh', 1);"
)
ENDLESS = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x"
HEAD = "time,meter,quantity,value,unit\n"


def refused(directory: Path, name: str, *arguments: str) -> str:
    house(directory)
    done = run("history", "import", name, *arguments, cwd=directory)
    assert (done.returncode, done.stdout) == (EXIT_DATA, "")
    return done.stderr


@pytest.mark.parametrize(
    "table",
    [
        "CREATE TABLE statistics (metadata_id, start_ts, state, sum);"
        "INSERT INTO statistics VALUES (1, 1700000000, zeroblob(200000000), 1)",
        "CREATE TABLE statistics (metadata_id, start_ts, sum, state AS (hex(zeroblob(100000000))));"
        "INSERT INTO statistics (metadata_id, start_ts, sum) VALUES (1, 1700000000, 1)",
    ],
)
def test_values_that_fill_the_memory(tmp_path: Path, table: str) -> None:
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.executescript(STATISTICS + table)
    connection.close()
    assert "too big" in refused(tmp_path, "a.db", "--map", "sensor.heat=heat.heat_energy")


def test_views_that_never_end(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute(f"CREATE VIEW e_history_uur AS {ENDLESS} AS VERBR_KWH_181, 1 AS TIMESTAMP FROM c")
    connection.close()
    told = refused(tmp_path, "a.db", "--from-program", "p1monitor", "--meter", "heat")
    assert "it has views, which no such program makes" in told


def test_a_zip_that_grows(tmp_path: Path) -> None:
    packed = zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with packed as archive, archive.open("e_historie.sql", "w") as file:
        for _ in range(1100):
            file.write(b"\n" * 1_000_000)
    told = refused(tmp_path, "a.zip", "--meter", "heat")
    assert "far larger than the history of a house" in told


@pytest.mark.parametrize("name", ["=1+1", "@SUM(1)", "../heat", "a\x1b[31mb"])
def test_names_that_are_more_than_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text(f"{HEAD}2025-05-01T00:00Z,{name},heat_energy,5,kWh\n")
    told = refused(tmp_path, "a.csv")
    assert "a.csv, line 2: no meter is called" in told
    assert "\x1b" not in told
