"""Walking through loggers over real ptys: every page size, both generations, what refuses, what lies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from benchmarks.processes import child, first_line, start_meters
from smart_meter_reader.codecs.kmp.loggers import Logger, LogRow
from smart_meter_reader.emulators.stream import on_pty
from smart_meter_reader.exceptions import (
    LoggerRefusedError,
    MeterSilentError,
    NoSuchLoggerError,
    NotInLoggerError,
    UnusableAnswersError,
)
from smart_meter_reader.meters.kmp.connection import KmpConnection, Timing
from smart_meter_reader.meters.kmp.loggers.places import AnyLogger, LoggerExtent, PastLogger, RecordLog
from smart_meter_reader.meters.kmp.loggers.walk import read_extent, read_pages, read_window
from smart_meter_reader.transport import LineSettings
from tests.peers.foreign_loggers import ForeignLoggers, stamp
from tests.peers.foreign_meter import frame, unstuffed

DAY = PastLogger(Logger.DAY)
LOG = RecordLog()
THREE = (348, 60, 68)
FAST = LineSettings(115_200, 8, "N", 2)
QUICK = Timing(first_answer=0.3, answer=0.3, gap=0.06, quiet=0.01, late=0.1, slow_answer=0.6)

Change = Callable[[bytes], bytes]


class Lying(ForeignLoggers):
    """Changes what its answers carry, the first so many times; each is framed anew, with a right checksum."""

    def __init__(self, change: Change, times: int = 1) -> None:
        super().__init__()
        self._change = change
        self._times = times

    def answer(self, request: bytes) -> bytes:
        answer = super().answer(request)
        if self._times <= 0:
            return answer
        self._times -= 1
        return frame(0x40, self._change(unstuffed(answer)))


@asynccontextmanager
async def conversation(meter: ForeignLoggers, retries: int = 3) -> AsyncIterator[KmpConnection]:
    async with (
        on_pty(meter) as path,
        KmpConnection(path, FAST, timing=QUICK, retries=retries) as connection,
    ):
        yield connection


@pytest.mark.parametrize("logger", [DAY, LOG], ids=["B8h", "A0h"])
async def test_the_ids_that_a_logger_holds(logger: AnyLogger) -> None:
    meter = ForeignLoggers()
    async with conversation(meter) as connection:
        found = await read_extent(connection, logger)
    assert isinstance(found, LoggerExtent)
    assert (found.oldest, found.newest, found.row.log_id) == (186, 645, 186)
    assert len(meter.asked) == 1


@pytest.mark.parametrize("logger", [DAY, LOG], ids=["B8h", "A0h"])
async def test_an_empty_logger_holds_none(logger: AnyLogger) -> None:
    async with conversation(ForeignLoggers(empty=True)) as connection:
        assert await read_extent(connection, logger) is None
        with pytest.raises(NotInLoggerError, match="logger is empty"):
            await read_window(connection, logger, 0, 1, THREE)


@pytest.mark.parametrize("limit", [65, 128, 256, 1 << 16])
@pytest.mark.parametrize("logger", [DAY, LOG], ids=["B8h", "A0h"])
async def test_a_window_is_whole_whatever_the_page(logger: AnyLogger, limit: int) -> None:
    meter = ForeignLoggers(limit=limit)
    async with conversation(meter) as connection:
        rows = await read_window(connection, logger, 600, 50, THREE)
    assert [row.log_id for row in rows] == list(range(600, 550, -1))
    for row in rows:
        registers = row.by_id()
        assert registers[348].mantissa == stamp(row.log_id)
        assert int.from_bytes(registers[60].mantissa, "big") == row.log_id * 1000 + 60
    if logger == DAY:
        # After the head, 30 bytes for the first row and 15 for each further one.
        page = min(50, 1 + (limit - 15 - 30) // 15)
        assert len(meter.asked) == -(-50 // page)
    assert connection.counters.retries == 0


async def test_the_pages_are_told_one_by_one() -> None:
    async with conversation(ForeignLoggers(limit=128)) as connection:
        pages = [len(page) async for page in read_pages(connection, DAY, 645, 20, THREE)]
    assert pages == [6, 6, 6, 2]


async def test_a_change_of_format_is_a_page_of_its_own() -> None:
    async with conversation(ForeignLoggers(format_until=640)) as connection:
        pages = [len(page) async for page in read_pages(connection, DAY, 645, 20, THREE)]
    assert pages == [5, 15]


@pytest.mark.parametrize(("first", "count"), [(646, 1), (190, 10), (100, 1)])
@pytest.mark.parametrize("logger", [DAY, LOG], ids=["B8h", "A0h"])
async def test_entries_that_are_not_there(logger: AnyLogger, first: int, count: int) -> None:
    async with conversation(ForeignLoggers()) as connection:
        with pytest.raises(NotInLoggerError):
            await read_window(connection, logger, first, count, THREE)


async def test_newer_entries_meanwhile_change_nothing() -> None:
    meter = ForeignLoggers(limit=128)
    async with conversation(meter) as connection:
        rows: list[LogRow] = []
        async for page in read_pages(connection, DAY, 645, 20, THREE):
            rows += page
            meter.newest += 1
    assert [row.log_id for row in rows] == list(range(645, 625, -1))


async def test_record_ids_begin_anew() -> None:
    async with conversation(ForeignLoggers(newest=65_540, depth=20)) as connection:
        found = await read_extent(connection, LOG)
        assert found is not None
        assert (found.oldest, found.newest) == (65_521, 65_540)
        rows = await read_window(connection, LOG, found.newest, 20, (60, 68))
    assert [row.log_id for row in rows] == list(range(65_540, 65_520, -1))


@pytest.mark.parametrize(("newest", "depth"), [(645, 460), (645, 1), (645, 2), (1000, 1000), (70_000, 1440)])
async def test_a_log_that_a_time_before_its_first_record_is_out_of_range_of(newest: int, depth: int) -> None:
    meter = ForeignLoggers(newest=newest, depth=depth, strict=True)
    async with conversation(meter) as connection:
        found = await read_extent(connection, LOG)
        assert found is not None
        assert found.newest - found.oldest + 1 == depth
        assert found.oldest == (newest - depth + 1) % 65_536
        assert found.row.log_id == found.oldest
        rows = await read_window(connection, LOG, found.newest, min(depth, 30), (1003, 1002, 60))
    assert len(rows) == min(depth, 30)
    assert len(meter.asked) < 35


async def test_registers_that_the_logger_lacks_are_left_out() -> None:
    async with conversation(ForeignLoggers()) as connection:
        (row,) = await read_window(connection, DAY, 645, 1, (348, 60, 999))
        assert sorted(row.by_id()) == [60, 348]


async def test_a_meter_that_does_not_know_the_command_is_silent() -> None:
    class Water(ForeignLoggers):
        def answer(self, request: bytes) -> bytes:
            return b""

    async with conversation(Water(), retries=1) as connection:
        with pytest.raises(MeterSilentError):
            await read_extent(connection, DAY)


def changed(position: int, new: bytes) -> Change:
    return lambda content: content[:position] + new + content[position + len(new) :]


LIES = {
    "another logger": changed(3, b"\x05"),
    "another sub-command": changed(2, b"\x07"),
    "another first id": changed(7, b"\x00\x00\x02\x84"),
    "fewer entries than rows": changed(4, b"\x00\x02"),
    "more entries than rows": changed(4, b"\x00\x09"),
    "a register less": changed(6, b"\x02"),
    "a byte left over": lambda content: content + b"\x00",
    "a cut row": lambda content: content[:-1],
    "another module": changed(0, b"\x7f"),
}


@pytest.mark.parametrize("change", LIES.values(), ids=LIES)
async def test_what_was_not_asked_for_is_asked_for_again(change: Change) -> None:
    async with conversation(Lying(change)) as connection:
        rows = await read_window(connection, DAY, 645, 5, THREE)
        assert [row.log_id for row in rows] == [645, 644, 643, 642, 641]
        assert connection.counters.retries == 1


@pytest.mark.parametrize("change", LIES.values(), ids=LIES)
async def test_what_never_comes_right_gives_no_row(change: Change) -> None:
    async with conversation(Lying(change, times=99), retries=1) as connection:
        with pytest.raises(UnusableAnswersError):
            await read_window(connection, DAY, 645, 5, THREE)


@pytest.mark.parametrize(
    ("info", "kind"),
    [
        (b"\x00\x01", NotInLoggerError),
        (b"\x00\x02", NotInLoggerError),
        (b"\x01\x00", LoggerRefusedError),
        (b"\x02\x00", NoSuchLoggerError),
        (b"\x04\x00", LoggerRefusedError),
    ],
)
async def test_info_that_speaks_against_rows(info: bytes, kind: type[LoggerRefusedError]) -> None:
    async with conversation(Lying(changed(15, info))) as connection:
        with pytest.raises(kind) as caught:
            await read_window(connection, DAY, 645, 5, THREE)
        assert type(caught.value) is kind
        assert connection.counters.retries == 0


async def test_none_of_the_registers() -> None:
    class Lacking(ForeignLoggers):
        def answer(self, request: bytes) -> bytes:
            return frame(0x40, unstuffed(request)[:4] + bytes.fromhex("0000 00 00000285 00000285 0008"))

    async with conversation(Lacking()) as connection:
        with pytest.raises(LoggerRefusedError, match="register not supported"):
            await read_window(connection, DAY, 645, 5, (999,))


async def test_an_old_log_takes_eight_registers() -> None:
    async with conversation(ForeignLoggers()) as connection:
        with pytest.raises(ValueError, match="8 registers at most"):
            await read_window(connection, LOG, 645, 5, tuple(range(9)))


async def test_an_answer_longer_than_what_the_system_keeps_unread() -> None:
    # 460 rows are 7 KiB. A line discipline keeps 4 KiB of a serial line, and loses what else arrives.
    with child(start_meters("paced_meter", "16")) as meter:
        port = await asyncio.to_thread(first_line, meter)
        async with KmpConnection(port, LineSettings(19_200, 8, "N", 2)) as connection:
            rows = await read_window(connection, DAY, 645, 460, THREE)
            assert connection.counters.retries == 0
    assert [row.log_id for row in rows] == list(range(645, 185, -1))
