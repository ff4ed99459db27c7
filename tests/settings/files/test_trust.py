"""Settings that other users can change: root does not run their config.py, others are warned."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.settings.files.trust import examine_owners
from tests.peers.owners import give_away

ROOT = Path(__file__).parents[3]
NAMES = ("config.py", "settings.toml", ".secrets.toml")
SETTINGS = '[house.meters.heat]\nclient = "dummy"\n[house.sinks.stdout]\n'


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "settings"
    path.mkdir()
    shutil.copy(ROOT / "config.py", path)
    with (path / "config.py").open("a") as file:
        file.write(f"Path({str(tmp_path / 'it-ran')!r}).touch()\n")
    (path / "settings.toml").write_text(SETTINGS)
    (path / ".secrets.toml").write_text("")
    (path / ".secrets.toml").chmod(0o600)
    return path


def command(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-m", "smart_meter_reader", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
        timeout=60,
    )


def problems(directory: Path) -> list[str]:
    """What root says, whoever runs the tests."""
    with pytest.raises(SettingsError) as raised:
        examine_owners(directory, NAMES, user=0)
    return list(raised.value.problems)


@pytest.mark.parametrize("name", NAMES)
def test_root_refuses_each_file_of_somebody_else_s(directory: Path, name: str) -> None:
    give_away(directory / name)
    said = "\n".join(problems(directory))
    assert f"{directory / name} can be changed by user " in said or os.geteuid() != 0
    assert "and root would do what it says" in said


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["writable", "link"])
def test_every_file_that_others_can_exchange_is_told(directory: Path, name: str, kind: str) -> None:
    path = directory / name
    if kind == "link":
        there = directory.parent / "open"
        there.mkdir()
        path.rename(there / name)
        path.symlink_to(there / name)
        there.chmod(0o777)
        expected = f"{there} can be changed by every user"
    else:
        path.chmod(0o666)
        expected = f"{path} can be changed by every user"
    if os.geteuid() == 0:
        assert any(line.startswith(expected) for line in problems(directory))
    else:
        assert any(line.startswith(expected) for line in examine_owners(directory, NAMES))


COMMANDS = [
    ["check", "house"],
    ["run", "house", "--once"],
    ["doctor", "house", "--no-meter"],
    ["diagnose", "house", "--output", "report.txt", "--timeout", "1"],
    ["mqtt", "preview", "house"],
    ["mqtt", "test", "house"],
    ["mqtt", "clear", "heat", "house"],
]


@pytest.mark.parametrize("line", COMMANDS, ids=lambda line: " ".join(line[:2]))
@pytest.mark.parametrize("of", ["config.py", "the directory"])
def test_no_command_runs_a_program_that_others_can_change_without_a_word(
    directory: Path, line: list[str], of: str
) -> None:
    place = directory if of == "the directory" else directory / of
    place.chmod(0o777)
    give_away(place)
    result = command(directory, *line)
    said = result.stdout + result.stderr
    if os.geteuid() == 0:
        refusal = (
            "the settings cannot be used" if line[0] == "diagnose" else f"{place} can be changed by user "
        )
        assert refusal in said
        assert not (directory.parent / "it-ran").exists()
        assert result.returncode == 78
    elif line[0] in ("check", "run", "doctor"):
        assert f"{place} can be changed by every user" in said


def test_root_does_not_wait_for_a_pipe_that_somebody_put_there(directory: Path) -> None:
    (directory / "settings.toml").unlink()
    os.mkfifo(directory / "settings.toml")
    give_away(directory / "settings.toml")
    assert any("settings.toml" in line or os.geteuid() != 0 for line in problems(directory))
    if os.geteuid() == 0:
        assert command(directory, "check", "house").returncode == 78


def test_one_s_own_settings_are_no_reason_for_a_word(directory: Path) -> None:
    result = command(directory, "check", "house")
    assert (result.returncode, result.stderr) == (0, "")
    assert (directory.parent / "it-ran").exists()
