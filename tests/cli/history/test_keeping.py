"""`history backup`, `restore` and `check` as users call them: beside a service, and interrupted."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from decimal import Decimal
from pathlib import Path

from smart_meter_reader.history.places import backups
from smart_meter_reader.messages import Message
from tests.cli.history.houses import house
from tests.cli.program import QUICKLY, ROOT, run
from tests.history.homes import energy, status
from tests.peers.imported import number_of

NOW = int(time.time()) // 900 * 900


def day() -> list[Message]:
    return [energy(NOW - 900 * back, Decimal(100 - back)) for back in range(96, -1, -1)]


def test_the_newest_two_backups_stay(tmp_path: Path) -> None:
    path = house(tmp_path, day())
    old = [path.with_name(f"home.history.backup-2020010{number}-000000.sqlite") for number in (1, 2)]
    for each in old:
        each.write_text("old")
    done = run("history", "backup", "home", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "is deleted: --keep says how many stay" in done.stdout
    kept = backups(path)
    assert kept[0] == old[1]
    assert len(kept) == 2
    elsewhere = run("history", "backup", "-o", "copy.sqlite", cwd=tmp_path)
    assert (elsewhere.returncode, backups(path)) == (0, kept)
    again = run("history", "backup", "-o", "copy.sqlite", cwd=tmp_path)
    assert again.returncode == 64
    assert "copy.sqlite exists: choose another name" in again.stderr


def test_a_backup_comes_back_and_the_other_history_is_set_aside(tmp_path: Path) -> None:
    path = house(tmp_path, day())
    assert run("history", "backup", "-o", "copy.sqlite", cwd=tmp_path).returncode == 0
    path.write_bytes(b"gone" * 5000)
    done = run("history", "restore", "copy.sqlite", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "The one before is set aside as home.history.sqlite.before-restore-" in done.stdout
    shown = run("history", "show", "heat", "--period=all", cwd=tmp_path)
    assert "96 kWh" in shown.stdout


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    path = house(tmp_path, day())
    done = run("history", "restore", "settings.toml", cwd=tmp_path)
    assert done.returncode == 65
    assert "settings.toml is no sound backup, and nothing was changed" in done.stderr
    done = run("history", "restore", str(path), cwd=tmp_path)
    assert (done.returncode, "is the history itself" in done.stderr) == (64, True)


def test_beside_a_service_a_backup_is_made_and_none_restored(tmp_path: Path) -> None:
    path = house(tmp_path, day())
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path / "xdg")}
    service = subprocess.Popen(
        [*QUICKLY, "run"], cwd=tmp_path, env=surroundings, stderr=subprocess.PIPE, text=True
    )
    try:
        assert service.stderr is not None
        for line in service.stderr:
            if "heat is online" in line:
                break
        environment = {"XDG_STATE_HOME": str(tmp_path / "xdg")}
        made = run("history", "backup", "-o", "copy.sqlite", cwd=tmp_path, environment=environment)
        assert made.returncode == 0
        refused = run("history", "restore", "copy.sqlite", cwd=tmp_path, environment=environment)
        assert refused.returncode == 69
        assert (
            f"is run by process {number_of(service.pid)}, and nothing was changed: stop it first"
            in refused.stderr
        )
        # Somebody else's eyes: the lock of the environment is elsewhere, the file is in use all the same.
        other = {"XDG_STATE_HOME": str(tmp_path / "other")}
        in_use = run("history", "restore", "copy.sqlite", cwd=tmp_path, environment=other)
        assert in_use.returncode == 69
        assert "is in use, and nothing was changed: stop the service" in in_use.stderr
    finally:
        service.send_signal(signal.SIGTERM)
        service.communicate(timeout=20)
    assert run("history", "restore", "copy.sqlite", cwd=tmp_path).returncode == 0
    assert path.exists()


def test_ctrl_c_ends_a_backup_and_leaves_nothing(tmp_path: Path) -> None:
    path = house(tmp_path, day())
    connection = sqlite3.connect(path)
    connection.execute(
        "INSERT INTO counter WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000000)"
        " SELECT 1, i, i, 0 FROM n"
    )
    connection.commit()
    connection.close()
    command = subprocess.Popen(
        [*QUICKLY, "history", "backup"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not any(part.stat().st_size for part in path.parent.glob(".*.part")):
        assert command.poll() is None, command.communicate()
        time.sleep(0.001)
    command.send_signal(signal.SIGINT)
    _, errors = command.communicate(timeout=30)
    assert (command.returncode, errors) == (130, "stopped; nothing was changed\n")
    assert {each.name for each in path.parent.iterdir()} <= {
        path.name,
        f"{path.name}-wal",
        f"{path.name}-shm",
    }


def test_ctrl_c_ends_a_check(tmp_path: Path) -> None:
    path = house(tmp_path, day())
    connection = sqlite3.connect(path)
    connection.execute(
        "INSERT INTO counter WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000)"
        " SELECT 1, i, i, 0 FROM n"
    )
    connection.commit()
    connection.close()
    command = subprocess.Popen(
        [*QUICKLY, "history", "check"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # It has the file open: the reading of it has begun.
    while not any(path.name in link for link in _open_files(number_of(command.pid))):
        assert command.poll() is None, command.communicate()
        time.sleep(0.001)
    command.send_signal(signal.SIGINT)
    output, errors = command.communicate(timeout=30)
    assert (command.returncode, output, errors) == (130, "", "")


def _open_files(process: int) -> list[str]:
    found = []
    for link in Path(f"/proc/{process}/fd").iterdir():
        try:
            found.append(str(link.readlink()))
        except FileNotFoundError:
            continue
    return found


def test_check_tells_size_time_and_gaps(tmp_path: Path) -> None:
    messages: list[Message] = [
        *day()[:20],
        status(NOW - 900 * 76, "meter_silent", state="offline"),
        *day()[40:],
    ]
    house(tmp_path, messages)
    done = run("history", "check", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    first, second, third, last = done.stdout.splitlines()
    assert first.startswith("state/home.history.sqlite: 0.1 MB, 0 backups beside it")
    assert second.startswith("  heat: ")
    assert second.endswith(", 1 quantities, 77 values")
    assert third.startswith("    not read from ")
    assert third.endswith(": because of meter_silent")
    assert last == "All is well."


def test_check_finds_a_fall_and_a_damaged_file(tmp_path: Path) -> None:
    path = house(tmp_path, day())
    connection = sqlite3.connect(path)
    connection.execute("UPDATE counter SET value = 5000 WHERE value = 50")
    connection.commit()
    connection.close()
    done = run("history", "check", cwd=tmp_path)
    assert done.returncode == 65
    assert "heat, heat_energy: falls from 5000 to 51 kWh" in done.stderr
    assert "All is well" not in done.stdout
    assert run("history", "backup", cwd=tmp_path).returncode == 0
    path.write_bytes(path.read_bytes()[:5000] + b"\xff" * 20_000)
    damaged = run("history", "check", cwd=tmp_path)
    assert damaged.returncode == 65
    assert f"the newest backup is {backups(path)[0].relative_to(path.parents[1])}" in damaged.stderr
