"""The sink `history` and what meters had kept: it is in the file before it is confirmed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.history.questions.bars import bars
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.rows import RowOrigin
from smart_meter_reader.history.storage import store as store_module
from smart_meter_reader.history.storage.rules import broken_rules
from smart_meter_reader.messages import Message, Past
from smart_meter_reader.messages.receipts import Receipt, Receipts
from smart_meter_reader.sinks.history.sink import HistorySink
from tests.history.homes import energy, info, keep, reading
from tests.peers.imported import ROOT, STARTED
from tests.sinks.history.test_sink import path_in, running, settings

HOUR = 3600
# A process that the test starts says the same, though the hour may have turned.
_HOUR_OF_THE_TEST = "SMART_METER_READER_TEST_HOUR"
T0 = (int(os.environ.get(_HOUR_OF_THE_TEST) or datetime.now(UTC).timestamp()) // HOUR - 100) * HOUR


def past(since: int, until: int, receipt: str = "", serial: str = "123") -> Past:
    """A row each hour, rising by one."""
    return {
        "type": "past",
        "meter": "heat",
        "time": datetime.now(UTC),
        "logger": "hour",
        "serial_number": serial,
        "receipt": receipt,
        "rows": tuple(
            {
                "measured_at": datetime.fromtimestamp(T0 + n * HOUR, UTC),
                "log_id": n,
                "measurements": {"heat_energy": {"value": Decimal(n), "unit": "kWh"}},
            }
            for n in range(since, until + 1)
        ),
    }


def lived() -> list[Message]:
    """Read at hour 0, and from hour 80 on."""
    return [info(T0, "123"), *(energy(T0 + n * HOUR, str(n)) for n in (0, *range(80, 90)))]


def with_receipts(directory: Path) -> tuple[HistorySink, Receipts]:
    sink = HistorySink("history", settings(directory))
    receipts = Receipts(["history"])
    sink.take_receipts(receipts.of("history"))
    return sink, receipts


async def settled(receipt: Receipt) -> bool:
    async with asyncio.timeout(20):
        return await receipt.settled()


def exact_hours(directory: Path) -> list[RowOrigin | None]:
    """The origins of the bars of hours 0 to 89, each of which is exact."""
    assert broken_rules(path_in(directory), T0 + 200 * HOUR) == []
    with closing(History(path_in(directory))) as history:
        made = bars(history.counter("heat", "heat_energy"), [T0 + n * HOUR for n in range(90)])
    assert {(bar.difference, bar.estimated, bar.complete) for bar in made} == {(Decimal(1), False, True)}
    return [bar.origin for bar in made]


async def test_it_is_in_the_file_when_it_is_confirmed(tmp_path: Path) -> None:
    sink, receipts = with_receipts(tmp_path)
    assert sink.takes_past
    async with running(sink) as queue:
        receipt = receipts.issue()
        queue.put(*lived(), past(1, 79, receipt.key))
        assert await settled(receipt)
        assert exact_hours(tmp_path) == [*[RowOrigin.LOGGER] * 80, *[RowOrigin.MEASURED] * 9]
        again = receipts.issue()
        queue.put(past(1, 85, again.key))
        assert await settled(again)
    assert exact_hours(tmp_path) == [*[RowOrigin.LOGGER] * 80, *[RowOrigin.MEASURED] * 9]


async def test_what_has_no_row_is_confirmed(tmp_path: Path) -> None:
    sink, receipts = with_receipts(tmp_path)
    async with running(sink) as queue:
        receipt = receipts.issue()
        queue.put(*lived(), past(1, 0, receipt.key))
        assert await settled(receipt)


async def test_before_the_first_reading_and_of_another_device_it_is_lost(tmp_path: Path) -> None:
    sink, receipts = with_receipts(tmp_path)
    async with running(sink) as queue:
        early, other = receipts.issue(), receipts.issue()
        queue.put(past(1, 79, early.key))
        assert not await settled(early)
        queue.put(*lived(), past(1, 79, other.key, serial="124"))
        assert not await settled(other)


async def test_with_a_full_disk_nothing_is_confirmed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink, receipts = with_receipts(tmp_path)
    async with running(sink) as queue:
        first, second = receipts.issue(), receipts.issue()
        with monkeypatch.context() as patch:
            patch.setattr(store_module, "LEAST_FREE", 2**62)
            queue.put(*lived(), past(1, 79, first.key))
            assert not await settled(first)
        assert "what is not written waits in memory" in caplog.text
        queue.put(past(1, 79, second.key))
        assert await settled(second)
    assert exact_hours(tmp_path)[40] is RowOrigin.LOGGER


async def test_what_contradicts_is_counted_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sink, receipts = with_receipts(tmp_path)
    wrong = past(95, 99)
    for row in wrong["rows"]:
        row["measured_at"] -= timedelta(hours=60)
    async with running(sink) as queue:
        queue.put(*lived())
        for _ in range(3):
            receipt = receipts.issue()
            queue.put({**wrong, "receipt": receipt.key})
            assert await settled(receipt), "it will not fit the next time either"
    told = [record for record in caplog.records if "contradict what is stored" in record.getMessage()]
    assert len(told) == 1
    assert "5 values of the hour logger of heat" in told[0].getMessage()


async def test_a_fault_in_it_costs_it_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sink, receipts = with_receipts(tmp_path)
    async with running(sink) as queue:
        receipt, good = receipts.issue(), receipts.issue()
        broken: Past = {**past(1, 79, receipt.key), "rows": ({"broken": 1},)}  # type: ignore[typeddict-item,typeddict-unknown-key]
        queue.put(*lived(), broken)
        assert not await settled(receipt)
        queue.put(reading(T0 + 90 * HOUR, {"heat_energy": ("90", "kWh")}), past(1, 79, good.key))
        assert await settled(good)
    assert sink.internal_errors == 1
    assert "internal_error" in caplog.text
    assert exact_hours(tmp_path)[40] is RowOrigin.LOGGER


# It kills itself so many seconds after so many windows were confirmed: who stands outside is late for that.
_CLIENT = """
import asyncio, os, signal, sys, threading, time
from pathlib import Path
from tests.history.homes import energy, info
from tests.sinks.history.test_past import past, settled, with_receipts
from tests.peers.feed import Feed

def die(pause: float) -> None:
    time.sleep(pause)
    os.kill(os.getpid(), signal.SIGKILL)

async def main(directory: Path, windows: int, pause: float) -> None:
    done = directory / "done"  # the client's own memory
    sink, receipts = with_receipts(directory)
    queue = Feed()
    task = asyncio.create_task(sink.run(queue.messages()))
    now = int(time.time())
    queue.put(info(now, "123"), energy(now, "200"))
    for window in range(16):
        if str(window) in (done.read_text().split() if done.exists() else []):
            continue
        if windows == 0:
            threading.Thread(target=die, args=[pause], daemon=True).start()
        windows -= 1
        receipt = receipts.issue()
        queue.put(past(5 * window + 1, 5 * window + 5, receipt.key))
        if await settled(receipt):
            with done.open("a") as file:
                file.write(f"{window} ")
    queue.end()
    await task
    print("all is done")

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
"""


def _lived_through(directory: Path, windows: int = -1, pause: float = 0) -> tuple[int, str]:
    """Let the client begin, and die ``pause`` seconds after so many windows; its exit code and its word."""
    life = subprocess.run(
        [*STARTED, "client", str(directory), str(windows), str(pause)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=directory.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), _HOUR_OF_THE_TEST: str(T0 + 100 * HOUR)},
        timeout=60,
        check=False,
    )
    return life.returncode, life.stdout


def test_killed_at_any_point_it_leaves_neither_hole_nor_double(tmp_path: Path) -> None:
    chance = random.Random(16)
    (tmp_path / "client.py").write_text(_CLIENT)
    for number in range(6):
        directory = tmp_path / str(number)
        directory.mkdir()
        keep(path_in(directory), lived())
        lives = [_lived_through(directory, chance.randrange(4), chance.uniform(0, 0.01)) for _ in range(3)]
        assert lives[0] == (-signal.SIGKILL, ""), lives
        assert _lived_through(directory) == (0, "all is done\n")
        assert exact_hours(directory).count(RowOrigin.LOGGER) == 80
