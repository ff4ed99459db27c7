"""The loggers of emulated meters: what they hold, what they answer, and every trouble there is on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from smart_meter_reader.codecs.kmp import OtherMessage
from smart_meter_reader.codecs.kmp.commands import HEAT_METER, LOGGER_BASE, LOGGER_TOP
from smart_meter_reader.codecs.kmp.frame import decode_frame
from smart_meter_reader.codecs.kmp.loggers import (
    EventStatusRequest,
    LogAnswer,
    Logger,
    LoggerInfo,
    LogIdPastAbsRequest,
    LogLastEntryPastAbsRequest,
    LogRecords,
    LogRow,
    LogTimePastRequest,
    LogTimePresentRequest,
    RecordInfo,
    log_time,
)
from smart_meter_reader.codecs.kmp.loggers.describe import describe_logger_message
from smart_meter_reader.codecs.kmp.message import Request, Response, decode_response
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import on_pty
from smart_meter_reader.exceptions import (
    LoggerRefusedError,
    MeterSilentError,
    NoSuchLoggerError,
    NotInLoggerError,
    UnusableAnswersError,
)
from smart_meter_reader.meters.kmp.connection import KmpConnection, Timing
from smart_meter_reader.meters.kmp.emulated_loggers.contents import LoggerPast
from smart_meter_reader.meters.kmp.emulated_values import values_of
from smart_meter_reader.meters.kmp.emulator import FAULTS, KamstrupMeter
from smart_meter_reader.meters.kmp.loggers.places import AnyLogger, PastLogger, RecordLog
from smart_meter_reader.meters.kmp.loggers.walk import read_extent, read_pages, read_window
from smart_meter_reader.transport import LineSettings

START = datetime(2026, 1, 15, 12, 30, 5, tzinfo=UTC)
HOUR, DAY, MONTH, YEAR = (
    PastLogger(logger) for logger in (Logger.HOUR, Logger.DAY, Logger.MONTH, Logger.YEAR)
)
FAST = LineSettings(115_200, 8, "N", 2)
QUICK = Timing(first_answer=0.3, answer=0.3, gap=0.06, quiet=0.01, late=0.1, slow_answer=0.6)


def meter(
    model: str = "403", *faults: str, seed: int = 1, start: datetime = START, **options: Any
) -> KamstrupMeter:
    clock = {name: options.pop(name) for name in ("zone", "drift") if name in options}
    return KamstrupMeter(
        model,
        values=values_of(model, seed, {}, start, **clock),
        faults=parse_faults(faults, FAULTS, with_subject=frozenset({"omit"})),
        rate=0.0,
        reply_delay=0.0,
        **options,
    )


@asynccontextmanager
async def conversation(emulated: KamstrupMeter, retries: int = 2) -> AsyncIterator[KmpConnection]:
    async with (
        on_pty(emulated) as path,
        KmpConnection(path, FAST, timing=QUICK, retries=retries) as connection,
    ):
        yield connection


async def newest(emulated: KamstrupMeter, logger: AnyLogger, count: int = 1, *registers: int) -> list[LogRow]:
    async with conversation(emulated) as connection:
        found = await read_extent(connection, logger)
        assert found is not None
        return [*await read_window(connection, logger, found.newest, count, registers or (348, 60, 68))]


def number(row: LogRow, register: int = 60) -> Decimal:
    value = row.by_id()[register].value
    assert isinstance(value, Decimal)
    return value


def stamp(row: LogRow) -> str:
    time = row.time
    assert time is not None
    return time.text


@pytest.mark.parametrize(
    ("logger", "depth", "first", "second"),
    [
        (HOUR, 72, "2026-01-15T12:00:04", "2026-01-15T11:00:04"),
        (DAY, 460, "2026-01-15T00:00:04", "2026-01-14T00:00:04"),
        (MONTH, 36, "2026-01-01T00:00:04", "2025-12-01T00:00:04"),
        (YEAR, 16, "2026-01-01T00:00:04", "2025-01-01T00:00:04"),
    ],
)
async def test_loggers_of_a_403(logger: PastLogger, depth: int, first: str, second: str) -> None:
    async with conversation(meter()) as connection:
        found = await read_extent(connection, logger)
        assert found is not None
        assert found.newest - found.oldest + 1 == depth
        rows = await read_window(connection, logger, found.newest, depth, (348, 60, 68))
        configuration = await connection.read_logger_configuration(logger.number)
    assert (stamp(rows[0]), stamp(rows[1])) == (first, second)
    energies = [number(row) for row in rows]
    assert energies == sorted(energies, reverse=True)
    assert all(energy >= 0 for energy in energies)
    assert configuration.depth == (30 if logger == YEAR else depth)
    assert {348, 60, 68} <= set(configuration.registers)


async def test_entries_end_at_the_live_counters() -> None:
    emulated = meter(start=datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC))
    async with conversation(emulated) as connection:
        live = await connection.read_registers((60, 68))
    (row,) = await newest(emulated, HOUR)
    assert number(row, 60) == live[60].value
    assert number(row, 68) == live[68].value
    emulated.advance(3600)
    (later,) = await newest(emulated, HOUR)
    async with conversation(emulated) as connection:
        assert number(later) == (await connection.read_registers((60,)))[60].value
    assert later.log_id == row.log_id + 1
    assert number(later) > number(row)


@pytest.mark.parametrize("logger", [HOUR, DAY, MONTH])
async def test_the_same_seed_and_start_are_the_same_past(logger: PastLogger) -> None:
    async def past(seed: int) -> list[LogRow]:
        return await newest(meter(seed=seed), logger, 30)

    assert await past(7) == await past(7)
    assert await past(7) != await past(8)


async def test_what_was_logged_stays_as_time_goes_on() -> None:
    emulated = meter()
    before = await newest(emulated, HOUR, 24)
    emulated.advance(3 * 86_400 - 48 * 3600)
    after = await newest(emulated, HOUR, 48)
    assert after[24:] == before


@pytest.mark.parametrize("limit", [128, 256, 32_000])
async def test_answers_end_at_the_limit(limit: int) -> None:
    emulated = meter(answer_limit=limit)
    async with conversation(emulated) as connection:
        found = await read_extent(connection, DAY)
        assert found is not None
        pages = [len(page) async for page in read_pages(connection, DAY, found.newest, 100, (348, 60, 68))]
    assert pages[0] == min(100, 1 + (limit - 15 - 30) // 15)
    assert sum(pages) == 100


async def test_more_registers_than_an_answer_takes_are_truncated() -> None:
    answer = await one(meter(answer_limit=32), LogIdPastAbsRequest(5, 140_600, 1, (348, 60, 68)))
    assert isinstance(answer, LogAnswer)
    assert answer.info & LoggerInfo.REGISTERS_TRUNCATED
    assert [register.register for register in answer.rows[0].registers] == [348]


async def one(emulated: KamstrupMeter, request: Request, address: int = HEAT_METER) -> Response:
    """What the meter answers at its start."""
    raw = emulated.answer(request, 0.0, address)
    assert raw is not None
    return decode_response(decode_frame(raw))


async def test_midnight_during_the_walk() -> None:
    emulated = meter(start=datetime(2026, 1, 15, 23, 59, 59, tzinfo=UTC), answer_limit=128)
    async with conversation(emulated) as connection:
        found = await read_extent(connection, DAY)
        assert found is not None
        ids = []
        async for page in read_pages(connection, DAY, found.newest, 20, (348, 60, 68)):
            ids += [row.log_id for row in page]
            emulated.advance(2)
        again = await read_extent(connection, DAY)
    assert ids == list(range(found.newest, found.newest - 20, -1))
    assert again is not None
    assert (again.oldest, again.newest) == (found.oldest + 1, found.newest + 1)


async def test_decimals_that_changed_in_the_middle() -> None:
    emulated = meter(past=LoggerPast(format_changed=-5 * 3600.0))
    async with conversation(emulated) as connection:
        found = await read_extent(connection, HOUR)
        assert found is not None
        pages = [page async for page in read_pages(connection, HOUR, found.newest, 24, (348, 60))]
    assert [len(page) for page in pages] == [5, 19]
    assert [page[0].by_id()[60].sign_exponent for page in pages] == [0x43, 0x42]
    energies = [number(row) for page in pages for row in page]
    assert energies == sorted(energies, reverse=True)


async def test_ids_that_begin_anew() -> None:
    emulated = meter(past=LoggerPast(reset=3600.0))
    (before,) = await newest(emulated, HOUR)
    assert before.log_id > 100_000
    emulated.advance(3600)
    async with conversation(emulated) as connection:
        assert await read_extent(connection, HOUR) is None
        emulated.advance(2 * 3600)
        found = await read_extent(connection, HOUR)
    assert found is not None
    assert (found.oldest, found.newest) == (1, 2)


async def test_an_empty_logger_sends_a_row_of_zeros() -> None:
    answer = await one(meter("403", "empty"), LogLastEntryPastAbsRequest(4, 65_535, 1, (348, 60)))
    assert isinstance(answer, LogAnswer)
    assert (answer.info, answer.entries, answer.width) == (LoggerInfo.EMPTY, 1, 2)
    assert answer.unread == bytes.fromhex("015c4f0700" + "00" * 7 + "003c080400" + "00" * 4)


@pytest.mark.parametrize("answers", [1, 3])
async def test_sleep_after_some_answers(answers: int) -> None:
    emulated = meter("403", f"doze:1/{answers}", answer_limit=128)
    async with conversation(emulated) as connection:
        found = await read_extent(connection, HOUR)
        assert found is not None
        rows = await read_window(connection, HOUR, found.newest, 24, (348, 60, 68))
    assert len(rows) == 24
    assert connection.counters.retries == 4 // answers


@pytest.mark.parametrize("fault", ["surplus:1", "cut:1", "shift:1"])
async def test_a_lie_is_asked_for_again(fault: str) -> None:
    # The first answer with rows is that to the question for the ids, which no id was asked for with.
    emulated = meter("403", fault.replace("surplus:1", "surplus:2").replace("cut:1", "cut:2"))
    rows = await newest(emulated, HOUR, 5)
    assert len({row.log_id for row in rows}) == 5
    assert rows == await newest(meter(), HOUR, 5)


@pytest.mark.parametrize("fault", ["surplus", "cut", "shift"])
async def test_a_meter_that_always_lies_gives_no_row(fault: str) -> None:
    async with conversation(meter("403", fault)) as connection:
        with pytest.raises(UnusableAnswersError):
            await read_window(connection, HOUR, 140_600, 5, (348, 60))


async def test_a_memory_that_failed() -> None:
    async with conversation(meter("603", "memory")) as connection:
        with pytest.raises(LoggerRefusedError, match="memory error"):
            await read_extent(connection, HOUR)


async def test_a_logger_that_is_not_there() -> None:
    async with conversation(meter("403")) as connection:
        with pytest.raises(NoSuchLoggerError):
            await read_extent(connection, PastLogger(Logger.SOFTWARE_DOWNLOAD_AUDIT))


@pytest.mark.parametrize("model", ["21", "302", "402", "601", "602"])
async def test_models_that_do_not_know_the_command_are_silent(model: str) -> None:
    async with conversation(meter(model), retries=0) as connection:
        with pytest.raises(MeterSilentError):
            await connection.read_logger_configuration(Logger.HOUR)
        assert await connection.read_serial_number()


@pytest.mark.parametrize("address", [LOGGER_TOP, LOGGER_BASE])
async def test_the_module_of_a_601(address: int) -> None:
    emulated = meter("601", module=address)
    async with conversation(emulated, retries=0) as connection:
        found = await read_extent(connection, RecordLog(address))
        assert found is not None
        assert found.newest - found.oldest + 1 == 1440
        rows = await read_window(connection, RecordLog(address), found.newest, 30, (1003, 1002, 60))
        with pytest.raises(MeterSilentError):
            await read_extent(connection, RecordLog(LOGGER_TOP + LOGGER_BASE - address))
        with pytest.raises(NotInLoggerError):
            await read_window(connection, RecordLog(address), found.oldest, 2, (60,))
        assert (await connection.read_type()).meter_type == "0001"
    assert stamp(rows[0]) == "2026-01-15T12:00:04"
    assert [row.log_id for row in rows] == list(range(found.newest, found.newest - 30, -1))
    assert number(rows[0]) == number((await newest(meter("403"), HOUR))[0])


async def test_what_a_module_is_asked_by_time() -> None:
    emulated = meter("601", module=LOGGER_TOP)
    at = log_time(datetime(2026, 1, 15, 9, 30))  # noqa: DTZ001 - the meter knows no zone
    later = await one(emulated, LogTimePresentRequest(1, (1003, 1002), 2, 128, at), LOGGER_TOP)
    assert isinstance(later, LogRecords)
    assert [stamp(row) for row in later.rows] == ["2026-01-15T10:00:04", "2026-01-15T11:00:04"]
    earlier = await one(emulated, LogTimePastRequest(1, (1003, 1002), 2, 128, at, 1), LOGGER_TOP)
    assert isinstance(earlier, LogRecords)
    assert [stamp(row) for row in earlier.rows] == ["2026-01-15T08:00:04", "2026-01-15T07:00:04"]
    end = await one(emulated, LogTimePresentRequest(1, (60,), 9, 128, at), LOGGER_TOP)
    assert isinstance(end, LogRecords)
    assert end.info == RecordInfo.END_REACHED
    status = await one(emulated, EventStatusRequest(), LOGGER_TOP)
    assert describe_logger_message(status)["event_status"]["unread_interval_records"] is True


def test_a_module_answers_nothing_else() -> None:
    emulated = meter("601", module=LOGGER_TOP)
    assert emulated.answer(OtherMessage(0x9C, bytes(8)), 0.0, LOGGER_TOP) is None
    assert emulated.answer(LogLastEntryPastAbsRequest(5, 0, 1, (60,)), 0.0) is None


async def test_summer_time_stands_beside_standard_time() -> None:
    vienna = ZoneInfo("Europe/Vienna")
    # Two hours after the clock was put back, at 3:00 summer time, on 25 October 2026.
    emulated = meter(start=datetime(2026, 10, 25, 3, 10, tzinfo=UTC), zone=vienna)
    rows = await newest(emulated, HOUR, 5)
    told = [(row.time.text, row.time.dst_minutes) for row in rows if row.time is not None]
    assert told == [
        ("2026-10-25T04:00:04", 0),
        ("2026-10-25T03:00:04", 0),
        ("2026-10-25T02:00:04", 0),
        ("2026-10-25T01:00:04", 60),
        ("2026-10-25T00:00:04", 60),
    ]


@pytest.mark.parametrize("drift", [-600.0, 150.0, 3600.0])
async def test_a_drifted_clock(drift: float) -> None:
    emulated = meter(drift=drift)
    async with conversation(emulated) as connection:
        now = (await connection.read_registers((348,)))[348].value
    told = datetime.fromisoformat(str(now)).replace(tzinfo=UTC)
    assert told == START + timedelta(seconds=drift)
    (true,) = await newest(meter(), HOUR)
    async with conversation(emulated) as connection:
        (row,) = await read_window(connection, HOUR, true.log_id, 1, (348, 60, 68))
    # The same full hour by its clock, and what it had counted by then: earlier where the clock is ahead.
    assert stamp(row) == stamp(true)
    assert (number(row, 68) < number(true, 68)) is (drift > 0)


async def test_events_are_logged_with_their_code() -> None:
    rows = await newest(meter("603"), PastLogger(Logger.INFO), 2, 348, 369, 60)
    assert [row.by_id()[369].value for row in rows] == [0, 256]
    async with conversation(meter("603")) as connection:
        assert (await connection.read_registers((113,)))[113].value == len(rows)


async def test_many_ask_at_once() -> None:
    emulated = meter(answer_limit=128)
    first, second = await asyncio.gather(newest(emulated, HOUR, 24), newest(emulated, HOUR, 24))
    assert first == second


def test_no_answer_is_longer_than_a_frame() -> None:
    emulated = meter("603")
    raw = emulated.answer(LogIdPastAbsRequest(4, 5_858, 65_535, tuple(range(60, 400))[:255]), 0.0)
    assert raw is not None
    assert isinstance(decode_response(decode_frame(raw)), LogAnswer)
