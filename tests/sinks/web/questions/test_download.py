"""Files to keep: of any period in any kind, a copy of the whole, and no more than one can wait for."""

from __future__ import annotations

import csv
import io
import sqlite3
import zipfile
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from smart_meter_reader.history.errors import HistoryBusyError, NoHistoryError
from smart_meter_reader.history.questions.bars import between
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.sinks.web.questions import Download, QuestionError, Questions
from tests.history.homes import energy
from tests.sinks.web.questions.asking import at, home

NOW = at("2026-03-10T18:00")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("home") / "my house.history.sqlite"
    first = at("2026-03-01T00:00")
    return home(path, [energy(first + 900 * each, Decimal(each) / 4) for each in range(900)])


def downloaded(path: Path, **words: str) -> tuple[Download, bytes]:
    """The file, and all of its content."""
    query = {key.rstrip("_"): value for key, value in words.items()}
    download = Questions(path, clock=lambda: NOW).download(query)
    with download.file as file:
        content = file.read()
    assert len(content) == download.size
    return download, content


def test_days_for_machines(house: Path) -> None:
    download, content = downloaded(house, from_="2026-03-02", to="2026-03-04")
    assert download.file_name == "my_house-2026-03-02-2026-03-03.csv"
    assert download.content_type == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    assert [line["difference"] for line in lines] == ["24.00", "24.00"]
    assert lines[0]["start"] == "2026-03-02T00:00:00+01:00"


def test_days_for_people_and_programs(house: Path) -> None:
    download, content = downloaded(house, kind="csv-people", language="nl", quantities="heat_energy")
    assert download.file_name == "my_house.csv"
    assert content.startswith("\ufeffBegin;Einde;Meter".encode())
    download, content = downloaded(house, kind="json", step="readings", meters="heat")
    assert len(msgspec.json.decode(content)) == 900
    assert download.file_name == "my_house.json"
    download, content = downloaded(house, kind="xlsx", step="month")
    assert "xl/worksheets/sheet1.xml" in zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_a_backup_is_a_whole_history(house: Path, tmp_path: Path) -> None:
    before = sorted(house.parent.iterdir())
    download, content = downloaded(house, kind="backup")
    assert download.file_name == "my house.history.backup-20260310-170000.sqlite"
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(content)
    with History(copy) as history:
        day = at("2026-03-02T00:00"), at("2026-03-03T00:00")
        assert between(history.counter("heat", "heat_energy"), *day).difference == 24
    assert sqlite3.connect(copy).execute("PRAGMA integrity_check").fetchone() == ("ok",)
    # Nothing is left beside it, but for what SQLite keeps there while somebody reads.
    assert {each.name for each in house.parent.iterdir()} <= {each.name for each in before} | {
        f"{house.name}-wal",
        f"{house.name}-shm",
    }


def test_a_backup_can_be_stopped(tmp_path: Path) -> None:
    path = home(tmp_path / "h.history.sqlite", [])
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO series VALUES (1, 1, 'heat_energy', 'kWh', 'counter', 0)")
    connection.execute(
        "WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < 200000) "
        "INSERT INTO counter SELECT 1, n * 900, n, 0 FROM row"
    )
    connection.commit()
    connection.close()
    questions = Questions(path)

    def stop() -> float:
        questions.stop_download()
        return 0.0

    # Asked for the time in the middle of it, as another thread would stop it.
    questions = Questions(path, clock=stop)
    with pytest.raises(HistoryBusyError, match="stopped before its end"):
        questions.download({"kind": "backup"})


def test_too_many_lines_are_refused_before_they_are_made(tmp_path: Path) -> None:
    first, years = at("2010-01-01T00:00"), 16
    days = [energy(first + 86400 * each, Decimal(each)) for each in range(years * 365)]
    path = home(tmp_path / "h", days)
    with pytest.raises(QuestionError, match=r"some 58\d,\d\d\d lines are more than the 100,000"):
        downloaded(path, step="quarter")
    assert downloaded(path, step="readings")[0].size > 100_000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"kind": "pdf"}, "kind: found 'pdf'; allowed: csv, csv-people, xlsx, json, backup"),
        ({"step": "minute"}, "step: found 'minute'; allowed: day, quarter"),
        ({"language": "sv"}, "language: found 'sv'; allowed: en, nl, de, da, fr"),
        ({"meters": "heat,gas"}, "meters: nothing is stored of 'gas'; stored is: heat"),
        ({"quantities": "volume"}, "quantities: nothing is stored of 'volume'"),
        ({"from_": "2026-03-02", "to": "2026-03-02"}, "to: 2026-03-02 is not after"),
        ({"view": "day"}, "view: download knows no such word"),
    ],
)
def test_what_cannot_be_meant_gets_a_sentence(house: Path, words: dict[str, str], said: str) -> None:
    with pytest.raises(QuestionError) as refused:
        downloaded(house, **words)
    assert said in refused.value.detail


def test_there_may_be_no_history(tmp_path: Path) -> None:
    with pytest.raises(NoHistoryError):
        downloaded(tmp_path / "none")
