"""CSV of any origin: what is right comes in; of what is wrong nothing, but its line and a sentence."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smart_meter_reader.history.imports.found import ImportOptions, RefusedFileError
from tests.history.imports.files import AMSTERDAM, stored, take

HEAD = "time,meter,quantity,value,unit\n"
FIRST = 1_735_689_600  # 2025-01-01 in UTC
GOOD = (
    HEAD
    + "2025-01-01T00:00:00Z,heat,heat_energy,100.25,kWh\n2025-01-01T01:00:00Z,heat,heat_energy,100.50,kWh\n"
)


def options(**given: Any) -> ImportOptions:
    return ImportOptions(AMSTERDAM, **given)


def imported(
    tmp_path: Path, content: str | bytes, answers: ImportOptions | None = None
) -> list[tuple[int, ...]]:
    """The rows that are stored of heat energy as (time, value)."""
    file, history = tmp_path / "old.csv", tmp_path / "home.history.sqlite"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    take(file, history, answers)
    return [(time, value) for _, time, value, _ in stored(history)]


def refused(tmp_path: Path, content: str | bytes, answers: ImportOptions | None = None) -> str:
    """What is said of a file that is refused, of which nothing is stored."""
    file, history = tmp_path / "old.csv", tmp_path / "home.history.sqlite"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(RefusedFileError) as caught:
        take(file, history, answers)
    assert not history.exists()
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace(",", ";"),
        GOOD.replace(".", ",").replace(",heat,heat_energy,", ";heat;heat_energy;").replace(",kWh", ";kWh")
        .replace(HEAD, HEAD.replace(",", ";")),
        GOOD.replace(",", "\t"),
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("T00:00:00Z", " 01:00").replace("T01:00:00Z", " 02:00:00"),
        GOOD.replace("2025-01-01T00:00:00Z", "01-01-2025 01:00")
        .replace("2025-01-01T01:00:00Z", "01.01.2025 02:00"),
        GOOD.replace("2025-01-01T00:00:00Z", str(FIRST)).replace("2025-01-01T01:00:00Z", str(FIRST + 3600)),
        GOOD.replace("100.50", '"100.50"') + "\n\n",
    ],
    ids=["comma", "semicolon", "marks", "tabulator", "bom", "crlf", "local", "days", "epoch", "quoted"],
)  # fmt: skip
def test_what_people_have(tmp_path: Path, content: str) -> None:
    assert imported(tmp_path, content) == [(FIRST, 10025), (FIRST + 3600, 10050)]


def test_columns_by_their_heads(tmp_path: Path) -> None:
    content = "Dato;Energi;Kubik\n2025-01-01T00:00:00Z;100,25;7\n2025-01-01T01:00:00Z;100,50;\n"
    answers = options(
        meter="heat", unit="kWh", columns=MappingProxyType({"time": "dato", "heat_energy": "Energi"})
    )
    assert imported(tmp_path, content, answers) == [(FIRST, 10025), (FIRST + 3600, 10050)]


def test_lines_need_no_order(tmp_path: Path) -> None:
    head, one, two = GOOD.splitlines(keepends=True)
    assert imported(tmp_path, head + two + one) == [(FIRST, 10025), (FIRST + 3600, 10050)]


def test_what_was_taken_for_granted_is_said(tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    file.write_text(
        "time;meter;quantity;value;unit\n31-12-2024;heat;heat_energy;1,5;kWh\n"
        "01-01-2025;heat;heat_energy;1,5;kWh\n01-01-2025;heat;heat_energy;1,5;kWh\n"
    )
    _, findings = take(file, tmp_path / "h.sqlite")
    said = "\n".join(findings.remarks)
    assert "day first" in said
    assert "1,234 is a little more than one" in said
    assert "Europe/Amsterdam" in said
    assert "the same as another one counts once" in said


@pytest.mark.parametrize(
    ("content", "line", "sentence"),
    [
        (GOOD.replace("100.50", '"1.100,50"'), 3, "a comma and a point"),
        (GOOD.replace("100.50", '"100,50"'), 3, "another decimal mark than line 2"),
        (GOOD.replace("100.50", "-1"), 3, "below zero"),
        (GOOD.replace("100.50", "1e5"), 3, "is no number"),
        (GOOD.replace("100.50", "NaN"), 3, "is no number"),
        (GOOD.replace("100.50", "99"), 3, "falls from 100.25 (2025-01-01T00:00:00Z, line 2) to 99"),
        (GOOD + "2025-01-01T00:00:00Z,heat,heat_energy,100.30,kWh\n", 4, "and 100.25 in line 2"),
        (GOOD + "2025-01-01T02:00:00Z,heat,heat_energy,1.30,GJ\n", 4, "is in GJ here, and in kWh in line 2"),
        (GOOD.replace("kWh", "m³"), 2, "no unit of heat_energy"),
        (GOOD.replace(",kWh", ","), 2, "needs a unit"),
        (GOOD.replace("heat_energy", "warmth"), 2, "no quantity 'warmth'"),
        (GOOD.replace("heat_energy", "flow_temperature"), 2, "is no counter"),
        (GOOD.replace("2025-01-01T01:00:00Z", "2025-10-26 02:30"), 3, "comes twice in Europe/Amsterdam"),
        (GOOD.replace("2025-01-01T01:00:00Z", "2025-03-30 02:30"), 3, "never was in Europe/Amsterdam"),
        (GOOD.replace("2025-01-01T01:00:00Z", "yesterday"), 3, "is no time"),
        (GOOD.replace("2025-01-01T01:00:00Z", "1969-12-31T23:00:00Z"), 3, "no time since 1970"),
        (GOOD.replace("2025-01-01T01:00:00Z", "9999-12-31T23:59:59-23:59"), 3, "no time since 1970"),
        (GOOD.replace("2025-01-01T01:00:00Z", "0001-01-01"), 3, "no time since 1970"),
        (GOOD.replace("2025-01-01T01:00:00Z", "13-13-2025 01:00"), 3, "no time with the day first"),
        (GOOD.replace("2025-01-01T01:00:00Z", "01/02/2025 01:00"), 3, "day or month"),
        (GOOD.replace("2025-01-01T01:00:00Z", "2035-01-01T01:00:00Z"), 3, "lies in the future"),
        (GOOD + "2025-01-01T02:00:00Z,heat\n", 4, "2 cells, and the head 5"),
        (GOOD.replace(",heat,", ",,"), 2, "the name of the meter is missing"),
        (GOOD + "x" * 1_000_000, 4, "longer than 10000 bytes"),
        (GOOD.encode() + b"\0\0\n", 4, "zero byte"),
        (GOOD.replace("kWh", "m³").encode("latin-1"), 2, "is no UTF-8"),
        (GOOD + '"', 4, "no CSV"),
        ("a,b\n1,2\n", 1, "no column is known as time, value, meter; the heads are a, b"),
        (HEAD.replace("unit", "end"), 1, "several columns may be the time: time, end"),
    ],
)
def test_what_is_wrong_is_told_by_its_line(
    tmp_path: Path, content: str | bytes, line: int, sentence: str
) -> None:
    said = refused(tmp_path, content)
    assert said.startswith(f"old.csv, line {line}: ")
    assert sentence in said


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is empty"),
        (GOOD.encode("utf-16"), "UTF-16"),
        (HEAD.encode(), "there is no reading in it"),
        (b"SQLite format 3\0" + b"x" * 500, "cannot be read as a database of SQLite"),
        (b"PK\x03\x04" + b"x" * 500, "no column is known"),
    ],
)
def test_what_is_no_table_at_all(tmp_path: Path, content: bytes, sentence: str) -> None:
    assert sentence in refused(tmp_path, content)


def test_all_that_is_wrong_is_told_at_once_but_not_without_end(tmp_path: Path) -> None:
    said = refused(tmp_path, HEAD + "x,heat,heat_energy,1,kWh\n" * 1000).splitlines()
    assert len(said) == 21
    assert said[-1] == "old.csv: more may be wrong; the rest was not looked at"


def test_what_an_answer_resolves(tmp_path: Path) -> None:
    twice = GOOD.replace("2025-01-01T01:00:00Z", "2025-10-26 02:30")
    first = 1_761_438_600  # 00:30 UTC
    for name, answers, times in [
        ("first", options(repeated_hour="first"), [FIRST, first]),
        ("second", options(repeated_hour="second"), [FIRST, first + 3600]),
        ("skip", options(repeated_hour="skip"), [FIRST]),
    ]:
        place = tmp_path / name
        place.mkdir()
        assert [time for time, _ in imported(place, twice, answers)] == times
    american = GOOD.replace("2025-01-01T01:00:00Z", "02/01/2025 01:00")
    assert imported(tmp_path, american, options(dates="month-first"))[1][0] == 1_738_368_000


def test_a_meter_that_was_replaced_falls(tmp_path: Path) -> None:
    content = (
        GOOD
        + "2025-01-01T02:00:00Z,heat,heat_energy,0.10,kWh\n2025-01-01T03:00:00Z,heat,heat_energy,0.20,kWh\n"
    )
    file, history = tmp_path / "old.csv", tmp_path / "home.history.sqlite"
    file.write_text(content)
    take(file, history, options(replaced_at=(FIRST + 2 * 3600,)))
    segments = [segment for segment, *_ in stored(history)]
    assert len(set(segments)) == 2
    assert segments[0] == segments[1] != segments[2] == segments[3]


CELLS = st.one_of(
    st.sampled_from(
        ["2025-01-01T00:00:00Z", "1735689600", "31-12-2024 10:00", "2025-10-26 02:30", "0001-01-01"]
    ),
    st.sampled_from(
        ["heat", "heat_energy", "volume", "kWh", "GJ", "1,5", "1.5", "999999999999999.999999999", ""]
    ),
    st.text(max_size=12),
)


@given(
    head=st.permutations(HEAD.strip().split(",")),
    rows=st.lists(st.lists(CELLS, max_size=6), max_size=8),
    delimiter=st.sampled_from(",;\t"),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_in_it_is_taken_or_refused(
    tmp_path: Path, head: list[str], rows: list[list[str]], delimiter: str
) -> None:
    file = tmp_path / "old.csv"
    lines = [delimiter.join(cells) for cells in ([*head], *rows)]
    file.write_text("\n".join(lines), encoding="utf-8", errors="surrogatepass")
    with suppress(RefusedFileError):
        take(file, tmp_path / "none.sqlite", write=False)
    assert not (tmp_path / "none.sqlite").exists()
