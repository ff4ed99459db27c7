"""`logs` as a process at emulated meters: what it tells, what it prints, and how it ends."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import signal
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.cli.program import PROGRAM, emulated, run
from tests.peers.ser2net import ser2net
from tests.peers.terminal import at_terminal

QUICK = ("kamstrup", "--baud", "0", "--delay", "0", "--zone", "Europe/Vienna")
VIENNA = ("--zone", "Europe/Vienna")
ZONE = ZoneInfo("Europe/Vienna")


def today() -> date:
    """By the meter's clock, which keeps standard time."""
    return datetime.now(timezone(timedelta(hours=1))).date()


def local(day: date, hour: int = 0) -> str:
    """A full hour of the house, as a table shows it."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).isoformat(" ", "minutes")


def winter_midnight(day: date) -> str:
    """The midnight at which a meter logs, which keeps standard time: 01:00 in summer."""
    at = datetime(day.year, day.month, day.day, tzinfo=timezone(timedelta(hours=1)))
    return at.astimezone(ZONE).isoformat(" ", "minutes")


def test_without_a_logger_it_tells_which_there_are_and_shows_a_month_of_days() -> None:
    with emulated(*QUICK) as port:
        done = run("logs", port, *VIENNA)
    assert done.returncode == 0
    newest = winter_midnight(today())
    assert re.search(rf"  day +460 of 460  \S+ \S+  {re.escape(newest)}", done.stderr)
    assert "  hour    72 of 72 " in done.stderr
    assert "reading the newest 31 of 460 entries of its day logger: 5 to 9 s of the line" in done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["time", "heat_energy", "volume"]
    assert len(lines) == 2 + 31
    assert lines[-1].startswith(newest)
    assert max(map(len, lines)) <= 80


def test_hours_of_a_part_of_a_day_have_their_offset_and_none_is_missing() -> None:
    day = today() - timedelta(days=1)
    with emulated(*QUICK) as port:
        done = run(
            *("logs", port, *VIENNA, "--logger", "hour"),
            *("--since", str(day), "--until", f"{day}T{23:02}:00"),
        )
    times = [datetime.fromisoformat(line[:22]) for line in done.stdout.splitlines()[2:]]
    assert times[0] == datetime.fromisoformat(local(day))
    assert times[-1] == datetime.fromisoformat(local(day, 23))
    steps = {after.astimezone(UTC) - before.astimezone(UTC) for before, after in pairwise(times)}
    assert steps == {timedelta(hours=1)}


@pytest.mark.parametrize("limit", [("--answer-limit", "128"), ("--answer-limit", "256"), ()])
def test_whatever_fits_into_an_answer_the_entries_are_the_same(limit: tuple[str, ...]) -> None:
    with emulated(*QUICK, *limit) as port:
        since = today() - timedelta(days=87)
        done = run("logs", port, *VIENNA, "--logger", "day", "--since", str(since), "--json")
    rows = [json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines()]
    assert len(rows) == 88
    numbers = [row["log_id"] for row in rows]
    assert numbers == list(range(numbers[0], numbers[0] + len(rows)))
    assert rows[0]["measured_at"] == f"{since - timedelta(days=1)}T23:00:00Z"
    assert rows[0]["meter_time"] == f"{since}T00:00:04"
    energies = [row["measurements"]["heat_energy"]["value"] for row in rows]
    assert energies == sorted(energies)
    assert energies[0] < energies[-1]


def test_a_row_of_csv_for_each_value_as_an_import_takes_it() -> None:
    with emulated(*QUICK) as port:
        done = run("logs", port, *VIENNA, "--logger", "year", "--registers", "60", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert rows[-1].keys() == {"time", "quantity", "value", "unit", "logger", "log_id", "meter_time"}
    assert rows[-1]["time"] == f"{today().year}-01-01T00:00:00+01:00"
    assert (rows[-1]["quantity"], rows[-1]["unit"]) == ("heat_energy", "GJ")


def test_the_info_logger_is_told_in_words() -> None:
    with emulated(*QUICK) as port:
        done = run("logs", port, *VIENNA, "--logger", "info")
    assert "flow sensor V1: signal" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("none")


def test_more_columns_than_a_terminal_has_come_in_a_second_table() -> None:
    wanted = "60,68,86,87,74,80"
    with emulated(*QUICK) as port:
        done = run("logs", port, *VIENNA, "--logger", "hour", "--registers", wanted)
    first, second = done.stdout.split("\n\n")
    assert first.splitlines()[0].split() == ["time", "heat_energy", "volume", "flow_temperature"]
    assert second.splitlines()[0].split() == ["time", "return_temperature", "volume_flow", "power"]
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_hours_of_a_logger_module() -> None:
    with emulated(*QUICK, "--model", "601", "--module", "base") as port:
        done = run("logs", port, *VIENNA)
        other = run("logs", port, *VIENNA, "--logger", "month")
    assert len(done.stdout.splitlines()) == 2 + 48
    assert (other.returncode, other.stdout) == (69, "")
    assert "has no logger month; it has: hour" in other.stderr


def test_days_of_a_66c_which_is_found_by_its_answer(tmp_path: Path) -> None:
    with emulated("multical_66c", "--baud", "0") as port:
        done = run(
            *("logs", port, *VIENNA, "--client", "iec62056_21", "--set", "model=multical_66c"),
            *("--logger", "month"),
        )
    assert done.returncode == 0, done.stderr
    assert "MULTICAL 66-CDE, customer number" in done.stderr
    assert "heat_energy" in done.stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("meter", "asked", "said"),
    [
        (("--model", "402"), (), "answers, but not when it is asked for its loggers"),
        (("--model", "402"), ("--logger", "day"), "answers, but not when it is asked for its day logger"),
        ((), ("--logger", "minutes"), "has no logger minutes; it has: "),
        (("--fault", "empty"), ("--logger", "day"), "its day logger is empty"),
        ((), ("--logger", "day", "--until", "2020-01-01"), "there are no entries to show"),
        ((), ("--logger", "day", "--registers", "175"), "the day logger does not keep error_hour"),
    ],
)
def test_it_says_why_there_is_nothing(meter: tuple[str, ...], asked: tuple[str, ...], said: str) -> None:
    with emulated(*QUICK, *meter) as port:
        done = run("logs", port, *VIENNA, "--client", "kamstrup", *asked)
    assert said in done.stderr
    if "175" not in asked:
        assert (done.returncode, done.stdout) == (69, "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--registers", "haet_energy"), "haet_energy"),
        (("--since", "yesterday"), "yesterday is no time"),
        (("--since", "2026-03-02", "--until", "2026-02-01"), "--until is before --since"),
        (("--zone", "Europe/Atlantis"), "knows no zone Europe/Atlantis"),
        (("--logger", "week"), "week"),
    ],
)
def test_wrong_use_is_told_before_the_port_is_opened(options: tuple[str, ...], said: str) -> None:
    done = run("logs", "/dev/serial/by-id/none", *options)
    assert (done.returncode, done.stdout) == (64, "")
    assert said in done.stderr


def test_a_port_that_is_not_there_is_unavailable() -> None:
    done = run("logs", "/dev/serial/by-id/none")
    assert (done.returncode, done.stdout) == (69, "")
    assert "/dev/serial/by-id/none" in done.stderr


def test_ctrl_c_keeps_what_has_come_whole() -> None:
    slow = ("kamstrup", "--baud", "0", "--delay", "0.3")
    with emulated(*slow, "--answer-limit", "128") as port:
        command = [*PROGRAM, "logs", port, *VIENNA, "--logger", "day", "--since", "2025-01-01"]
        screen = at_terminal(command, [("day: 12 of", signal.SIGINT)])
    assert screen.returncode == 130
    told = screen.text[screen.text.index("interrupted: the ") :]
    count = int(told.split()[2])
    assert count >= 12
    rows = [line for line in told.splitlines() if line.startswith("202")]
    assert len(rows) == count
    assert "\x1b[K" in screen.text, "the line that changed is gone"


def test_a_table_that_comes_whole_is_shown_whole() -> None:
    with emulated("multical_66c", "--baud", "0") as port:
        done = run("logs", port, *VIENNA, "--client", "iec62056_21", "--set", "model=multical_66c")
    assert "reading 60 entries of its day logger" in done.stderr
    assert len([line for line in done.stdout.splitlines() if line.startswith("20")]) % 60 == 0


def test_ctrl_c_keeps_the_lines_of_a_table_that_have_come() -> None:
    with emulated("multical_66c") as port:  # at its own pace: 18 s for the months
        command = [
            *(*PROGRAM, "logs", port, *VIENNA, "--client", "iec62056_21"),
            *("--set", "model=multical_66c", "--logger", "month"),
        ]
        screen = at_terminal(command, [("month: 6 of 31", signal.SIGINT)])
    with emulated("multical_66c", "--baud", "0") as port:  # that one still sends its table
        command[len(PROGRAM) + 1] = port
        whole = run(*command[len(PROGRAM) :])
    assert screen.returncode == 130
    told = screen.text[screen.text.index("interrupted: the ") :]
    count = int(told.split()[2])
    assert 6 <= count < 31
    rows = [line.split() for line in told.splitlines() if line.startswith("20")]
    all_of_them = [line.split() for line in whole.stdout.splitlines() if line.startswith("20")]
    # In tables beside each other; the first has the energy. The other meter began later: last digits differ.
    for got, expected in zip(rows[:count], all_of_them[31 - count : 31], strict=True):
        assert got[:2] == expected[:2]
        for value, other in zip(got[2:], expected[2:], strict=True):
            assert abs(Decimal(value) - Decimal(other)) <= Decimal("0.01")


def test_ctrl_c_before_anything_came_prints_nothing() -> None:
    with emulated(*QUICK, "--fault", "drop") as port:
        command = [*PROGRAM, "logs", port, "--client", "kamstrup"]
        screen = at_terminal(command, [("asking the meter", signal.SIGINT)])
    assert screen.returncode == 130
    assert "interrupted before an entry had come" in screen.text


async def test_over_a_serial_server(tmp_path: Path) -> None:
    with emulated(*QUICK) as port:
        async with ser2net(port, tmp_path, accepter="tcp") as address:
            done = await asyncio.to_thread(
                run, "logs", f"socket://{address}", *VIENNA, "--logger", "month", "--json"
            )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 36
