"""The sink's own backups: when one is due, that two stay, and that what goes wrong is only told."""

from __future__ import annotations

import logging
import os
import shutil
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.history.places import backups
from smart_meter_reader.history.storage.checking import problems
from smart_meter_reader.sinks.history.regular_backups import RegularBackups
from smart_meter_reader.sinks.history.sink import HistorySink
from tests.history.homes import energy, keep
from tests.peers.feed import until
from tests.sinks.history.test_sink import path_in, running, settings

WEEK = timedelta(days=7)
NOW = int(time.time())


def filled(directory: Path, days: int) -> Path:
    path = path_in(directory)
    keep(path, [energy(NOW - 86400 * back, Decimal(days - back)) for back in range(days, -1, -1)])
    return path


def age(path: Path, days: float) -> None:
    os.utime(path, (NOW - days * 86400, NOW - days * 86400))


def made(path: Path, every: timedelta = WEEK, *, stops: bool = False) -> list[Path]:
    RegularBackups("history", path, every, lambda: stops).make_when_due()
    return backups(path)


def test_a_backup_is_made_when_the_history_is_a_week_old_and_each_week_again(tmp_path: Path) -> None:
    young = filled(tmp_path / "young", 6)
    assert made(young) == []
    path = filled(tmp_path / "old", 8)
    (first,) = made(path)
    assert problems(first) == []
    assert made(path) == [first]
    age(first, 6.9)
    assert made(path) == [first]
    # Its name is of this very second, as the next one's would be.
    first = first.rename(first.with_name(first.name.replace("backup-20", "backup-19")))
    age(first, 7.1)
    assert len(made(path)) == 2
    assert made(path, timedelta(0)) == backups(path)


def test_the_newest_two_stay(tmp_path: Path) -> None:
    path = filled(tmp_path, 30)
    old = [path.with_name(f"home.history.backup-2020010{number}-000000.sqlite") for number in (1, 2, 3)]
    for each in old:
        each.write_text("old")
        age(each, 8)
    assert made(path)[0] == old[2]
    assert len(backups(path)) == 2


def test_without_room_it_is_told_once_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = filled(tmp_path, 30)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    regular = RegularBackups("history", path, WEEK, lambda: False)
    regular.make_when_due()
    regular.make_when_due()
    (told,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "sink history: no backup of the history: a copy of" in told.message
    assert backups(path) == []


async def test_the_sink_makes_it_after_it_has_written(tmp_path: Path) -> None:
    path = filled(tmp_path, 30)
    sink = HistorySink("history", settings(tmp_path, write_every=timedelta(seconds=1)))
    async with running(sink) as queue:
        queue.put(energy(NOW, Decimal(100)), energy(NOW + 1, Decimal(101)))
        await until(lambda: backups(path))
    assert problems(backups(path)[0]) == []
