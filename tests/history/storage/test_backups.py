"""Backups are whole or not there, are made while somebody writes, and come back only where nobody does."""

from __future__ import annotations

import os
import shutil
import sqlite3
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.history.errors import (
    DamagedHistoryError,
    HistoryBusyError,
    NewerHistoryError,
    NoHistoryError,
)
from smart_meter_reader.history.places import backup_file, backups
from smart_meter_reader.history.questions.bars import between
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.rows import CounterRow
from smart_meter_reader.history.storage.backups import BackupStoppedError, back_up, prune, restore
from smart_meter_reader.history.storage.checking import problems
from smart_meter_reader.history.storage.store import Store
from tests.history.homes import energy, keep

T0 = 1_767_222_000
NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def filled(path: Path, until: int = 100) -> Path:
    path.parent.mkdir(exist_ok=True)
    keep(path, [energy(T0 + 900 * number, Decimal(number)) for number in range(until + 1)])
    return path


def counted(path: Path) -> int:
    with History(path) as history:
        difference = between(history.counter("heat", "heat_energy"), T0, T0 + 10**6).difference
    assert difference is not None
    return int(difference)


def files(directory: Path) -> list[str]:
    """What lies there, but for the logs that those who only read leave behind."""
    return sorted(each.name for each in directory.iterdir() if not each.name.endswith(("-wal", "-shm")))


def test_a_backup_is_the_history_of_that_moment_though_somebody_writes(tmp_path: Path) -> None:
    path, target = filled(tmp_path / "home.history.sqlite"), tmp_path / "copy"
    store = Store(path)
    store.open()
    store.write([CounterRow("heat", "heat_energy", "kWh", T0 + 10**5, Decimal(150))])
    back_up(path, target)
    store.write([CounterRow("heat", "heat_energy", "kWh", T0 + 2 * 10**5, Decimal(190))])
    store.close()
    assert (counted(target), counted(path)) == (150, 190)
    assert problems(target) == []
    assert target.stat().st_mode & 0o777 == 0o600
    assert files(tmp_path) == ["copy", "home.history.sqlite"]


def test_a_backup_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    path = filled(tmp_path / "home.history.sqlite")
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO counter WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000)"
            " SELECT 1, i, i, 0 FROM n"
        )
    connection.close()
    heard: list[float] = []

    def stop(share: float) -> bool:
        heard.append(share)
        return len(heard) > 2

    with pytest.raises(BackupStoppedError):
        back_up(path, tmp_path / "copy", stop)
    assert len(heard) == 3
    assert files(tmp_path) == ["home.history.sqlite"]
    assert heard == sorted(heard)
    assert heard[-1] <= 1


def test_without_room_or_history_there_is_no_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoHistoryError):
        back_up(tmp_path / "home.history.sqlite", tmp_path / "copy")
    path = filled(tmp_path / "home.history.sqlite")
    usage = shutil.disk_usage(tmp_path)
    short = usage._replace(free=3 * path.stat().st_size - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: short)
    with pytest.raises(HistoryBusyError, match="make room, or choose another directory"):
        back_up(path, tmp_path / "copy")
    assert files(tmp_path) == ["home.history.sqlite"]


def test_the_newest_backups_stay_and_nothing_else_goes(tmp_path: Path) -> None:
    path = filled(tmp_path / "home.history.sqlite")
    made = [backup_file(path, NOW.replace(second=second)) for second in range(4)]
    mine = tmp_path / "home.history.backup-mine.txt"
    left = tmp_path / ".home.history.backup-20260101-000000.sqlite.part"
    young = tmp_path / ".home.history.backup-20260203-000000.sqlite.part"
    for each in (*made, mine, left, young):
        each.write_text("x")
    os.utime(left, (0, 0))
    assert prune(path, 0) == []
    assert prune(path, 2) == made[:2]
    assert backups(path) == made[2:]
    assert mine.exists()
    assert (left.exists(), young.exists()) == (False, True)


def test_a_restored_history_goes_on_and_the_other_one_stays(tmp_path: Path) -> None:
    path, target = filled(tmp_path / "home.history.sqlite"), tmp_path / "copy"
    back_up(path, target)
    keep(path, [energy(T0 + 10**5, "500")])
    aside = restore(target, path, NOW)
    assert aside == tmp_path / "home.history.sqlite.before-restore-20260203-040506"
    assert (counted(path), counted(aside), counted(target)) == (100, 500, 100)
    assert path.stat().st_mode & 0o777 == 0o600
    keep(path, [energy(T0 + 10**5, "120")])
    assert (counted(path), counted(target)) == (120, 100)


def test_a_history_is_restored_where_there_is_none_or_a_damaged_one(tmp_path: Path) -> None:
    path, target = filled(tmp_path / "home.history.sqlite"), tmp_path / "copy"
    back_up(path, target)
    elsewhere = tmp_path / "new" / "home.history.sqlite"
    elsewhere.parent.mkdir()
    # A log of a history that somebody has deleted would be written into the new one.
    shutil.copy(path, elsewhere)
    store = Store(elsewhere)
    store.open()
    store.write([CounterRow("heat", "heat_energy", "kWh", T0 + 10**5, Decimal(777))])
    shutil.copy(elsewhere.with_name(f"{elsewhere.name}-wal"), tmp_path / "log")
    store.close()
    elsewhere.unlink()
    shutil.move(tmp_path / "log", elsewhere.with_name(f"{elsewhere.name}-wal"))
    assert restore(target, elsewhere, NOW) is None
    assert counted(elsewhere) == 100
    path.write_bytes(b"nothing of the kind" * 100)
    aside = restore(target, path, NOW)
    assert aside is not None
    assert aside.read_bytes().startswith(b"nothing")
    assert counted(path) == 100


def test_what_is_no_sound_backup_changes_nothing(tmp_path: Path) -> None:
    path = filled(tmp_path / "home.history.sqlite")
    before = path.read_bytes()
    other = tmp_path / "other"
    other.write_bytes(b"text" * 1000)
    cut = tmp_path / "cut"
    cut.write_bytes(before[: len(before) // 2])
    newer = tmp_path / "newer"
    shutil.copy(path, newer)
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for wrong, error in (
        (other, DamagedHistoryError),
        (cut, DamagedHistoryError),
        (newer, NewerHistoryError),
    ):
        with pytest.raises(error):
            restore(wrong, path, NOW)
    assert path.read_bytes() == before


def test_a_history_in_use_is_not_replaced(tmp_path: Path) -> None:
    path, target = filled(tmp_path / "home.history.sqlite"), tmp_path / "copy"
    back_up(path, target)
    store = Store(path)
    store.open()
    with pytest.raises(HistoryBusyError, match="is in use, and nothing was changed"):
        restore(target, path, NOW)
    store.write([CounterRow("heat", "heat_energy", "kWh", T0 + 10**5, Decimal(150))])
    store.close()
    assert counted(path) == 150
    assert files(tmp_path) == ["copy", "home.history.sqlite"]


def test_a_restore_that_is_stopped_changes_nothing(tmp_path: Path) -> None:
    path, target = filled(tmp_path / "home.history.sqlite"), tmp_path / "copy"
    back_up(path, target)
    keep(path, [energy(T0 + 10**5, "500")])
    with pytest.raises(BackupStoppedError):
        restore(target, path, NOW, lambda _: True)
    assert counted(path) == 500
    assert files(tmp_path) == ["copy", "home.history.sqlite"]
