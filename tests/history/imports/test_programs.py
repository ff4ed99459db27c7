"""The files of other programs, made as those programs make them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import pytest

from smart_meter_reader.history.imports.formats.home_assistant import Statistic, statistics
from smart_meter_reader.history.imports.formats.sniffing import ImportProgram, program_of
from smart_meter_reader.history.imports.found import Findings, ImportOptions, KnownPosition, RefusedFileError
from tests.history.imports.files import (
    AMSTERDAM,
    DAYS_HEAD,
    HOURS_HEAD,
    home_assistant,
    p1_database,
    p1_rows,
    p1_zip,
    stored,
    take,
)

LOW = "active_energy_import_tariff_1"
Rows: TypeAlias = dict[str, Iterable[tuple[object, ...]]]


def options(**given: Any) -> ImportOptions:
    return ImportOptions(AMSTERDAM, **{"meter": "electricity", **given})


def local(*when: int, fold: int = 0) -> int:
    return int(datetime(*when, tzinfo=AMSTERDAM, fold=fold).timestamp())  # type: ignore[arg-type,misc]


def of(history: Path, quantity: str) -> dict[int, int]:
    return {time: value for _, time, value, _ in stored(history, quantity)}


# DSMR-reader


def days(tmp_path: Path, rows: str) -> Path:
    file = tmp_path / "dsmrreader-data-export---day.csv"
    file.write_text(DAYS_HEAD + rows)
    return file


def hours(tmp_path: Path, rows: Iterable[str], head: str = HOURS_HEAD) -> Path:
    file = tmp_path / "dsmrreader-data-export---hour.csv"
    file.write_text(head + "".join(f"{row}\n" for row in rows))
    return file


def test_days_of_dsmr_reader_have_counters_since_4_17(tmp_path: Path) -> None:
    file = days(
        tmp_path,
        "2024-06-01,3.5,2.25,0.0,0.0,1.2,0.7,0.5,1.0,0.3,2.5,,,,,\n"
        "2024-06-02,3.5,2.25,0.0,0.0,1.2,0.7,0.5,1.0,0.3,2.5,1003.5,2002.25,0.0,0.0,501.2\n"
        "2024-06-03,3.5,2.25,0.0,0.0,1.2,0.7,0.5,1.0,0.3,2.5,1007.001,2004.5,0.0,0.0,502.4\n",
    )
    history = tmp_path / "h.sqlite"
    take(file, history, options())
    # The counters of the first reading of each day.
    assert of(history, LOW) == {local(2024, 6, 2): 1003500, local(2024, 6, 3): 1007001}
    assert of(history, "gas_volume") == {local(2024, 6, 2): 5012, local(2024, 6, 3): 5024}


def test_hours_of_dsmr_reader_go_back_from_what_is_stored(tmp_path: Path) -> None:
    history = tmp_path / "h.sqlite"
    take(days(tmp_path, "2024-06-02,0,0,0,0,0,0,0,0,0,0,1000,2000,0,0,500\n"), history, options())
    rows = [f"2024-06-01 {hour:02}:00:00,0.125,0.25,0.0,0.0,0.05" for hour in range(20, 24)]
    _, findings = take(hours(tmp_path, rows), history, options())
    found = of(history, LOW)
    assert [found[local(2024, 6, 1, hour)] for hour in range(20, 24)] == [999500, 999625, 999750, 999875]
    assert found[local(2024, 6, 2)] == 1000000
    assert any("worked out" in remark for remark in findings.remarks)
    assert any("never counted" in remark for remark in findings.remarks)


def test_hours_of_dsmr_reader_go_on_from_what_is_known(tmp_path: Path) -> None:
    rows = [f"2024-06-01 {hour:02}:00:00,0.125,0.0,0.0,0.0,0.0" for hour in range(20, 23)]
    known = KnownPosition(LOW, local(2024, 6, 1, 21), Decimal(100))
    history = tmp_path / "h.sqlite"
    take(hours(tmp_path, rows), history, options(known=(known,)))
    assert of(history, LOW) == {
        local(2024, 6, 1, 20): 99875,
        local(2024, 6, 1, 21): 100000,
        local(2024, 6, 1, 22): 100125,
        local(2024, 6, 1, 23): 100250,
    }


def test_hours_without_a_known_counter_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedFileError, match="what the counter showed is not known") as caught:
        take(hours(tmp_path, ["2024-06-01 20:00:00,0.125,0.0,0.0,0.0,0.0"]), tmp_path / "h.sqlite", options())
    assert "--known" in str(caught.value)


def test_sums_that_are_more_than_the_counter_are_refused(tmp_path: Path) -> None:
    known = KnownPosition(LOW, local(2024, 6, 1, 21), Decimal("0.1"))
    with pytest.raises(RefusedFileError, match="below zero"):
        take(
            hours(tmp_path, ["2024-06-01 20:00:00,0.125,0.0,0.0,0.0,0.0"]),
            tmp_path / "h.sqlite",
            options(known=(known,)),
        )


def test_old_hours_with_their_offset(tmp_path: Path) -> None:
    # As dsmrreader/dsmr-reader#1440 shows them: in UTC.
    rows = ["2021-08-17T06:00:00+00:00,0.125,0.0,0.0,0.0,0.0"]
    known = KnownPosition(LOW, local(2021, 8, 17, 9), Decimal(100))
    history = tmp_path / "h.sqlite"
    take(hours(tmp_path, rows), history, options(known=(known,)))
    assert of(history, LOW) == {local(2021, 8, 17, 8): 99875, local(2021, 8, 17, 9): 100000}


def test_dutch_heads_are_known(tmp_path: Path) -> None:
    head = (
        "Begin Van Uur,Elektriciteit 1 (Daltarief),Elektriciteit 2 (Hoogtarief),"
        "Elektriciteit 1 Teruglevering (Daltarief),Elektriciteit 2 Teruglevering (Hoogtarief),Gas\n"
    )
    file = hours(tmp_path, ["2024-06-01 20:00:00,0.1,0.0,0.0,0.0,0.0"], head)
    assert program_of(file, Findings("x")) is ImportProgram.DSMR_READER


# P1 Monitor


@pytest.fixture(params=[p1_database, p1_zip])
def p1(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Rows], Path]:
    return lambda tables: request.param(tmp_path / "export", tables)


def test_p1_monitor_has_the_counters_at_the_ends_of_hours(tmp_path: Path, p1: Callable[[Rows], Path]) -> None:
    file = p1({"e_history_uur": p1_rows(datetime(2024, 6, 1), 4)})  # noqa: DTZ001 - by its clock
    history = tmp_path / "h.sqlite"
    assert program_of(file, Findings("x")) is ImportProgram.P1MONITOR
    take(file, history, options())
    # The newest hour is not over.
    assert of(history, LOW) == {
        local(2024, 6, 1, 1): 1000000,
        local(2024, 6, 1, 2): 1000100,
        local(2024, 6, 1, 3): 1000200,
    }
    assert of(history, "gas_volume")[local(2024, 6, 1, 3)] == 500100
    # What never counted is not there.
    assert of(history, "active_energy_export_tariff_1") == {}


def test_p1_monitor_has_one_row_for_the_hour_that_comes_twice(
    tmp_path: Path, p1: Callable[[Rows], Path]
) -> None:
    file = p1({"e_history_uur": p1_rows(datetime(2024, 10, 27), 5)})  # noqa: DTZ001 - by its clock
    history = tmp_path / "h.sqlite"
    take(file, history, options())
    times = sorted(of(history, LOW))
    assert [later - sooner for sooner, later in itertools.pairwise(times)] == [3600, 7200, 3600]
    assert times[1] == local(2024, 10, 27, 2)


def test_days_of_p1_monitor_reach_further_back_than_hours(tmp_path: Path, p1: Callable[[Rows], Path]) -> None:
    old = [
        (f"2024-05-{day} 00:00:00", 900 + day, 1900 + day, 0, 0, 1, 0, 400 + day, 1) for day in range(10, 14)
    ]
    file = p1({"e_history_dag": old, "e_history_uur": p1_rows(datetime(2024, 6, 1), 4)})  # noqa: DTZ001
    history = tmp_path / "h.sqlite"
    take(file, history, options(columns=MappingProxyType({"gas": "stove"})))
    assert of(history, LOW)[local(2024, 5, 11)] == 910000
    assert len(of(history, LOW)) == 3 + 3


def test_a_value_that_is_none_is_told_by_its_row(tmp_path: Path, p1: Callable[[Rows], Path]) -> None:
    file = p1({"e_history_uur": [("2024-06-01 00:00:00", "x", 0, 0, 0, 0, 0, 0, 0)]})
    with pytest.raises(RefusedFileError, match=r"e_history_uur, 2024-06-01 00:00:00: 'x' is no number"):
        take(file, tmp_path / "h.sqlite", options())


# Home Assistant


BEGIN = local(2024, 6, 1)


def heat(*states: float) -> dict[str, tuple[str, list[tuple[int, float, float]]]]:
    return {"sensor.heat": ("kWh", [(BEGIN + i * 3600, state, i / 2) for i, state in enumerate(states)])}


def mapped(to: str) -> ImportOptions:
    return ImportOptions(AMSTERDAM, columns=MappingProxyType({"sensor.heat": to}))


@pytest.mark.parametrize("old", [False, True])
def test_home_assistant_tells_the_state_at_the_end_of_an_hour(tmp_path: Path, old: bool) -> None:
    file = home_assistant(tmp_path / "home-assistant_v2.db", heat(100.1, 100.30000000000001), old=old)
    history = tmp_path / "h.sqlite"
    assert program_of(file, Findings("x")) is ImportProgram.HOME_ASSISTANT
    take(file, history, mapped("heat.heat_energy"))
    assert of(history, "heat_energy") == {BEGIN + 3600: 1001, BEGIN + 7200: 1003}


def test_what_counts_in_home_assistant_is_listed(tmp_path: Path) -> None:
    file = home_assistant(tmp_path / "home-assistant_v2.db", heat(1.0, 2.0))
    assert statistics(file, Findings("x")) == [Statistic("sensor.heat", "kWh", 2, BEGIN, BEGIN + 7200)]


def test_a_sensor_that_begins_anew_is_taken_by_its_sum(tmp_path: Path) -> None:
    file = home_assistant(tmp_path / "home-assistant_v2.db", heat(5.0, 0.5))
    history = tmp_path / "h.sqlite"
    with pytest.raises(RefusedFileError, match="falls from 5 "):
        take(file, history, mapped("heat.heat_energy"))
    take(file, history, mapped("heat.heat_energy:sum"))
    assert list(of(history, "heat_energy").values()) == [0, 5]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"sensor.other": "heat.heat_energy"}, "no statistic sensor.other that counts"),
        ({"sensor.heat": "heat"}, "belongs METER.QUANTITY"),
        ({"sensor.heat": "heat.gas_volume"}, "'kWh' is no unit of gas_volume"),
    ],
)
def test_what_is_wrong_in_a_map_is_told(tmp_path: Path, columns: dict[str, str], sentence: str) -> None:
    file = home_assistant(tmp_path / "home-assistant_v2.db", heat(1.0))
    with pytest.raises(RefusedFileError, match=sentence):
        take(file, tmp_path / "h.sqlite", ImportOptions(AMSTERDAM, columns=MappingProxyType(columns)))


def test_two_statistics_of_one_counter_need_one_unit(tmp_path: Path) -> None:
    both = {**heat(1.0), "sensor.other": ("GJ", [(BEGIN + 7200, 3.0, 1.0)])}
    file = home_assistant(tmp_path / "home-assistant_v2.db", both)
    columns = MappingProxyType(dict.fromkeys(both, "heat.heat_energy"))
    with pytest.raises(RefusedFileError, match="is in GJ here, and in kWh elsewhere: import each unit"):
        take(file, tmp_path / "h.sqlite", ImportOptions(AMSTERDAM, columns=columns))
