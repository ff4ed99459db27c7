"""The spool on a real disk: order, states, bounds, restarts, kill -9, a full disk, a damaged file."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.spool.entries import Spooled, SpoolEntry, SpoolLimits
from smart_meter_reader.spool.lock import SpoolTakenError
from smart_meter_reader.spool.settings import SpoolSettings
from smart_meter_reader.spool.spool import Spool

TIME = datetime(2026, 11, 29, 12, 0, 0, 123456, tzinfo=UTC)
AT_ONCE = SpoolLimits(disk_after=timedelta(0))


def entry(number: int, kind: str = "a", size: int = 10) -> SpoolEntry:
    return SpoolEntry(f"id {number}", TIME + timedelta(seconds=number), b"x" * size, kind)


def ids(found: Sequence[Spooled]) -> list[str]:
    return [each.entry.id for each in found]


def numbers(*numbers: int) -> list[str]:
    return [f"id {each}" for each in numbers]


def rows_of(path: Path) -> list[str]:
    with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as connection:
        return [key for (key,) in connection.execute("SELECT id FROM entry ORDER BY sequence")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "home.influx.spool.sqlite"


async def opened(path: Path | None, limits: SpoolLimits = AT_ONCE) -> Spool:
    spool = Spool("influx", path, limits)
    await spool.open()
    return spool


async def test_entries_come_out_in_their_order_until_they_are_done(path: Path) -> None:
    spool = await opened(path)
    await spool.add(entry(each) for each in range(5))
    found = await spool.oldest(3)
    assert [each.entry for each in found] == [entry(0), entry(1), entry(2)]
    assert ids(await spool.oldest(3)) == numbers(0, 1, 2)  # they were neither sent nor done
    spool.done([found[0].sequence, found[2].sequence])
    assert ids(await spool.oldest(10)) == numbers(1, 3, 4)
    assert ids(await spool.oldest(10, after=found[1].sequence)) == numbers(3, 4)
    assert spool.state.depth == spool.state.waiting == 3
    await spool.close()
    assert rows_of(path) == numbers(1, 3, 4)


async def test_nothing_is_on_the_disk_while_the_destination_is_well(path: Path) -> None:
    spool = await opened(path, SpoolLimits())
    async with asyncio.TaskGroup() as group:
        keep = group.create_task(spool.keep())
        for each in range(200):
            await spool.add([entry(each)])
            spool.done([found.sequence for found in await spool.oldest(10)])
        assert rows_of(path) == []
        assert spool.state.depth == 0
        assert spool.state.age_seconds is None
        keep.cancel()


async def test_what_is_late_goes_to_the_disk_and_what_is_done_leaves_it(path: Path) -> None:
    spool = await opened(path, SpoolLimits(disk_after=timedelta(seconds=0.2)))
    async with asyncio.TaskGroup() as group:
        keep = group.create_task(spool.keep())
        await spool.add([entry(1), entry(2)])
        while rows_of(path) != numbers(1, 2):
            await asyncio.sleep(0.02)
        first, _ = await spool.oldest(2)
        spool.done([first.sequence])
        await spool.add([entry(3)])
        while rows_of(path) != numbers(2, 3):
            await asyncio.sleep(0.02)
        keep.cancel()


async def test_sent_is_neither_waiting_nor_done(path: Path) -> None:
    for kept in (path, None):
        spool = await opened(kept)
        await spool.add(entry(each) for each in range(4))
        first = await spool.oldest(2)
        spool.sent(each.sequence for each in first)
        assert ids(await spool.oldest(9)) == numbers(2, 3)
        assert (spool.state.depth, spool.state.sent, spool.state.waiting) == (4, 2, 2)
        assert spool.again(late=3600.0) == 0
        assert spool.again([first[0].sequence, 1]) == 1
        assert ids(await spool.oldest(9)) == numbers(0, 2, 3)
        assert spool.again() == 1
        assert ids(await spool.oldest(9)) == numbers(0, 1, 2, 3)


async def test_a_restart_finds_what_was_waiting_or_sent(path: Path) -> None:
    spool = await opened(path)
    await spool.add(entry(each) for each in range(4))
    found = await spool.oldest(4)
    spool.sent(each.sequence for each in found[:3])
    spool.done([found[0].sequence])
    await spool.close()
    again = await opened(path)
    assert [each.entry for each in await again.oldest(9)] == [entry(1), entry(2), entry(3)]
    assert [each.sequence for each in await again.oldest(9)] == [each.sequence for each in found[1:]]
    await again.add([entry(5)])
    assert (await again.oldest(9))[-1].sequence > found[-1].sequence


STANDING_CLOCK = """
import asyncio, os, sys, time
from pathlib import Path
from smart_meter_reader.spool.entries import SpoolLimits
from tests.spool.test_spool import entry, opened

async def main(path):
    spool = await opened(path, SpoolLimits())
    await spool.add([entry(1), entry(2)])
    print(*(each.sequence for each in await spool.oldest(9)), flush=True)
    os._exit(0)  # as by kill -9

time.time_ns = lambda: 1_000_000
asyncio.run(main(Path(sys.argv[1])))
"""


def sequences_of_a_run(path: Path) -> list[int]:
    command = [sys.executable, "-c", STANDING_CLOCK, str(path)]
    return [int(word) for word in subprocess.check_output(command, text=True).split()]


def test_a_sequence_is_never_used_twice(path: Path) -> None:
    """As after kill -9, with a clock that stands: the file alone knows what was used."""
    used = [each for _ in range(3) for each in sequences_of_a_run(path)]
    assert len(used) == 6
    assert used == sorted(set(used))


def test_two_spools_that_begin_in_the_same_moment_have_sequences_of_their_own(tmp_path: Path) -> None:
    """Copies of one memory card have one name, and a writer tells by that name what is written."""
    first = [sequences_of_a_run(tmp_path / f"{each}.spool.sqlite")[0] for each in range(4)]
    gaps = [later - before for before, later in pairwise(sorted(first))]
    # By chance one in a million is as near as one; a run of a thousand readings shall not meet the other's.
    assert sum(gap < 3 for gap in gaps) == 0


HOLDS = """
import asyncio, sys
from pathlib import Path
from tests.spool.test_spool import entry, opened

async def main(path):
    spool = await opened(path)
    await spool.add([entry(1)])
    print("has it", flush=True)
    sys.stdin.read()
    await spool.close()

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("end", ["close", "kill"])
async def test_what_another_process_has_is_refused_until_that_ends(path: Path, end: str) -> None:
    """Two edges on one spool published readings of each other: of 4,000 values 1,170 were missing."""
    command, pipe = [sys.executable, "-c", HOLDS, str(path)], subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "has it\n"
        spool = Spool("influx", path, AT_ONCE)
        with pytest.raises(SpoolTakenError, match=f"{path} is the spool of process {process.pid}: "):
            await spool.open()
        if end == "kill":
            process.kill()
        process.communicate()
    await spool.open()  # the sink is tried again
    assert ids(await spool.oldest(9)) == numbers(1)
    await spool.close()


async def test_the_same_id_is_one_entry(path: Path) -> None:
    spool = await opened(path, SpoolLimits())
    await spool.add([entry(1), entry(1)])
    await spool.add([entry(1), entry(2)])
    assert ids(await spool.oldest(9)) == numbers(1, 2)
    assert spool.state.depth == 2
    await spool.close()
    again = await opened(path, SpoolLimits())
    await again.add([entry(2), entry(3)])
    await again.close()
    assert rows_of(path) == numbers(1, 2, 3)


async def test_bytes_bound_what_is_given_but_one_is_always(path: Path) -> None:
    for limits in (AT_ONCE, SpoolLimits()):
        spool = await opened(path, limits)
        await spool.add(entry(each, size=100) for each in range(5))
        assert ids(await spool.oldest(9, most_bytes=250)) == numbers(0, 1)
        assert ids(await spool.oldest(9, most_bytes=1)) == numbers(0)
        spool.done(each.sequence for each in await spool.oldest(100))
        await spool.close()


async def test_a_full_spool_drops_the_oldest_and_tells(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lost: list[str] = []
    for kept, limits in ((path, AT_ONCE), (path, SpoolLimits()), (None, SpoolLimits())):
        caplog.clear()
        lost.clear()
        small = SpoolLimits(most_bytes=20_000, disk_after=limits.disk_after)
        spool = Spool("influx", kept, small, lose=lost.extend)
        await spool.open()
        for each in range(50):
            await spool.add([entry(each, size=900)])
        left = ids(await spool.oldest(100))
        assert left == numbers(*range(50 - len(left), 50))
        assert 15 <= len(left) <= 20
        assert lost == numbers(*range(50 - len(left)))
        assert spool.state.dropped == len(lost)
        assert spool.state.bytes <= 20_000
        warnings = [each for each in caplog.records if each.levelno == logging.WARNING]
        assert len(warnings) == 1
        assert "entries of its spool are lost, the oldest first" in warnings[0].getMessage()
        spool.done(each.sequence for each in await spool.oldest(100))
        await spool.close()


async def test_more_than_memory_may_hold_goes_to_the_disk(path: Path) -> None:
    spool = await opened(path, SpoolLimits(memory_bytes=5000))
    for each in range(20):
        await spool.add([entry(each, size=900)])
    assert len(rows_of(path)) >= 15
    assert ids(await spool.oldest(99)) == numbers(*range(20))


async def test_waiting_is_told_without_asking_again_and_again(path: Path) -> None:
    spool = await opened(path)
    async with asyncio.TaskGroup() as group:
        ready = group.create_task(spool.ready())
        await asyncio.sleep(0)
        assert not ready.done()
        await spool.add([entry(1)])
        await ready
    [found] = await spool.oldest(9)
    spool.sent([found.sequence])
    async with asyncio.TaskGroup() as group:
        ready = group.create_task(spool.ready())
        await asyncio.sleep(0)
        assert not ready.done()
        spool.again()
        await ready


async def test_a_naive_time_is_refused(path: Path) -> None:
    spool = await opened(path)
    with pytest.raises(ValueError, match="naive"):
        await spool.add([SpoolEntry("1", TIME.replace(tzinfo=None), b"")])


async def test_a_damaged_file_is_set_aside_and_told(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all, but something else" * 100)
    spool = await opened(path)
    await spool.add([entry(1)])
    await spool.close()
    assert rows_of(path) == numbers(1)
    assert len(list(path.parent.glob("*.damaged-*"))) == 1
    assert "a new one begins" in caplog.text


async def test_a_file_that_is_deleted_under_way_is_told_and_begun_anew(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = await opened(path)
    await spool.add([entry(1), entry(2)])
    for each in path.parent.iterdir():
        each.unlink()
    await spool.add([entry(3)])
    assert spool.state.dropped == 2
    assert ids(await spool.oldest(9)) == numbers(3)
    await spool.close()
    assert rows_of(path) == numbers(3)
    assert "2 entries of its spool are lost" in caplog.text


async def test_a_directory_that_is_not_to_be_had_costs_the_disk_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    limits = SpoolLimits(memory_bytes=5000, disk_after=timedelta(0))
    spool = Spool("influx", tmp_path / "file" / "spool.sqlite", limits)
    await spool.open()
    for each in range(20):
        await spool.add([entry(each, size=900)])
    assert ids(await spool.oldest(99)) == numbers(16, 17, 18, 19)
    assert spool.state.dropped == 16
    assert "waits in memory" in caplog.text
    assert sum("waits in memory" in each.getMessage() for each in caplog.records) == 1


FULL_DISK = """
import asyncio, resource, signal, sys
from datetime import timedelta
from pathlib import Path
from smart_meter_reader.spool.entries import SpoolLimits
from smart_meter_reader.spool.spool import Spool
from tests.spool.test_spool import entry, ids, rows_of

async def main(path):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    spool = Spool("influx", path, SpoolLimits(disk_after=timedelta(0), memory_bytes=1 << 20))
    await spool.open()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    for each in range(60):
        await spool.add([entry(each, size=9000)])
    full = spool.state
    assert 0 < len(rows_of(path)) < 60, full
    assert (full.depth, full.dropped) == (60, 0), full
    assert len(ids(await spool.oldest(99))) == 60
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await spool.close()
    again = Spool("influx", path, SpoolLimits())
    await again.open()
    assert ids(await again.oldest(99)) == [f"id {each}" for each in range(60)]

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_full_disk_costs_nothing_while_memory_holds_it(path: Path) -> None:
    subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], check=True)


KILLED = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from smart_meter_reader.spool.entries import SpoolLimits
from smart_meter_reader.spool.spool import Spool
from tests.spool.test_spool import entry

async def main(path, begin):
    spool = Spool("influx", path, SpoolLimits(disk_after=timedelta(0)))
    await spool.open()
    async with asyncio.TaskGroup() as group:
        group.create_task(spool.keep())
        for each in range(begin, 10**9, 3):
            await spool.add([entry(each), entry(each + 1), entry(each + 2)])
            print("added", each + 3, flush=True)
            found = await spool.oldest(2)
            # What is done is told first: once it is done, it may be gone.
            print("done", *[one.entry.id for one in found], flush=True)
            spool.done(one.sequence for one in found)

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


def test_kill_9_at_any_point_takes_nothing_that_was_added(path: Path) -> None:
    added, done, kept = 0, set[str](), list[str]()
    chance = random.Random(1)
    for _ in range(8):
        command = [sys.executable, "-c", KILLED, str(path), str(added)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        steps = chance.randrange(1, 60)
        for line in process.stdout:
            steps -= 1
            if steps == 0:
                process.send_signal(signal.SIGKILL)
            word, *rest = line.split(maxsplit=1)
            if word == "added":
                added = int(rest[0])
            elif rest:
                done.update(each.strip() for each in rest[0].replace("id", "|id").split("|") if each.strip())
        process.stdout.close()
        assert process.wait() == -signal.SIGKILL
        kept = rows_of(path)
        assert set(numbers(*range(added))) <= set(kept) | done
        # What was added and not told in time is there or not; what follows begins behind it.
        added = max([added, *(int(each.split()[1]) + 1 for each in kept)])
    assert len(set(kept)) == len(kept)


@given(st.data())
def test_it_is_a_queue_whatever_is_done_with_it(given_data: st.DataObject) -> None:
    # Against a list; the disk is left out, as the same steps run on it below.
    asyncio.run(_compare(None, given_data.draw(steps())))


def test_it_is_a_queue_on_the_disk_too(tmp_path: Path) -> None:
    chance = random.Random(7)
    for number in range(15):
        many = [
            (chance.choice(["add", "send", "done", "again", "restart"]), chance.randrange(5))
            for _ in range(25)
        ]
        asyncio.run(_compare(tmp_path / f"{number}.sqlite", many))


def steps() -> st.SearchStrategy[list[tuple[str, int]]]:
    words = st.sampled_from(["add", "send", "done", "again"])
    return st.lists(st.tuples(words, st.integers(0, 5)), max_size=30)


async def _compare(path: Path | None, steps: Sequence[tuple[str, int]]) -> None:
    limits = SpoolLimits(memory_bytes=400)  # some in memory, some on the disk
    spool = await opened(path, limits)
    model: list[str] = []
    sent: set[str] = set()
    sequences: dict[str, int] = {}
    next_number = 0
    for word, count in steps:
        match word:
            case "add":
                new = range(next_number, next_number + count)
                next_number += count
                model += numbers(*new)
                await spool.add(entry(each) for each in new)
                sequences |= {each.entry.id: each.sequence for each in await spool.oldest(1000)}
            case "send":
                found = await spool.oldest(count) if count else []
                sent |= set(ids(found))
                spool.sent(each.sequence for each in found)
            case "done":
                gone = model[count : 2 * count]
                model = [each for each in model if each not in gone]
                sent -= set(gone)
                spool.done(sequences[each] for each in gone)
            case "again":
                sent = set()
                spool.again()
            case "restart":
                await spool.close()
                spool, sent = await opened(path, limits), set()
        waiting = [each for each in model if each not in sent]
        assert spool.state.depth == len(model)
        assert spool.state.waiting == len(waiting)
        if waiting:
            assert ids(await spool.oldest(1000)) == waiting
    await spool.close()


def test_the_settings_name_a_file_for_each_environment_and_sink(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    settings = SpoolSettings(spool_mib=2).named("my home")
    assert settings.spool_file("influx") == tmp_path / "my home.influx.spool.sqlite"
    assert settings.spool_limits == SpoolLimits(most_bytes=2 << 20, disk_after=timedelta(minutes=1))
    elsewhere = SpoolSettings(spool_directory=str(tmp_path / "disk"), spool_name="x").named("home")
    assert elsewhere.spool_file("pg") == tmp_path / "disk" / "x.pg.spool.sqlite"
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    assert SpoolSettings().spool_file("influx") is None


def test_the_state_is_plain_numbers(path: Path) -> None:
    async def told() -> str:
        spool = await opened(path)
        await spool.add([entry(1)])
        await asyncio.sleep(0.01)
        state = spool.state
        await spool.close()
        return json.dumps([state.depth, state.waiting, state.bytes, state.age_seconds])

    assert asyncio.run(told()) == json.dumps([1, 1, entry(1).size, 0])
