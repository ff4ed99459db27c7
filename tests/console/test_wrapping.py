"""Sentences on a terminal and elsewhere: broken between words here, whole there."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from smart_meter_reader.console.wrapping import wrapped
from tests.cli.program import PROGRAM, ROOT, run

SETTINGS = '[home.meters.heat]\nclient = "kamstrup"\ninterval = "every now and then"\n[home.sinks.stdout]\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "config.py").write_text((ROOT / "config.py").read_text())
    (tmp_path / "settings.toml").write_text(SETTINGS)
    return tmp_path


def on_terminal(columns: int, *arguments: str, cwd: Path) -> list[str]:
    """What a command shows on a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    variables = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=cwd,
        env={**variables, "PYTHONPATH": str(ROOT)},
    ) as process:
        os.close(theirs)
        shown = b""
        while piece := read(ours):
            shown += piece
        process.wait(30)
    os.close(ours)
    return shown.decode().splitlines()


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side has closed it
        return b""


@pytest.mark.parametrize("columns", [60, 80, 132])
def test_a_terminal_gets_lines_that_end_between_words(columns: int, home: Path) -> None:
    whole = run("check", cwd=home).stderr.splitlines()
    assert max(map(len, whole)) > 132
    lines = on_terminal(columns, "check", cwd=home)
    assert max(map(len, lines)) <= columns
    assert "\n".join(lines).replace("\n  ", " ") == "\n".join(whole)


@pytest.mark.parametrize("columns", [60, 80])
def test_a_log_line_on_a_terminal_ends_between_words_and_elsewhere_at_its_end(
    columns: int, home: Path
) -> None:
    (home / "settings.toml").write_text(
        '[home.meters.heat]\nclient = "kamstrup"\nport = "/dev/serial/by-id/none"\nretries = 0\n'
        '[home.sinks.stdout]\nmessages = ["reading"]\n'
    )
    (whole,) = [line for line in run("run", "--once", cwd=home).stderr.splitlines() if " WARNING " in line]
    assert len(whole) > 80
    lines = on_terminal(columns, "run", "--once", cwd=home)
    assert max(map(len, lines)) <= columns
    assert whole[9:] in "\n".join(lines).replace("\n         ", " ")


def test_the_table_of_registers_fits_a_terminal(home: Path) -> None:
    whole = run("registers", "--model", "403", cwd=home).stdout.splitlines()
    assert max(map(len, whole)) > 80
    lines = on_terminal(80, "registers", "--model", "403", cwd=home)
    assert max(map(len, lines)) <= 80
    told = " ".join(" ".join(lines).split())
    assert "60 heat_energy energy models: 302 303/603 402 403 601 602 801; proven on: 403; also" in told


def test_what_has_no_blank_is_never_cut() -> None:
    path = "/dev/serial/by-id/usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0001-if00-port0"
    assert wrapped(f"the port {path} is gone", 40) == f"the port\n  {path}\n  is gone"
