"""The sink `history`: what the disk and the clock do to it costs no reading, and never another sink."""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.exceptions import NeedsAPersonError
from smart_meter_reader.history.errors import NoHistoryError
from smart_meter_reader.history.places import history_file
from smart_meter_reader.history.questions.bars import between, total
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.storage import store as store_module
from smart_meter_reader.messages import Message
from smart_meter_reader.sinks.history import sink as sink_module
from smart_meter_reader.sinks.history.examination import examine
from smart_meter_reader.sinks.history.settings import HistorySettings
from smart_meter_reader.sinks.history.sink import HistorySink
from tests.history.homes import energy, info, status
from tests.peers.feed import Feed, until
from tests.peers.service_process import service_process

NOW = datetime.now(UTC).replace(microsecond=0)
T0 = int(NOW.timestamp())


def settings(directory: Path, **more: object) -> HistorySettings:
    plain = HistorySettings(directory=str(directory), file_name="home", time_zone="Europe/Amsterdam")
    return replace(plain, **more)  # type: ignore[arg-type]


def path_in(directory: Path) -> Path:
    return history_file(directory, "home")


@asynccontextmanager
async def running(sink: HistorySink) -> AsyncIterator[Feed]:
    """The sink at work; ended in order."""
    queue = Feed()
    task = asyncio.create_task(sink.run(queue.messages()))
    try:
        yield queue
        queue.end()
        async with asyncio.timeout(30):
            await task
    finally:
        task.cancel()


async def kept(directory: Path, messages: Iterable[Message], **more: object) -> HistorySink:
    sink = HistorySink("history", settings(directory, **more))
    async with running(sink) as queue:
        queue.put(*messages)
    return sink


def used(directory: Path) -> Decimal | None:
    try:
        with History(path_in(directory)) as history:
            return between(history.counter("heat", "heat_energy"), T0 - 10**6, T0 + 10**6).difference
    except NoHistoryError:
        return None


async def test_what_came_is_there_after_the_stop(tmp_path: Path) -> None:
    sink = await kept(tmp_path, [energy(T0 - 60 + number, Decimal(number)) for number in range(50)])
    assert sink.delivered
    assert used(tmp_path) == 49
    with History(path_in(tmp_path)) as history:
        assert str(history.house.zone) == "Europe/Amsterdam"
        assert [event.kind for event in history.events(0, 2**40)] == ["started", "stopped"]
    recent = sqlite3.connect(tmp_path / "home.recent.sqlite")
    assert recent.execute("SELECT count(*), max(until) - min(since) FROM raw").fetchone() == (1, 49)
    recent.close()


async def test_nothing_recent_is_kept_where_nobody_wants_it(tmp_path: Path) -> None:
    await kept(tmp_path, [energy(T0, "1")], recent_days=0)
    assert [path.name for path in tmp_path.iterdir()] == ["home.history.sqlite"]


async def test_a_second_start_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    await kept(tmp_path, [energy(T0 - 3000, "5"), energy(T0 - 2990, "6")])
    await kept(tmp_path, [energy(T0 - 20, "8"), energy(T0 - 10, "9")])
    assert used(tmp_path) == 4
    with History(path_in(tmp_path)) as history:
        assert len(history.counter("heat", "heat_energy").parts) == 1


async def test_a_full_disk_costs_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sink_module, "_RETRY_SECONDS", 0.1)
    monkeypatch.setattr(store_module, "LEAST_FREE", 10**18)
    sink = HistorySink("history", settings(tmp_path, write_every=timedelta(seconds=1)))
    async with running(sink) as queue:
        queue.put(*(energy(T0 - 1000 + number, Decimal(number)) for number in range(950)))
        await until(lambda: "make room there" in caplog.text)
        monkeypatch.undo()
    assert used(tmp_path) == 949
    assert sink.delivered


async def test_rows_that_no_disk_takes_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(store_module, "LEAST_FREE", 10**18)
    monkeypatch.setattr(sink_module, "MOST_ROWS", 10)
    messages = [energy(T0 - 10**6 + number * 900, Decimal(number)) for number in range(30)]
    sink = await kept(tmp_path, messages)
    assert not sink.delivered
    assert "rows dropped, the oldest first: the disk takes none" in caplog.text


async def test_blocks_that_no_disk_takes_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(store_module, "LEAST_FREE", 10**18)
    monkeypatch.setattr(sink_module, "MOST_BLOCKS", 2)
    sink = await kept(tmp_path, [energy(T0, "1", meter) for meter in ("heat", "cold", "gas", "water")])
    assert not sink.delivered
    assert "2 blocks of single readings dropped, the oldest first: the disk takes none" in caplog.text


async def test_a_damaged_file_is_set_aside_and_a_new_one_begins(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path_in(tmp_path).write_bytes(b"nonsense" * 5000)
    (tmp_path / "home.history.backup-20260101-000000.sqlite").write_bytes(b"")
    (tmp_path / "home.recent.sqlite").write_bytes(b"nonsense" * 5000)
    await kept(tmp_path, [energy(T0 - 20, "8"), energy(T0 - 10, "9")])
    assert used(tmp_path) == 1
    assert "backup-20260101-000000.sqlite: `history restore` brings it back" in caplog.text
    damaged = sorted(path.name.partition(".damaged-")[0] for path in tmp_path.glob("*.damaged-*"))
    assert damaged == ["home.history.sqlite", "home.recent.sqlite"]
    assert (tmp_path / "home.recent.sqlite").stat().st_size > 0


async def test_a_file_that_is_damaged_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink_module, "_RETRY_SECONDS", 0.1)
    await kept(tmp_path, [energy(T0 - 5000 + n * 10, Decimal(n)) for n in range(100)], recent_days=0)
    # The pages of the tables are gone, the head is well: it opens, and fails at the first row.
    with path_in(tmp_path).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 4096 * 12)
    sink = await kept(tmp_path, [energy(T0 - 20, "800"), energy(T0 - 10, "900")], recent_days=0)
    assert sink.delivered
    assert used(tmp_path) == 100
    assert list(tmp_path.glob("*.damaged-*"))


async def test_a_newer_file_needs_a_person(tmp_path: Path) -> None:
    await kept(tmp_path, [energy(T0, "1")])
    connection = sqlite3.connect(path_in(tmp_path))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(NeedsAPersonError, match="newer version"):
        await kept(tmp_path, [energy(T0, "1")])


async def test_no_place_needs_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NeedsAPersonError, match="set `directory`"):
        await HistorySink("history", HistorySettings(file_name="home")).run(Feed().messages())


async def test_before_the_clock_is_set_nothing_is_stored_and_nothing_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    known: list[bool | None] = [False]
    monkeypatch.setattr(sink_module, "is_synchronised", lambda: known[0])
    caplog.set_level(logging.INFO)
    sink = HistorySink("history", settings(tmp_path, write_every=timedelta(seconds=1)))
    async with running(sink) as queue:
        # The Pi believes that it is two days ago.
        queue.put(energy(T0 - 2 * 86400, "5"))
        await until(lambda: "nothing is stored for now" in caplog.text)
        await asyncio.sleep(1.5)
        with History(path_in(tmp_path)) as history:
            assert history.meters() == []
        known[0] = True
        queue.put(energy(int(datetime.now(UTC).timestamp()) + 5, "6"))
    assert "the clock is believed now; 1 messages are stored" in caplog.text
    with History(path_in(tmp_path)) as history:
        (part,) = history.counter("heat", "heat_energy").parts
        assert part.counted == 1
        # Stored by the time at which it came, and not by what the clock showed then.
        assert T0 <= part.first.time < part.last.time


async def test_a_clock_that_stands_behind_what_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Not that of the file: what is held for long is dated anew.
    begin = int(datetime.now(UTC).timestamp())
    await kept(tmp_path, [energy(begin + 86400, "5")])
    sink = await kept(tmp_path, [energy(begin, "6")])
    assert not sink.delivered
    assert "the newest stored reading is of" in caplog.text
    caplog.set_level(logging.INFO)
    sink = HistorySink("history", settings(tmp_path, write_every=timedelta(seconds=1)))
    async with running(sink) as queue:
        queue.put(energy(begin, "6"))
        await until(lambda: caplog.text.count("nothing is stored") == 2)
        store = store_module.Store(path_in(tmp_path))
        store.open()
        store.note("heat", "", "wrong", begin + 3600, begin + 90000, "the clock was wrong")
        store.close()
        # Heard of while it runs: a person need not know how to start it again.
        last = 0
        while "believed now" not in caplog.text:
            last += 1
            assert last < 600, "not looked at again"
            queue.put(energy(begin + last, Decimal(6 + last)))
            await asyncio.sleep(0.1)
    assert sink.delivered
    assert used(tmp_path) == last


async def test_a_file_of_a_newer_version_is_told_while_the_clock_stands_behind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begin = int(datetime.now(UTC).timestamp())
    await kept(tmp_path, [energy(begin + 86400, "5")])
    sink = HistorySink("history", settings(tmp_path, write_every=timedelta(seconds=1)))
    async with running(sink) as queue:
        queue.put(energy(begin, "6"))
        await until(lambda: "nothing is stored" in caplog.text)
        store = store_module.Store(path_in(tmp_path))
        store.open()
        connection = sqlite3.connect(path_in(tmp_path))
        connection.execute("PRAGMA user_version = 99")
        connection.close()
        store.note("heat", "", "wrong", begin + 3600, begin + 90000, "the clock was wrong")
        store.close()
        await until(lambda: "newer version" in caplog.text)
        # Not a fault of this program: what comes waits in memory.
        queue.put(energy(begin + 1, "7"))
    assert not sink.delivered
    assert "what is not written waits in memory" in caplog.text


async def test_another_zone_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    await kept(tmp_path, [energy(T0 - 10, "1")])
    await kept(tmp_path, [energy(T0, "2")], time_zone="Europe/Lisbon")
    assert "time_zone was Europe/Amsterdam and is Europe/Lisbon now" in caplog.text
    with History(path_in(tmp_path)) as history:
        assert str(history.house.zone) == "Europe/Lisbon"
        assert "time_zone_changed" in [event.kind for event in history.events(0, 2**40)]


async def test_doctor_reads_it(tmp_path: Path) -> None:
    async def told() -> list[str]:
        return [f"{check.level.name} {check.text}" async for check in examine("history", settings(tmp_path))]

    assert [line.split()[0] for line in await told()] == ["OK"]
    await kept(tmp_path, [status(T0 - 9, ""), energy(T0 - 8, "1")])
    (line,) = await told()
    assert line.startswith("OK")
    assert "is sound: 1 meters" in line
    path_in(tmp_path).write_bytes(b"nonsense" * 5000)
    assert "UNAVAILABLE" in (await told())[0]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"time_zone": "Europe/Amsterdm"}, "knows no zone 'Europe/Amsterdm'"),
        ({"year_begins": "02-30"}, "there is no 02-30 in any year"),
    ],
)
def test_wrong_settings_are_told(wrong: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        HistorySettings(file_name="home", **wrong)  # type: ignore[arg-type]


_HOME = """
[home.meters.heat]
client = "dummy"
interval = "100ms"
[home.sinks.history]
write_every = "1s"
[home.sinks.screen]
type = "stdout"
format = "json"
"""


async def test_killed_again_and_again_no_energy_is_missing(tmp_path: Path) -> None:
    """Seven lives of a service, six of which end by SIGKILL: the bars are what the meter counted."""
    chance = random.Random(3)
    newest: list[Decimal] = []
    for life in range(7):
        async with service_process(tmp_path, _HOME, "home") as service:
            await service.more_readings(3)
            await asyncio.sleep(chance.uniform(0, 2.5))
            if life < 6:
                await service.kill()
            else:
                await service.stop()
            newest = [Decimal(value) for value in service.values("volume")[-12:]]
    with History(path_in(tmp_path)) as history:
        counter = history.counter("heat", "volume")
        first = Decimal(counter.parts[0].first.value).scaleb(-counter.parts[0].decimals)
        made = between(counter, 0, 2**40)
        assert made.difference is not None
        if len(counter.parts) == 1:
            # Of the readings of one second the first one counts.
            assert made.difference in [value - first for value in newest]
        assert total([made]) == sum(Decimal(part.counted).scaleb(-part.decimals) for part in counter.parts)
        assert {"started", "stopped"} <= {event.kind for event in history.events(0, 2**40)}


async def test_a_file_that_is_deleted_while_it_is_written_is_begun_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sink = HistorySink("history", settings(tmp_path, write_every=timedelta(seconds=1)))
    async with running(sink) as queue:
        queue.put(info(T0 - 5000, "123"), *(energy(T0 - 5000 + n, Decimal(n)) for n in range(9)))
        await until(lambda: used(tmp_path) is not None)
        for path in tmp_path.iterdir():
            path.unlink()
        queue.put(*(energy(T0 - 4000 + n, Decimal(10 + n)) for n in range(9)))
        await until(lambda: "what is there now goes on" in caplog.text)
        queue.put(*(energy(T0 - 2000 + n, Decimal(20 + n)) for n in range(9)))
    assert sink.delivered
    assert used(tmp_path) == 8
    with History(path_in(tmp_path)) as history:
        assert [segment.serial_number for segment in history.segments("heat")] == ["123"]


async def test_a_backup_that_is_copied_over_the_file_goes_on_with_the_device_of_now(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await kept(tmp_path, [info(T0 - 9000, "old"), energy(T0 - 9000, "5000"), energy(T0 - 8000, "5001")])
    (tmp_path / "copy").write_bytes(path_in(tmp_path).read_bytes())
    sink = HistorySink("history", settings(tmp_path, write_every=timedelta(seconds=1)))
    async with running(sink) as queue:
        queue.put(info(T0 - 7000, "new"), energy(T0 - 7000, "8000"), energy(T0 - 6000, "8001"))
        await until(lambda: used(tmp_path) == 1 + 1)
        (tmp_path / "copy").replace(path_in(tmp_path))
        queue.put(energy(T0 - 5000, "8002"))
        await until(lambda: "what is there now goes on" in caplog.text)
        queue.put(energy(T0 - 4000, "8003"), energy(T0 - 3000, "8005"))
    assert used(tmp_path) == 1 + 2


async def test_trouble_with_the_ring_is_none_of_the_history(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "memory").write_text("no directory")
    recent = {"recent_directory": str(tmp_path / "memory")}
    sink = await kept(tmp_path / "disk", [energy(T0 - 20, "8"), energy(T0 - 10, "9")], **recent)
    assert used(tmp_path / "disk") == 1
    assert sink.delivered
    assert "what is not written waits in memory" in caplog.text


async def test_a_clock_that_was_right_before_the_start_is_not_believed_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # A Pi that was without power for hours starts with the time at which it went out.
    await kept(tmp_path, [energy(T0 - 20000, "1"), energy(T0 - 19000, "2")])
    monkeypatch.setattr(sink_module, "is_synchronised", lambda: False)
    sink = await kept(tmp_path, [energy(T0 - 18990, "7")])
    assert not sink.delivered
    assert "has not been set from the network" in caplog.text
    assert used(tmp_path) == 1


async def test_a_start_every_ten_minutes_leaves_no_trace_of_each(tmp_path: Path) -> None:
    for minute in range(0, 600, 10):
        await kept(tmp_path, [energy(T0 - 36000 + 60 * minute, Decimal(minute))])
    with History(path_in(tmp_path)) as history:
        assert [event.kind for event in history.events(0, 2**40)] == ["started", "stopped"]
    assert used(tmp_path) == 590
