"""`history note`: what it changes is told before and after, nothing is deleted, and all can be taken back."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smart_meter_reader.history.questions.record import History
from tests.cli.history.houses import house
from tests.cli.program import run
from tests.history.homes import energy

ZONE = ZoneInfo("Europe/Amsterdam")
BEGIN = int(datetime(2025, 11, 10, tzinfo=ZONE).timestamp())


def week(path: Path) -> Path:
    """A kWh an hour; in the third day, at noon, the meter showed 90 too much once."""
    values = [Decimal(1000 + hour) for hour in range(7 * 24)]
    values[2 * 24 + 12] += 90
    messages = [energy(BEGIN + 3600 * hour, value) for hour, value in enumerate(values)]
    return house(path, messages)


def test_a_wrong_value_is_noted_listed_and_taken_back(tmp_path: Path) -> None:
    path = week(tmp_path)
    spike = ("wrong", "heat", "read from the wrong meter", "--from=2025-11-12T12:00", "--to=2025-11-12T12:30")
    dry = run("history", "note", *spike, "--dry-run", cwd=tmp_path)
    with History(path) as history:
        assert history.notes() == []
    done = run("history", "note", *spike, "--env=home", cwd=tmp_path)
    assert (dry.returncode, done.returncode, dry.stderr, done.stderr) == (0, 0, "", "")
    assert "heat_energy: the total of all time changes from 256 kWh to 167 kWh" in dry.stdout
    assert "would be noted: heat wrong from 2025-11-12 12:00:00 +0100" in dry.stdout
    assert "noted as 1: heat wrong from" in done.stdout
    listed = run("history", "note", "list", cwd=tmp_path).stdout
    assert listed.startswith(
        "1  heat wrong from 2025-11-12 12:00:00 +0100 to 2025-11-12 12:30:00 +0100: read"
    )
    undone = run("history", "note", "undo", "1", cwd=tmp_path)
    assert "heat_energy: the total of all time changes from 167 kWh to 256 kWh" in undone.stdout
    assert "[taken back 20" in run("history", "note", "list", cwd=tmp_path).stdout
    assert run("history", "note", "undo", "1", cwd=tmp_path).returncode == 64
    with History(path) as history:
        assert len(history.notes()) == 1


def test_a_meter_that_was_replaced_begins_anew(tmp_path: Path) -> None:
    path = house(
        tmp_path,
        [energy(BEGIN + 3600 * hour, Decimal(hour if hour < 30 else 500 + hour)) for hour in range(48)],
    )
    done = run("history", "note", "replaced", "heat", "--at=2025-11-11T05:30", cwd=tmp_path)
    assert "heat_energy: the total of 2025-11-11 changes from 523 kWh to 22 kWh" in done.stdout
    assert "heat_energy: the total of all time changes from 547 kWh to 46 kWh" in done.stdout
    with History(path) as history:
        assert len(history.counter("heat", "heat_energy").parts) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["replaced", "gas", "--at=2025-11-12"], "there is no meter gas in the history; stored is: heat"),
        (["replaced", "heat", "--at=2025-10-26T02:30"], "comes twice in Europe/Amsterdam"),
        (["replaced", "heat", "--at=noon"], "noon is no time: write it as"),
        (["replaced", "heat", "--at=2999-01-01"], "is yet to come"),
        (["wrong", "heat", "--from=0001-01-01", "--to=2025-11-11"], "no meter was read in 1"),
        (["wrong", "heat", "--from=2025-11-12", "--to=2025-11-11"], "is before --from 2025-11-12"),
        (["wrong", "heat", "--from=2025-11-12", "--to=2025-11-12", "--quantity=power"], "no counter power"),
        (["undo", "7"], "there is no note 7: `history note list` lists them"),
    ],
)
def test_what_cannot_be_noted_is_said(tmp_path: Path, arguments: list[str], told: str) -> None:
    path = week(tmp_path)
    done = run("history", "note", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (64, "")
    assert told in done.stderr
    with History(path) as history:
        assert history.notes() == []


@pytest.mark.parametrize("until", ["2025-11-16", "2025-11-17"])
def test_taking_back_what_ended_the_readings_brings_them_all_back(tmp_path: Path, until: str) -> None:
    week(tmp_path)
    run("history", "note", "wrong", "heat", "--from=2025-11-14", f"--to={until}", cwd=tmp_path)
    done = run("history", "note", "undo", "1", "--dry-run", cwd=tmp_path)
    # The 90 too much made the counter begin anew: 150 and 34 kWh, or 150 and 106.
    assert "heat_energy: the total of all time changes from 184 kWh to 256 kWh" in done.stdout


def test_taking_back_that_all_was_wrong_tells_what_is_known_again(tmp_path: Path) -> None:
    week(tmp_path)
    run("history", "note", "wrong", "heat", "--from=2025-11-01", "--to=2025-11-18", cwd=tmp_path)
    done = run("history", "note", "undo", "1", "--dry-run", cwd=tmp_path)
    assert "heat_energy: the total of 2025-11-10 changes from unknown to 24 kWh" in done.stdout
    assert "heat_energy: the total of all time changes from unknown to 256 kWh" in done.stdout


def test_without_notes_that_is_said(tmp_path: Path) -> None:
    week(tmp_path)
    assert run("history", "note", "list", cwd=tmp_path).stdout == "There are no notes.\n"
