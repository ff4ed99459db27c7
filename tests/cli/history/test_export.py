"""`history export` as its users type it."""

from __future__ import annotations

import json
import subprocess
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.cli.history.command import COMMANDS, history
from smart_meter_reader.console import EXIT_OK, EXIT_SETTINGS, EXIT_UNAVAILABLE, EXIT_USAGE
from tests.cli.history.conftest import House
from tests.cli.program import PROGRAM, run


def test_the_list_says_what_the_commands_say() -> None:
    import click

    for name, entry in COMMANDS.items():
        command = history.get_command(click.Context(history), name)
        assert command is not None
        assert entry.summary == command.get_short_help_str(limit=1000)


def test_days_go_to_standard_output(house: House) -> None:
    done = run("history", "export", cwd=house.directory)
    assert (done.returncode, done.stderr) == (EXIT_OK, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 1 + 14
    assert lines[1] == (
        "2025-06-01T00:00:00+02:00,2025-06-02T00:00:00+02:00,heat,heat_energy,1000.00,1006.00,6.00,kWh,0,measured"
    )


@pytest.mark.parametrize("kind", ["csv", "csv-people", "json", "xlsx"])
def test_a_file_is_written_and_not_replaced_unasked(house: House, kind: str) -> None:
    out = house.directory / "out"
    arguments = ("history", "export", "home", "--format", kind, "--language", "nl", "-o", str(out))
    assert run(*arguments, cwd=house.directory).returncode == EXIT_OK
    written = out.read_bytes()
    assert out.stat().st_mode & 0o777 == 0o600
    done = run(*arguments, cwd=house.directory)
    assert done.returncode == EXIT_USAGE
    assert "--replace" in done.stderr
    assert run(*arguments, "--replace", cwd=house.directory).returncode == EXIT_OK
    assert out.read_bytes()[:4] == written[:4]
    if kind == "xlsx":
        assert zipfile.is_zipfile(out)


def test_days_are_chosen_and_the_last_one_is_included(house: House) -> None:
    done = run(
        *("history", "export", "--from", "2025-06-03", "--to", "2025-06-04", "--format", "json"),
        cwd=house.directory,
    )
    found = json.loads(done.stdout, parse_float=Decimal)
    assert [line["start"][:10] for line in found] == ["2025-06-03", "2025-06-04"]
    assert sum(line["difference"] for line in found) == 12


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--meter", "water"), "there is no meter water in the history; stored is: heat"),
        (("--quantity", "volume"), "there is no quantity volume in the history; stored is: heat_energy"),
        (("-o", "/nowhere/out.csv"), "nothing can be written into /nowhere"),
        (("--from", "1 June"), "does not match"),
        (("--to", "9999-12-31"), "no meter was read in 9999"),
        (("--from", "2025-06-03", "--to", "2025-06-02"), "--to is before --from"),
    ],
)
def test_what_is_not_there_is_told(house: House, arguments: tuple[str, ...], said: str) -> None:
    done = run("history", "export", *arguments, cwd=house.directory)
    assert done.returncode == EXIT_USAGE
    assert said in done.stderr


def test_before_there_is_a_history(empty_house: House) -> None:
    done = run("history", "export", cwd=empty_house.directory)
    assert done.returncode == EXIT_UNAVAILABLE
    assert "there is no history" in done.stderr
    settings = empty_house.directory / "settings.toml"
    settings.write_text('[home.meters.heat]\nclient = "dummy"\n[home.sinks.stdout]\n')
    done = run("history", "export", cwd=empty_house.directory)
    assert done.returncode == EXIT_SETTINGS
    assert "[home.sinks.history]" in done.stderr


def test_a_full_disk_and_a_reader_that_has_seen_enough(house: House) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, "history", "export"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=house.directory,
        )
    assert done.returncode == EXIT_UNAVAILABLE
    assert done.stderr == "the output could not be written: No space left on device\n"
    command = " ".join((*PROGRAM, "history", "export", "--step", "quarter"))
    done = subprocess.run(
        ["sh", "-c", f"{command} | head -1"], capture_output=True, text=True, check=False, cwd=house.directory
    )
    assert (done.stdout[:9], done.stderr) == ("start,end", "")
