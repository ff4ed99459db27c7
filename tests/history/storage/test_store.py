"""The file survives what disks, power cuts, people and other versions do to it."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.history.errors import (
    DamagedHistoryError,
    DamagedRecentError,
    HistoryBusyError,
    HistoryError,
    MovedHistoryError,
    NewerHistoryError,
    NoHistoryError,
    RecentBusyError,
)
from smart_meter_reader.history.places import backups, set_aside
from smart_meter_reader.history.questions.bars import between
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.rows import CounterRow, EventRow, GaugeRow, RowOrigin
from smart_meter_reader.history.storage import schema
from smart_meter_reader.history.storage import store as store_module
from smart_meter_reader.history.storage.checking import problems
from smart_meter_reader.history.storage.connecting import connect
from smart_meter_reader.history.storage.raw import Block, BlockWriter, readings_in
from smart_meter_reader.history.storage.store import Store
from tests.history.homes import energy, keep

T0 = 1_700_000_000 - 1_700_000_000 % 86400


def row(time: int, value: str, origin: RowOrigin = RowOrigin.MEASURED) -> CounterRow:
    return CounterRow("heat", "heat_energy", "kWh", time, Decimal(value), origin)


def stored(path: Path) -> list[tuple[int, int, int]]:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT time, value, origin FROM counter ORDER BY time").fetchall()
    connection.close()
    return found


def opened(path: Path, recent: Path | None = None) -> Store:
    store = Store(path, recent, 86400)
    store.open()
    return store


def test_what_was_measured_wins_and_the_first_stays(tmp_path: Path) -> None:
    store = opened(tmp_path / "h")
    store.write([row(1, "5", RowOrigin.IMPORTED), row(2, "6"), row(3, "7", RowOrigin.LOGGER)])
    store.write(
        [row(1, "5.5"), row(2, "9"), row(2, "9", RowOrigin.IMPORTED), row(3, "8", RowOrigin.IMPORTED)]
    )
    assert store.duplicates == 3
    store.close()
    assert stored(tmp_path / "h") == [(1, 55, 0), (2, 60, 0), (3, 70, 1)]


def test_parts_of_an_hour_are_added_up(tmp_path: Path) -> None:
    def part(n: int, low: str, high: str, total: str, origin: RowOrigin = RowOrigin.MEASURED) -> GaugeRow:
        return GaugeRow("heat", "power", "kW", T0, n, Decimal(low), Decimal(high), Decimal(total), origin)

    store = opened(tmp_path / "h")
    store.write(
        [part(9, "0", "9", "9", RowOrigin.IMPORTED), part(2, "1", "3", "4"), part(3, "0.5", "2", "4.5")]
    )
    store.write([part(7, "0", "9", "9", RowOrigin.IMPORTED)])
    store.close()
    with History(tmp_path / "h") as history:
        (spread,) = history.spreads("heat", "power", [T0, T0 + 3600])
    assert [spread.n, spread.low, spread.high, spread.mean] == [5, Decimal("0.5"), 3, Decimal("1.70")]


def test_more_decimals_later_keep_what_was_there(tmp_path: Path) -> None:
    store = opened(tmp_path / "h")
    store.write([row(1, "0"), row(2, "12")])
    store.write([row(3, "12.3456")])
    store.write([row(4, "1" * 30), row(5, "1E-19")])
    assert store.unfit == 2
    store.close()
    assert stored(tmp_path / "h") == [(1, 0, 0), (2, 120000, 0), (3, 123456, 0)]


def test_all_rows_or_none(tmp_path: Path) -> None:
    store = opened(tmp_path / "h")
    with pytest.raises(ZeroDivisionError):
        store.write(row(number, str(1 // (3 - number))) for number in range(5))
    store.write([row(7, "1")])
    store.close()
    assert [time for time, _, _ in stored(tmp_path / "h")] == [7]


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    opened(tmp_path / "state" / "h", tmp_path / "state" / "r").write([row(1, "1")])
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "state").iterdir()}
    assert set(modes.values()) == {0o600}, modes
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    keep(tmp_path / "h", [energy(T0, "1")])
    connection = sqlite3.connect(tmp_path / "h")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = (tmp_path / "h").read_bytes()
    with pytest.raises(NewerHistoryError, match=r"newer version of this program \(format 99"):
        Store(tmp_path / "h").open()
    with pytest.raises(NewerHistoryError):
        History(tmp_path / "h")
    assert (tmp_path / "h").read_bytes() == before


def test_a_file_that_is_being_made_is_no_history_yet(tmp_path: Path) -> None:
    (tmp_path / "h").touch()
    with pytest.raises(NoHistoryError, match="there is no history in"):
        History(tmp_path / "h")


def test_each_version_is_brought_forward_after_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(tmp_path / "h", [energy(T0, "1"), energy(T0 + 900, "2")])
    second = (*schema.HISTORY.migrations, "ALTER TABLE meter ADD COLUMN place TEXT;")
    newer = schema.Format(schema.HISTORY.name, schema.HISTORY.application_id, second)
    with monkeypatch.context() as patched:
        for module in ("storage.store", "storage.connecting", "questions.record"):
            patched.setattr(f"smart_meter_reader.history.{module}.HISTORY", newer)
        patched.setattr(connect, "__defaults__", (newer,))
        with pytest.raises(HistoryError, match="older version: start the service once"):
            History(tmp_path / "h")
        opened(tmp_path / "h").close()
        with History(tmp_path / "h") as history:
            assert between(history.counter("heat", "heat_energy"), T0, T0 + 900).difference == 1
    with History(tmp_path / "h.version-1") as copy:
        assert copy.meters() == ["heat"]


def test_a_migration_that_fails_leaves_the_version_before(tmp_path: Path) -> None:
    keep(tmp_path / "h", [energy(T0, "1")])
    broken = schema.Format(
        "", schema.HISTORY.application_id, (*schema.HISTORY.migrations, "ALTER TABLE x ADD y;")
    )
    connection = sqlite3.connect(tmp_path / "h", isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(connection, broken)
    assert schema.version_of(connection) == 1
    connection.close()
    assert problems(tmp_path / "h") == []


@pytest.mark.parametrize("content", [b"nonsense" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_no_database_is_told_and_set_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "h"
    path.write_bytes(content)
    with pytest.raises(DamagedHistoryError, match="is damaged"):
        Store(path).open()
    aside = set_aside(path, datetime(2026, 11, 29, 12, tzinfo=UTC))
    assert aside.read_bytes() == content
    opened(path).write([row(1, "1")])


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "h")
    connection.execute("CREATE TABLE song (title)")
    connection.close()
    with pytest.raises(DamagedHistoryError, match="is no history, but another database"):
        Store(tmp_path / "h").open()


def test_a_damaged_ring_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(b"nonsense" * 1000)
    with pytest.raises(DamagedRecentError, match="r is damaged"):
        opened(tmp_path / "h", tmp_path / "r")


def test_the_ring_forgets_what_is_old(tmp_path: Path) -> None:
    store = opened(tmp_path / "h", tmp_path / "r")
    for day in range(5):
        store.write([], [Block("power", T0 + day * 86400, T0 + day * 86400 + 900, b"x")])
    store.close()
    connection = sqlite3.connect(tmp_path / "r")
    assert connection.execute("SELECT count(*) FROM raw").fetchone() == (2,)
    connection.close()


def test_there_is_no_history_yet(tmp_path: Path) -> None:
    with pytest.raises(NoHistoryError, match="there is no history in"):
        History(tmp_path / "h")
    store = Store(tmp_path / "h")
    with pytest.raises(HistoryBusyError, match="is closed"):
        store.write([row(1, "1")])
    store.open()
    with pytest.raises(NoHistoryError, match="knows no meter 'heat'"):
        store.note("heat", "", "wrong", 1, 2, "")
    with pytest.raises(NoHistoryError, match="has no note 7"):
        store.take_back(7)


def test_another_writer_is_waited_for_and_then_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smart_meter_reader.history.storage.connecting.BUSY_SECONDS", 0.2)
    store = opened(tmp_path / "h")
    other = sqlite3.connect(tmp_path / "h", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(HistoryBusyError, match="another program is writing"):
        store.write([row(1, "1")])
    other.execute("ROLLBACK")
    other.close()
    store.write([row(1, "1")])
    store.close()


def test_room_is_left_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(tmp_path / "h")
    monkeypatch.setattr(store_module, "LEAST_FREE", 10**18)
    with pytest.raises(HistoryBusyError, match="make room there"):
        store.write([row(1, "1")])
    monkeypatch.undo()
    store.write([row(1, "1")])


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own, where root may make one."""
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_told_and_later_takes_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "LEAST_FREE", 0)
    with small_disk(tmp_path / "disk", 1) as disk:
        store = opened(disk / "h")
        store.write([row(1, "1")])
        filler = disk / "filler"
        number = os.open(filler, os.O_WRONLY | os.O_CREAT)
        with suppress(OSError):
            while True:
                os.write(number, bytes(4096))
        os.close(number)
        events = [EventRow("", number, "event", "x" * 1000) for number in range(500)]
        with pytest.raises(HistoryBusyError, match=r"the disk of .* is full: make room"):
            store.write([row(2, "2"), *events])
        filler.unlink()
        store.write([row(2, "2")])
        store.close()
        assert [time for time, _, _ in stored(disk / "h")] == [1, 2]


def test_what_may_not_be_written_is_told(tmp_path: Path) -> None:
    keep(tmp_path / "h", [energy(T0, "1")])
    bound = subprocess.run(
        ["mount", "--bind", str(tmp_path), str(tmp_path)], check=False, capture_output=True
    )
    if bound.returncode:
        pytest.skip("only root may mount")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(tmp_path)], check=True)
        with pytest.raises(HistoryBusyError):
            Store(tmp_path / "h").open()
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


_WRITER = """
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from smart_meter_reader.history.rows import CounterRow, EventRow
from smart_meter_reader.history.storage.store import Store

store = Store(Path(sys.argv[1]), Path(sys.argv[1] + "-recent"), 10**9)
store.open()
begin = store.newest()
print(begin, flush=True)
for slot in range(begin + 1, 10**9):
    rows = [CounterRow("heat", f"heat_energy", "kWh", slot, Decimal(slot).scaleb(-3)) for _ in range(1)]
    rows += [EventRow("heat", slot, "event", "x" * 300)] * 20
    store.write(rows)
    print(slot, flush=True)
"""


def test_killed_at_any_moment_nothing_that_was_committed_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "h"
    chance = random.Random(14)
    newest = 0
    for _ in range(12):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        began = int(writer.stdout.readline())
        # What was told to be written before the last kill is there.
        assert began >= newest
        time.sleep(chance.uniform(0.0, 0.3))
        writer.kill()
        told = [int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        writer.wait()
        writer.stdout.close()
        newest = told[-1] if told else began
    assert newest > 0
    assert problems(path) == []
    times = [at for at, _, _ in stored(path)]
    assert times == list(range(1, times[-1] + 1))
    assert times[-1] in (newest, newest + 1)


def test_a_write_ahead_log_that_is_cut_or_garbled_at_300_places(tmp_path: Path) -> None:
    """As a power cut leaves it: the file opens, is sound, and has every row up to some commit."""
    whole = tmp_path / "whole"
    store = opened(whole)
    store.write([row(0, "0")])
    connection = sqlite3.connect(whole)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for slot in range(1, 120):
        store.write([row(slot, str(slot)), EventRow("heat", slot, "event", "x" * 200)])
    base, log = whole.read_bytes(), whole.with_name("whole-wal").read_bytes()
    store.close()
    chance = random.Random(41)
    ends: set[int] = set()
    for number in range(300):
        cut = chance.randrange(len(log))
        garbage = chance.randbytes(chance.randrange(9000)) if number % 2 else b""
        path = tmp_path / "cut"
        path.write_bytes(base)
        path.with_name("cut-wal").write_bytes(log[:cut] + garbage)
        reopened = opened(path)
        reopened.write([row(10_000, "10000")])
        reopened.close()
        assert problems(path) == []
        times = [at for at, _, _ in stored(path)]
        assert times == [*range(len(times) - 1), 10_000]
        ends.add(len(times))
        path.unlink()
    assert len(ends) > 60, "the cuts fell on many different commits"


def test_two_services_in_one_directory_do_not_mix(tmp_path: Path) -> None:
    first, second = opened(tmp_path / "a.history.sqlite"), opened(tmp_path / "b.history.sqlite")
    first.write([row(1, "1")])
    second.write([row(2, "2")])
    first.close()
    second.close()
    assert [at for at, _, _ in stored(tmp_path / "a.history.sqlite")] == [1]
    assert [at for at, _, _ in stored(tmp_path / "b.history.sqlite")] == [2]


def test_two_writers_of_one_file_take_turns(tmp_path: Path) -> None:
    first, second = opened(tmp_path / "h"), opened(tmp_path / "h")
    for slot in range(20):
        (first if slot % 2 else second).write([row(slot, str(slot))])
    first.close()
    second.close()
    assert [at for at, _, _ in stored(tmp_path / "h")] == list(range(20))


def test_what_lies_in_the_ring_is_read_again(tmp_path: Path) -> None:
    writer = BlockWriter()
    message = energy(T0, "5.25")
    writer.add(message["time"], message["measurements"])
    store = opened(tmp_path / "h", tmp_path / "r")
    store.write([], [writer.finish("heat")])
    store.close()
    connection = sqlite3.connect(tmp_path / "r")
    ((coded,),) = connection.execute("SELECT coded FROM raw").fetchall()
    connection.close()
    assert list(readings_in(coded)) == [(message["time"], message["measurements"])]


def test_backups_are_found_newest_last(tmp_path: Path) -> None:
    path = tmp_path / "home.history.sqlite"
    for day in ("20260102", "20251231"):
        shutil.copy(__file__, tmp_path / f"home.history.backup-{day}-000000.sqlite")
    assert [each.name[20:28] for each in backups(path)] == ["20251231", "20260102"]


def test_one_turn_with_too_many_digits_is_a_new_beginning(tmp_path: Path) -> None:
    store = keep(tmp_path / "file", [energy(T0, "9" * 18), energy(T0 + 900, "1"), energy(T0 + 1800, "3")])
    assert store.unfit == 1
    with History(tmp_path / "file") as history:
        assert [part.counted for part in history.counter("heat", "heat_energy").parts] == [0, 2]


@pytest.mark.parametrize("beside", [["h-wal"], ["h-shm"], ["h-wal", "h-shm"]])
def test_a_log_that_is_deleted_while_it_is_in_use_costs_nothing(tmp_path: Path, beside: list[str]) -> None:
    store = opened(tmp_path / "h")
    store.write([row(1, "1"), row(2, "2")])
    for name in beside:
        (tmp_path / name).unlink()
    store.write([row(3, "3")])
    with History(tmp_path / "h") as history:
        assert history.counter("heat", "heat_energy").parts[0].counted == 2
    assert problems(tmp_path / "h") == []
    store.close()


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "h")
    for attempt in (lambda: History(tmp_path / "h"), Store(tmp_path / "h").open):
        with pytest.raises(HistoryBusyError, match="is no file: move away what is in its place"):
            attempt()


def test_a_ring_that_has_no_place_is_opened_when_it_has(tmp_path: Path) -> None:
    (tmp_path / "no").write_text("directory")
    store = opened(tmp_path / "h", tmp_path / "no" / "r")
    block = Block("power", T0, T0 + 900, b"x")
    with pytest.raises(RecentBusyError):
        store.write([row(1, "1")], [block])
    (tmp_path / "no").unlink()
    store.write([row(2, "2")], [block])
    store.close()
    assert (tmp_path / "no" / "r").exists()
    with History(tmp_path / "h") as history:
        assert history.counter("heat", "heat_energy").parts[0].counted == 1


def test_what_goes_wrong_within_a_snapshot_is_not_the_files(tmp_path: Path) -> None:
    opened(tmp_path / "h").write([row(1, "1")])
    with History(tmp_path / "h") as history, pytest.raises(BrokenPipeError), history.snapshot():
        raise BrokenPipeError


def test_a_file_that_is_moved_away_takes_along_what_was_written(tmp_path: Path) -> None:
    store = opened(tmp_path / "h")
    store.write([row(1, "1"), row(2, "5")])
    (tmp_path / "h").rename(tmp_path / "kept")
    with pytest.raises(MovedHistoryError, match="while it was in use"):
        store.write([row(3, "6")])
    store.open()
    store.write([row(4, "7")])
    store.close()
    for name, newest in ("kept", 2), ("h", 4):
        with History(tmp_path / name) as history:
            assert history.newest() == newest
        assert problems(tmp_path / name) == []
