"""`history show`: tables that are right to the last digit, in a terminal that may know ASCII only."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smart_meter_reader.cli.history.show_table import explanations
from smart_meter_reader.console.charset import in_ascii, shows_unicode
from smart_meter_reader.console.environments import environments
from smart_meter_reader.history.periods import LocalCalendar
from smart_meter_reader.history.questions.bars import Bar
from smart_meter_reader.history.rows import RowOrigin
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Message
from tests.cli.history.houses import house
from tests.cli.program import run
from tests.history.homes import reading

ZONE = ZoneInfo("Europe/Amsterdam")
UNICODE = {"LC_ALL": "C.UTF-8"}


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp())


def november() -> list[Message]:
    """A kWh in the first hour of each day, two in the second, and so on; nothing read on the 12th."""
    messages: list[Message] = []
    energy, begin = Decimal("100.000"), at("2025-11-10T00:00")
    for hour in range(24 * 7 + 1):
        if not 48 < hour < 72:
            values = {
                "heat_energy": (energy, "kWh"),
                "volume": (energy / 10, "m³"),
                "flow_temperature": (Decimal(60 + hour % 24), "°C"),
            }
            messages.append(reading(begin + hour * 3600, values))
        energy += hour % 24 + 1
    return messages


@pytest.mark.parametrize("language", ["C.UTF-8", "C"])
def test_a_week_adds_up_and_fits_into_80_columns(tmp_path: Path, language: str) -> None:
    house(tmp_path, november())
    done = run(
        "history",
        "show",
        "heat",
        "--period=week",
        "--day=2025-11-12",
        cwd=tmp_path,
        environment={"LC_ALL": language},
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "heat, heat energy, 2025-11-10 to 2025-11-16, Europe/Amsterdam"
    days = [line.split() for line in lines[2:9]]
    assert [day[:3] for day in days] == [
        [f"2025-11-{10 + at}", name, "300.000"]
        for at, name in enumerate(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
    ]
    full = "█" if language == "C.UTF-8" else "#"
    # What ends or begins where nothing was read is no estimate; a day without readings is none either.
    assert all(day[-1] == full * len(day[-1]) for day in days)
    assert "  sum      2100.000 kWh" in lines
    assert "  mean      300.000 kWh  each day, of 7 that are whole" in lines
    if language == "C":
        assert done.stdout.isascii()


def test_a_pause_is_marked_and_explained(tmp_path: Path) -> None:
    house(tmp_path, november())
    done = run(
        "history", "show", "heat", "--day=2025-11-12", "--step=hour", cwd=tmp_path, environment=UNICODE
    )
    lines = done.stdout.splitlines()
    # 300 in 24 hours, spread evenly.
    assert "  12:00  12.500 kWh ~░░░" in lines[14]
    assert "~ estimated: nothing was read from 2025-11-12 00:00 to 2025-11-13 00:00;" in done.stdout


def test_the_hour_that_comes_twice_is_told_twice(tmp_path: Path) -> None:
    begin = at("2025-10-26T00:00")
    house(
        tmp_path,
        [reading(begin + 3600 * hour, {"heat_energy": (Decimal(hour * hour), "kWh")}) for hour in range(26)],
    )
    done = run("history", "show", "heat", "--day=2025-10-26", cwd=tmp_path, environment=UNICODE)
    lines = done.stdout.splitlines()
    assert [line.split()[:3] for line in lines[4:6]] == [["02:00", "CEST", "5"], ["02:00", "CET", "7"]]
    assert lines[28].split() == ["sum", "625", "kWh"]


def test_all_meters_of_a_day(tmp_path: Path) -> None:
    tariffs = ["active_energy_import_tariff_1", "active_energy_import_tariff_2"]
    power = [
        reading(
            at("2025-11-12T00:00") + hour * 3600,
            {key: (Decimal(hour), "kWh") for key in tariffs},
            "electricity",
        )
        for hour in range(25)
    ]
    house(tmp_path, [*november(), *power])
    done = run("history", "show", "--day=2025-11-12", cwd=tmp_path, environment=UNICODE)
    assert done.stdout.splitlines()[2:] == [
        "                                     2025-11-12  the day before",
        "  heat         Heat energy          300.000 kWh     300.000 kWh",
        "  electricity  Total import energy       48 kWh               -",
    ]
    done = run("history", "show", "electricity", "--day=2025-11-12", cwd=tmp_path, environment=UNICODE)
    assert "electricity, total import energy of all tariffs, Wed 2025-11-12" in done.stdout
    assert "  12:00  2 kWh" in done.stdout


def test_what_the_meters_memory_told_is_said_with_its_two_ends_whatever_order_the_days_are_in() -> None:
    day, before = (at(f"2025-11-{number}T00:00") for number in (12, 11))
    bars = [
        Bar(begin, begin + 86400, "kWh", Decimal(1), origin=RowOrigin.LOGGER, complete=True)
        for begin in (day, before)
    ]
    assert list(explanations(bars, LocalCalendar(ZONE), None)) == [
        "= not read at the time: the meter's own memory has told it, "
        "from 2025-11-11 00:00 to 2025-11-13 00:00"
    ]


def test_a_year_ago_is_not_the_day_before(tmp_path: Path) -> None:
    times = [at(f"2024-11-12T{hour:02}:00") for hour in range(24)]
    times += [at(f"2025-11-12T{hour:02}:00") for hour in range(24)]
    values = [100 + index if index < 24 else 900 + index for index in range(48)]
    house(
        tmp_path,
        [
            reading(time, {"heat_energy": (Decimal(value), "kWh")})
            for time, value in zip(times, values, strict=True)
        ],
    )
    path = tmp_path / "state" / "home.history.sqlite"
    store = Store(path)
    store.open()
    store.note("heat", "", "replaced", at("2025-11-12T00:00"), at("2025-11-12T00:00"), "")
    store.close()
    done = run("history", "show", "--day=2025-11-12", cwd=tmp_path, environment=UNICODE)
    assert done.stdout.splitlines()[3].split()[-3:] == ["23", "kWh", "-"]


def test_temperatures_have_lowest_mean_and_highest(tmp_path: Path) -> None:
    house(tmp_path, november())
    done = run(
        "history",
        "show",
        "home",
        "heat",
        "--quantity=flow_temperature",
        "--period=week",
        "--day=2025-11-10",
        cwd=tmp_path,
        environment={"LC_ALL": "C"},
    )
    assert done.stdout.isascii()
    assert done.stdout.splitlines()[3].split()[:5] == ["2025-11-10", "60", "71.5", "83", "C"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["gas"], "there is no meter gas in the history; stored is: heat"),
        (
            ["heat", "--quantity=gas_volume"],
            "there is no quantity gas_volume of heat; stored is: heat_energy",
        ),
        (["--day=9999-12-31"], "no meter was read in 9999"),
        (["heat", "--day=0001-01-01"], "no meter was read in 1"),
        (["--period=week"], "of which meter? there are: heat"),
        (["heat", "--day=2025-11-10", "--period=year", "--step=quarter"], "choose a longer --step"),
        (["heat", "--quantity=flow_temperature", "--step=quarter"], "the hours are kept: --step hour"),
    ],
)
def test_what_cannot_be_shown_is_said(tmp_path: Path, arguments: list[str], told: str) -> None:
    house(tmp_path, november())
    done = run("history", "show", *arguments, cwd=tmp_path, environment=UNICODE)
    assert done.returncode == 64
    assert told in done.stderr


def test_before_the_first_reading_there_is_a_sentence(tmp_path: Path) -> None:
    house(tmp_path)
    done = run("history", "show", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (69, "")
    assert "there is no history in state/home.history.sqlite yet" in done.stderr


def test_nothing_is_known_of_a_day_long_ago(tmp_path: Path) -> None:
    house(tmp_path, november())
    assert environments(tmp_path) == ["home"]
    done = run("history", "show", "heat", "--day=2020-01-01", cwd=tmp_path, environment=UNICODE)
    assert done.stdout.splitlines()[-1] == "  nothing is known of it"


def test_what_a_terminal_can_show(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with (tmp_path / "utf8").open("w", encoding="utf-8") as utf8:
        assert shows_unicode(utf8, {"LANG": "nl_NL.UTF-8"})
        assert not shows_unicode(utf8, {"LANG": "nl_NL.UTF-8", "LC_ALL": "C"})
    with (tmp_path / "latin").open("w", encoding="latin-1") as latin:
        assert not shows_unicode(latin, {"LANG": "nl_NL"})
    assert in_ascii("m³·°C") == "m3*C"


def test_what_panels_produce_is_called_so_though_their_meter_counts_import(tmp_path: Path) -> None:
    begin = at("2025-11-10T00:00")
    house(
        tmp_path,
        [
            reading(begin + hour * 3600, {"active_energy_import": (Decimal(hour), "kWh")}, meter)
            for hour in range(24)
            for meter in ("roof", "main")
        ],
    )
    with (tmp_path / "settings.toml").open("a") as settings:
        settings.write('\n[home.sinks.web]\nproduction = "roof"\n')
    told = run("history", "show", "--day=2025-11-10", cwd=tmp_path).stdout
    assert re.search(r"^  roof  Production ", told, re.MULTILINE)
    assert re.search(r"^  main  Total import energy ", told, re.MULTILINE)
    of_one = run("history", "show", "roof", "--day=2025-11-10", cwd=tmp_path).stdout
    assert of_one.startswith("roof, production, Mon 2025-11-10, ")
