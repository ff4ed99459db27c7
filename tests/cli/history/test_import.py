"""`history import` as its users type it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from smart_meter_reader.console import EXIT_DATA, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE
from tests.cli.history.conftest import T0, House
from tests.cli.program import QUICKLY, run
from tests.history.imports.files import HOURS_HEAD, home_assistant, stored

HEAD = "time,meter,quantity,value,unit\n"


def old_readings(house: House, count: int = 48) -> Path:
    """Readings of every hour before those that are stored."""
    file = house.directory / "old.csv"
    rows = (f"{T0 - (count - i) * 3600},heat,heat_energy,{900 + i / 1000:.3f},kWh\n" for i in range(count))
    file.write_text(HEAD + "".join(rows))
    return file


def test_first_it_is_only_said(house: House) -> None:
    file, before = old_readings(house), stored(house.history)
    done = run("history", "import", str(file), cwd=house.directory)
    assert (done.returncode, done.stderr) == (EXIT_OK, "")
    assert done.stdout.splitlines() == [
        "It is CSV.",
        "heat, heat_energy: 48 readings on 2 days, from 2025-05-30 00:00 (900.000 kWh) to 2025-05-31 23:00 "
        "(900.047 kWh)",
        "  48 would go before what is stored",
        "  They join the present device of heat: its counters go on from them.",
        "Nothing is written yet: the same with --write takes in 48 readings, after a backup.",
    ]
    assert stored(house.history) == before


def test_then_it_is_written_after_a_backup(house: House) -> None:
    file, before = old_readings(house), stored(house.history)
    done = run("history", "import", str(file), "home", "--write", cwd=house.directory)
    assert done.returncode == EXIT_OK
    assert "48 readings were written." in done.stdout
    (backup,) = house.history.parent.glob("*.backup-*.sqlite")
    assert str(backup) in done.stdout
    assert stored(backup) == before
    assert len(stored(house.history)) == len(before) + 48
    done = run("history", "import", str(file), "--write", cwd=house.directory)
    assert "There is nothing new in it." in done.stdout
    assert list(house.history.parent.glob("*.backup-*.sqlite")) == [backup]


def test_a_history_begins_with_an_import(empty_house: House) -> None:
    done = run("history", "import", str(old_readings(empty_house)), "--write", cwd=empty_house.directory)
    assert (done.returncode, done.stderr) == (EXIT_OK, "")
    done = run("history", "export", cwd=empty_house.directory)
    assert done.stdout.splitlines()[1].startswith("2025-05-30T00:00:00+02:00,2025-05-31T00:00:00+02:00,heat,")


def test_wrong_lines_are_told_and_nothing_is_taken(house: House) -> None:
    file, before = house.directory / "old.csv", stored(house.history)
    file.write_text(HEAD + f"{T0 - 7200},heat,heat_energy,9,kWh\n{T0 - 3600},heat,heat_energy,8,kWh\nx,y\n")
    done = run("history", "import", str(file), "--write", cwd=house.directory)
    assert (done.returncode, done.stdout) == (EXIT_DATA, "")
    assert done.stderr.splitlines() == [
        "old.csv, line 4: it has 2 cells, and the head 5",
        "nothing of old.csv was taken in",
    ]
    assert stored(house.history) == before


def test_another_unit_is_told(house: House) -> None:
    file = house.directory / "old.csv"
    file.write_text(HEAD + f"{T0 - 7200},heat,heat_energy,3.500,GJ\n")
    done = run("history", "import", str(file), cwd=house.directory)
    assert "It is stored in GJ, beside kWh: between the two nothing is counted" in done.stdout


def test_home_assistant_is_listed_before_it_is_mapped(house: House) -> None:
    hours = [(T0 - (10 - i) * 3600, 900.5 + i / 8, i / 8) for i in range(9)]
    file = home_assistant(house.directory / "home-assistant_v2.db", {"sensor.heat": ("kWh", hours)})
    done = run("history", "import", str(file), cwd=house.directory)
    assert done.returncode == EXIT_OK
    assert "sensor.heat  kWh, 9 hours from 2025-05-31 to 2025-05-31" in done.stdout
    mapped = ("history", "import", str(file), "--map", "sensor.heat=heat.heat_energy")
    assert "takes in 9 readings" in run(*mapped, cwd=house.directory).stdout


def test_an_export_of_a_p1_reader_needs_its_meter(house: House) -> None:
    file = house.directory / "hours.csv"
    file.write_text(HOURS_HEAD + "2024-06-01 20:00:00,0.125,0.0,0.0,0.0,0.0\n")
    done = run("history", "import", str(file), cwd=house.directory)
    assert done.returncode == EXIT_USAGE
    assert "the settings have: heat" in done.stderr
    done = run(
        *("history", "import", str(file), "--meter", "power", "--map", "gass=stove"), cwd=house.directory
    )
    assert (done.returncode, "electricity or gas" in done.stderr) == (EXIT_USAGE, True)
    known = "active_energy_import_tariff_1=100.000@2024-06-01T21:00"
    done = run("history", "import", str(file), "--meter", "power", "--known", known, cwd=house.directory)
    assert "no meter in the settings is called power" in done.stdout
    assert "called power-gas" not in done.stdout
    assert "from 2024-06-01 20:00 (99.875 kWh) to 2024-06-01 21:00 (100.000 kWh)" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--zone", "Mars/North"), "knows no zone"),
        (("--map", "time"), "on both sides of ="),
        (("--map", "x=y"), "or a quantity that counts"),
        (("--map", "time=end", "--map", "time=start"), "time is end already"),
        (("--known", "heat_energy=1"), "write it as"),
        (("--known", "heat_energi=1@2025-01-01T00:00:00Z"), "write it as heat_energy=1234.5@"),
        (("--replaced-at", "once"), "is no time"),
    ],
)
def test_wrong_options_are_told(house: House, arguments: tuple[str, ...], said: str) -> None:
    done = run("history", "import", str(old_readings(house)), *arguments, cwd=house.directory)
    assert done.returncode == EXIT_USAGE
    assert said in done.stderr


def test_an_interruption_leaves_nothing_behind(house: House) -> None:
    file, before = old_readings(house, 80_000), stored(house.history)
    # On a terminal it says how far it is, which tells when to interrupt it.
    master, slave = os.openpty()
    process = subprocess.Popen(
        [*QUICKLY, "history", "import", str(file), "--write"],
        stdout=subprocess.PIPE,
        stderr=slave,
        cwd=house.directory,
    )
    os.close(slave)
    seen = b""
    while b"writing: " not in seen:
        seen += os.read(master, 4096)
    assert b"reading: " in seen
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    os.close(master)
    assert process.returncode == EXIT_INTERRUPTED
    assert stored(house.history) == before
    assert run("history", "export", cwd=house.directory).returncode == EXIT_OK
