"""`history events`: what happened, by the clock of the house, and as JSON."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smart_meter_reader.messages import Message, Reading
from tests.cli.history.houses import house
from tests.cli.program import run
from tests.history.homes import energy

ZONE = ZoneInfo("Europe/Amsterdam")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp())


def reports(time: str, text: str, count: str, meter: str = "heat") -> Reading:
    message = energy(at(time), count, meter)
    message["measurements"]["info_code_text"] = {"value": text, "unit": ""}
    return message


def summer() -> list[Message]:
    long = "the battery is low, or the meter runs on its backup battery"
    return [
        reports("2026-07-01T10:00:30", "none", "1"),
        reports("2026-07-02T10:00:30", long, "2"),
        reports("2026-10-25T12:00:00", "none", "3"),
        reports("2026-07-03T10:00:00", "leak", "1", "water"),
    ]


def test_by_the_clock_of_the_house_in_80_columns(tmp_path: Path) -> None:
    house(tmp_path, summer())
    done = run("history", "events", "--since=2026-06-01", "--until=2026-10-31", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "2026-07-02 10:00:30  heat: the meter reports: the battery is low, or the meter",
        "                     runs on its backup battery",
        "2026-07-03 10:00:00  water: the meter reports: leak",
        "2026-10-25 12:00:00  heat: the meter no longer reports: the battery is low, or",
        "                     the meter runs on its backup battery",
    ]
    of_one = run("history", "events", "home", "water", "--since", "2026-06-01", cwd=tmp_path)
    assert of_one.stdout.splitlines() == ["2026-07-03 10:00:00  water: the meter reports: leak"]


def test_as_json_in_utc(tmp_path: Path) -> None:
    house(tmp_path, summer())
    done = run("history", "events", "water", "--since=2026-07-01", "--json", cwd=tmp_path)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {
            "time": "2026-07-03T08:00:00Z",
            "meter": "water",
            "kind": "info_code_raised",
            "text": "the meter reports: leak",
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["steam"], "there is no meter steam; there are: heat, water"),
        (["--since=2026-07-02", "--until=2026-07-01"], "--until is before --since"),
        (["--since=yesterday"], "--since: yesterday is no time"),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, arguments: list[str], told: str) -> None:
    house(tmp_path, summer())
    done = run("history", "events", *arguments, cwd=tmp_path)
    assert done.returncode == 64
    assert told in done.stderr


def test_that_nothing_happened_is_told(tmp_path: Path) -> None:
    house(tmp_path, summer())
    done = run("history", "events", "--since=2026-01-01", "--until=2026-01-31", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "nothing is told from 2026-01-01 00:00 to 2026-01-31 23:59\n"
