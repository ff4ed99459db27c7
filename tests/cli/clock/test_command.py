"""`clock` as a process: both clocks, what their difference means, and setting the meter's."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.cli.program import HURRIED, PROGRAM, ROOT, emulated, run
from tests.peers.terminal import CTRL_C, at_terminal
from tests.test_architecture import nodes_of

QUICK = ("kamstrup", "--baud", "0", "--delay", "0", "--zone", "Europe/Vienna")
VIENNA = ("--zone", "Europe/Vienna")
SERIAL = "88334095"
# The emulated clock goes when the meter is first asked, and says then what time it was at the start.
ROOM = 10
PACKAGE = ROOT / "smart_meter_reader"


def seconds_told(text: str) -> int:
    """How far the meter's clock is ahead, by the last line that tells it."""
    ahead = re.findall(r"^drift +the meter's clock is (?:(\d+) s (ahead|behind)|right)", text, re.MULTILINE)
    count, word = ahead[-1]
    return int(count or 0) * (-1 if word == "behind" else 1)


@pytest.mark.parametrize(
    ("drift", "meaning"),
    [
        (0, "Its hours are right"),
        (30, "Its hours are right"),
        (-190, "begins and ends 3 min after the true one"),
        (7200, "give the zone by --zone"),
    ],
)
def test_it_tells_the_drift_and_what_it_means(drift: int, meaning: str) -> None:
    with emulated(*QUICK, "--drift", str(drift)) as port:
        done = run("clock", port, *VIENNA)
    assert done.returncode == 0
    assert abs(seconds_told(done.stdout) - drift) <= ROOM
    assert [line.split("  ")[0] for line in done.stdout.splitlines()] == ["meter", "this computer", "drift"]
    assert meaning in done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_setting_it_takes_the_serial_number_typed_at_a_terminal() -> None:
    with emulated(*QUICK, "--drift", "400") as port:
        command = [*PROGRAM, "clock", port, *VIENNA, "--set"]
        left = at_terminal(command, [("leaves it", "y\n")])
        before = run("clock", port, *VIENNA)
        screen = at_terminal(command, [("leaves it", f"{SERIAL}\n")])
        after = run("clock", port, *VIENNA)
    assert left.returncode == 69
    assert "the clock is left as it is" in left.text
    assert abs(seconds_told(before.stdout) - 400) <= ROOM
    told = " ".join(screen.text.split())
    assert screen.returncode == 0
    for consequence in (
        "stamps of its loggers then overlap",
        "Searches in its loggers by time",
        "change of a sealed meter",
        "standard time, without summer time",
        "; it was 400 s ahead",
    ):
        assert re.search(re.escape(consequence).replace("400", r"\d+"), told), consequence
    assert abs(seconds_told(after.stdout)) <= 1


def test_a_meter_that_does_not_take_it_is_told_so() -> None:
    with emulated(*QUICK, "--drift", "-400", "--fault", "unset") as port:
        screen = at_terminal([*PROGRAM, "clock", port, *VIENNA, "--set"], [("leaves it", f"{SERIAL}\n")])
    assert screen.returncode == 69
    assert "did not acknowledge the command" in screen.text


def test_ctrl_c_at_the_question_sets_nothing() -> None:
    with emulated(*QUICK, "--drift", "400") as port:
        screen = at_terminal([*PROGRAM, "clock", port, *VIENNA, "--set"], [("leaves it", CTRL_C)])
        after = run("clock", port, *VIENNA)
    assert screen.returncode == 130
    assert abs(seconds_told(after.stdout) - 400) <= ROOM


def test_nobody_sets_it_without_a_terminal() -> None:
    with emulated(*QUICK) as port:
        done = run("clock", port, "--set", feed=f"{SERIAL}\n".encode())
    assert (done.returncode, done.stdout) == (64, "")
    assert "run it at a terminal" in done.stderr


def test_a_66c_tells_its_clock_and_cannot_be_set() -> None:
    model = ("--client", "iec62056_21", "--setting", "model=multical_66c")
    with emulated("multical_66c", "--baud", "0") as port:
        done = run("clock", port, *model)
        screen = at_terminal([*PROGRAM, "clock", port, *model, "--set"], [])
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("meter ")
    assert screen.returncode == 69
    assert "cannot be set" in screen.text


def test_a_meter_that_does_not_answer_is_unavailable() -> None:
    with emulated(*QUICK, "--fault", "drop,echo") as port:
        done = run("clock", port, "--client", "kamstrup", program=HURRIED)
    assert (done.returncode, done.stdout) == (69, "")
    assert "does not answer" in done.stderr


@cache
def names_in(path: Path) -> set[str]:
    """Every name and attribute that a file uses, and what it imports."""
    found: set[str] = set()
    for node in nodes_of(path):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                found.add(name)
            case ast.ImportFrom(names=names):
                found |= {name.name for name in names}
            case _:
                pass
    return found


def users_of(name: str) -> set[str]:
    return {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if name in names_in(path)}


@pytest.mark.xdist_group("architecture")
def test_nothing_but_this_command_leads_to_a_request_that_writes() -> None:
    assert users_of("encode_set_clock") == {"meters/kmp/clock.py"}
    assert users_of("SETTING_THE_CLOCK") == {"codecs/kmp/set_clock.py", "codecs/kmp/commands.py"}
    assert {path for path in users_of("set_clock") if "p1/" not in path} == {"meters/kmp/clock.py"}
    assert users_of("open_clock") == set(), "it is reached by the record of the family alone"
    families = {"meters/kmp/__init__.py", "meters/iec62056_21/__init__.py"}
    texts = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if ":open_clock" in path.read_text(encoding="utf-8")
    }
    assert texts == families
    takers = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if re.search(r"meter_driver\(\w+\)\.clock\b", path.read_text(encoding="utf-8"))
    }
    assert takers == {"cli/clock/command.py"}
