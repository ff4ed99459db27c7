"""Exports say what the bars say, in the digits of the meter, and come back by import as they were."""

from __future__ import annotations

import csv
import io
import itertools
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from smart_meter_reader.history.exports import xlsx
from smart_meter_reader.history.exports.csv_text import write_for_machines, write_for_people
from smart_meter_reader.history.exports.json_lines import write_json
from smart_meter_reader.history.exports.lines import ExportLine, Selection, counters, lines
from smart_meter_reader.history.exports.words import HEADS, LANGUAGES
from smart_meter_reader.history.periods import LocalCalendar, Period
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.rows import RowOrigin
from smart_meter_reader.history.storage.schema import ZONE
from smart_meter_reader.history.storage.store import Store
from tests.history.homes import energy, keep, status

AMSTERDAM = LocalCalendar(ZoneInfo("Europe/Amsterdam"))
# The clocks go back on 26 October 2025 at 01:00 UTC.
SATURDAY = int(datetime(2025, 10, 24, 22, tzinfo=UTC).timestamp())
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def history(tmp_path: Path) -> Path:
    """Three days by the half hour, over the end of summer time; then another meter."""
    path = tmp_path / "home.history.sqlite"
    old = [energy(SATURDAY + i * 1800, Decimal("100.00") + Decimal(i) / 8) for i in range(150)]
    end = SATURDAY + 150 * 1800
    new = [energy(end + i * 1800, Decimal("0.50") + Decimal(i) / 8) for i in range(1, 50)]
    keep(path, [*old, status(end, "meter_replaced"), *new])
    store = Store(path)
    store.open()
    store.keep_setting(ZONE, "Europe/Amsterdam")
    store.close()
    return path


def exported(path: Path, selection: Selection) -> list[ExportLine]:
    with History(path) as opened:
        return list(lines(opened, selection))


def test_days_have_as_many_hours_as_they_had(tmp_path: Path) -> None:
    found = exported(history(tmp_path), Selection(Period.DAY))
    assert [(line.end - line.begin) // 3600 for line in found] == [24, 25, 24, 24, 24]
    assert {(line.meter, line.quantity, line.unit) for line in found} == {("heat", "heat_energy", "kWh")}


@pytest.mark.parametrize("step", list(Period))
def test_the_lines_of_any_step_add_up_to_the_counters(tmp_path: Path, step: Period) -> None:
    found = exported(history(tmp_path), Selection(step))
    assert all(one.end == other.begin for one, other in itertools.pairwise(found))
    # What the first device has counted, and the second.
    counted = Decimal(149) / 8 + Decimal(48) / 8
    assert sum((line.difference or Decimal(0) for line in found), Decimal(0)) == counted


def test_readings_are_those_that_are_stored(tmp_path: Path) -> None:
    found = exported(history(tmp_path), Selection(None))
    assert len(found) == 199
    # Of each device the first: nothing is known before.
    alone = [(line.counter_end, line.difference) for line in found if line.begin == line.end]
    assert alone == [(Decimal("100.000"), Decimal(0)), (Decimal("0.625"), Decimal(0))]
    assert sum((line.difference or Decimal(0) for line in found), Decimal(0)) == Decimal(149 + 48) / 8


def test_a_selection_of_days_meters_and_quantities(tmp_path: Path) -> None:
    path = history(tmp_path)
    some = Selection(Period.HOUR, since=date(2025, 10, 26), until=date(2025, 10, 27))
    found = exported(path, some)
    assert len(found) == 25
    assert exported(path, Selection(meters=("other",))) == []
    assert exported(path, Selection(quantities=("volume",))) == []
    with History(path) as opened:
        assert counters(opened) == [("heat", "heat_energy")]


def test_quarters_come_in_pieces_that_join(tmp_path: Path) -> None:
    path = tmp_path / "home.history.sqlite"
    keep(path, [energy(SATURDAY + i * 3600, Decimal(i) / 4) for i in range(24 * 90)])
    found = exported(path, Selection(Period.QUARTER))
    assert len(found) == (24 * 90 - 1) * 4
    assert all(one.end == other.begin for one, other in itertools.pairwise(found))


def line(begin: datetime, end: datetime, difference: str = "0.250") -> ExportLine:
    return ExportLine(
        int(begin.timestamp()),
        int(end.timestamp()),
        "heat",
        "heat_energy",
        Decimal("100.000"),
        Decimal("100.250"),
        Decimal(difference),
        "kWh",
        True,
        RowOrigin.IMPORTED,
    )


QUIET = [line(datetime(2025, 7, 1, 10, tzinfo=UTC), datetime(2025, 7, 1, 11, tzinfo=UTC))]
REPEATED = [line(datetime(2025, 10, 26, 0, tzinfo=UTC), datetime(2025, 10, 26, 1, tzinfo=UTC))]


def test_csv_for_machines() -> None:
    out = io.BytesIO()
    write_for_machines(out, REPEATED, AMSTERDAM)
    assert out.getvalue().decode() == (
        f"{','.join(HEADS)}\r\n"
        "2025-10-26T02:00:00+02:00,2025-10-26T02:00:00+01:00,heat,heat_energy,100.000,100.250,0.250,kWh,1,"
        "imported\r\n"
    )


@pytest.mark.parametrize(
    ("language", "row"),
    [
        (
            "en",
            "2025-07-01 12:00:00,2025-07-01 13:00:00,heat,x,100.000,100.250,0.250,kWh,yes,imported",
        ),
        (
            "nl",
            "01-07-2025 12:00:00;01-07-2025 13:00:00;heat;x;100,000;100,250;0,250;kWh;ja;geïmporteerd",
        ),
        (
            "de",
            "01.07.2025 12:00:00;01.07.2025 13:00:00;heat;x;100,000;100,250;0,250;kWh;ja;importiert",
        ),
        (
            "da",
            "01-07-2025 12:00:00;01-07-2025 13:00:00;heat;x;100,000;100,250;0,250;kWh;ja;importeret",
        ),
        (
            "fr",
            "01/07/2025 12:00:00;01/07/2025 13:00:00;heat;x;100,000;100,250;0,250;kWh;oui;importé",
        ),
    ],
)
def test_csv_for_people(language: str, row: str) -> None:
    out = io.BytesIO()
    write_for_people(out, QUIET, AMSTERDAM, LANGUAGES[language])
    text = out.getvalue()
    assert text.startswith(b"\xef\xbb\xbf")
    head, first = text.decode("utf-8-sig").splitlines()
    assert first.replace("heat_energy", "x") == row
    assert head.split(LANGUAGES[language].delimiter) == list(LANGUAGES[language].heads)


def test_an_hour_that_comes_twice_has_its_zones_name() -> None:
    out = io.BytesIO()
    write_for_people(out, REPEATED, AMSTERDAM, LANGUAGES["nl"])
    assert "26-10-2025 02:00:00 CEST;26-10-2025 02:00:00 CET;" in out.getvalue().decode()


def test_every_language_says_everything() -> None:
    for language in LANGUAGES.values():
        assert len(language.heads) == len(set(language.heads)) == len(HEADS)
        assert set(language.origins) == set(RowOrigin)


def test_json_has_the_digits_of_the_meter() -> None:
    out = io.BytesIO()
    write_json(out, [*QUIET, *REPEATED], AMSTERDAM)
    found = json.loads(out.getvalue(), parse_float=Decimal)
    assert list(found[0]) == list(HEADS)
    assert str(found[0]["counter_end"]) == "100.250"
    assert found[1]["start"] == "2025-10-26T02:00:00+02:00"
    out = io.BytesIO()
    write_json(out, [], AMSTERDAM)
    assert json.loads(out.getvalue()) == []


def cells(workbook: bytes, sheet: int = 1) -> list[list[str]]:
    """The texts and numbers of a sheet as the file has them."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        root = ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{sheet}.xml"))  # noqa: S314 - ours
    return [
        [
            "".join(part.text or "" for part in cell.iter() if part.tag in (f"{SHEET}v", f"{SHEET}t"))
            for cell in row
        ]
        for row in root.iter(f"{SHEET}row")
    ]


def made(some: Sequence[ExportLine]) -> bytes:
    out = io.BytesIO()
    xlsx.write_xlsx(out, some, AMSTERDAM, LANGUAGES["de"])
    return out.getvalue()


def test_a_spreadsheet_has_numbers_and_times() -> None:
    head, quiet, repeated = cells(made([*QUIET, *REPEATED]))
    assert head == list(LANGUAGES["de"].heads)
    day = (datetime(2025, 7, 1) - datetime(1899, 12, 30)).days  # noqa: DTZ001 - a sheet's times have no zone
    assert float(quiet[0]) == day + 0.5
    assert quiet[4:7] == ["100", "100.25", "0.25"]
    assert repeated[:2] == ["26.10.2025 02:00:00 CEST", "26.10.2025 02:00:00 CET"]


def test_a_full_sheet_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    workbook = made(QUIET * 5)
    assert [len(cells(workbook, sheet)) for sheet in (1, 2, 3)] == [3, 3, 2]


def test_a_name_is_a_text_and_no_formula() -> None:
    evil = QUIET[0].__class__(
        **{**{key: getattr(QUIET[0], key) for key in QUIET[0].__slots__}, "meter": "=1+1"}
    )
    with zipfile.ZipFile(io.BytesIO(made([evil]))) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
    assert cells(made([evil]))[1][2] == "=1+1"


def test_csv_is_read_by_its_own_library(tmp_path: Path) -> None:
    out = io.BytesIO()
    write_for_machines(out, exported(history(tmp_path), Selection(Period.HOUR)), AMSTERDAM)
    rows = list(csv.DictReader(io.StringIO(out.getvalue().decode())))
    starts = [datetime.fromisoformat(row["start"]) for row in rows]
    assert all(other - one == timedelta(hours=1) for one, other in itertools.pairwise(starts))
