"""The memory of an emulated MULTICAL 66C, read over a pseudo-terminal and over TCP, with every fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from smart_meter_reader.codecs.iec62056_21.scaling import Scaling, parse_program, scaling_of_program
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import EmulatedMeter, on_pty, on_tcp
from smart_meter_reader.exceptions import MeterSilentError, ProtocolError
from smart_meter_reader.meters.backfill.stamps import to_utc
from smart_meter_reader.meters.iec62056_21.emulator import FAULTS, Iec62056Meter
from smart_meter_reader.meters.iec62056_21.line import LineTiming
from smart_meter_reader.meters.iec62056_21.log.emulated import STARTED, EmulatedCounters
from smart_meter_reader.meters.iec62056_21.log.line import LoggerLine, log_seconds
from smart_meter_reader.meters.iec62056_21.log.reader import LogRead, LogReader

pytestmark = pytest.mark.usefixtures("hurrying_loop")

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PROGRAM = scaling_of_program(parse_program("44119"))
COUNTERS = EmulatedCounters(Decimal(507_109), Decimal(1_296_626))


def emulated(*faults: str, **options: Any) -> Iec62056Meter:
    # Time stands still, so that what is true does not depend on how long a test takes.
    return Iec62056Meter(faults=parse_faults(faults, FAULTS), reply_delay=0.0, rate=0.0, **options)


def here_and_now() -> datetime:
    return to_utc(STARTED, COPENHAGEN)


@asynccontextmanager
async def reader_of(
    meter: EmulatedMeter, place: Any = on_pty, scaling: Scaling = PROGRAM, **options: Any
) -> AsyncIterator[LogReader]:
    context: AbstractAsyncContextManager[str] = place(meter)
    async with context as port:
        url = port if port.startswith("/") else f"socket://{port}"
        async with LoggerLine(url, timing=LineTiming.repeating_after(0.2)) as line:
            yield LogReader(line, scaling, COPENHAGEN, **{"now": here_and_now} | options)


def energies(read: LogRead) -> dict[datetime, Decimal]:
    found = {}
    for row in read.rows:
        if "heat_energy" in row.measurements:
            value = row.measurements["heat_energy"]["value"]
            assert isinstance(value, Decimal)
            found[row.measured_at] = value
    return found


def true_energies(rows: int, newest: datetime, step: timedelta) -> dict[datetime, Decimal]:
    """By the meter's own count, at the ends of periods."""
    ends = [newest - step * place for place in range(rows)]
    return {
        (end - HOUR).replace(tzinfo=UTC): Decimal(COUNTERS.energy_at(end)).scaleb(-3)
        for end in reversed(ends)
    }


MIDNIGHT = datetime(2017, 10, 28)  # noqa: DTZ001 - by the meter's clock
FULL = STARTED.replace(minute=0, second=0)


@pytest.mark.parametrize("place", [on_pty, on_tcp])
async def test_days_are_counters_from_the_months_before_them(place: Any) -> None:
    async with reader_of(emulated(), place) as reader:
        read = await reader.read("day")
    assert energies(read) == true_energies(60, MIDNIGHT, DAY)
    assert (read.doubtful, read.told, read.clock_ahead) == (0, (), timedelta(0))


async def test_hours_are_counters_from_the_days_before_them() -> None:
    seen: list[tuple[str, int, int]] = []
    async with reader_of(emulated(), progress=lambda *told: seen.append(told)) as reader:
        read = await reader.read("hour")
    assert energies(read) == true_energies(960, FULL, HOUR)
    assert [row.measured_at for row in read.rows] == sorted(energies(read))
    assert {"month", "day", "hour"} == {logger for logger, _, _ in seen}
    assert seen[-1] == ("hour", 960, 960)


async def test_each_table_is_asked_for_once() -> None:
    meter = emulated()
    async with reader_of(meter) as reader:
        for logger in ("month", "day", "hour", "day", "month"):
            await reader.read(logger)
    assert [asked for asked in meter.asked if asked not in (b"/#D", b"/#1")] == [b"/#5", b"/#6", b"/#7"]


@pytest.mark.parametrize(("logger", "rows"), [("month", 31), ("year", 15), ("info", 6)])
async def test_other_loggers(logger: str, rows: int) -> None:
    async with reader_of(emulated()) as reader:
        read = await reader.read(logger)
    assert len(read.rows) == rows
    assert read.doubtful == 0


@pytest.mark.parametrize("logger", ["month", "day", "hour"])
@pytest.mark.parametrize(
    "fault", ["busy:2", "drop:1/2", "echo", "torn:1", "lineloss:1", "truncate:1/3", "noise:1/3"]
)
async def test_a_fault_costs_repeats_or_rows_and_never_a_wrong_value(logger: str, fault: str) -> None:
    async with reader_of(emulated(fault)) as reader:
        read = await reader.read(logger)
    step, newest, rows = {
        "month": (DAY, MIDNIGHT, 1000),
        "day": (DAY, MIDNIGHT, 60),
        "hour": (HOUR, FULL, 960),
    }[logger]
    assert energies(read).items() <= true_energies(rows, newest, step).items()
    assert read.doubtful or len(read.rows) in (31, 60, 960)


async def test_a_torn_table_gives_what_is_whole_and_counts_the_rest() -> None:
    async with reader_of(emulated("torn")) as reader:
        read = await reader.read("month")
    assert len(read.rows) == 15
    assert read.doubtful == 1
    assert "breaks off" in read.told[0]


async def test_a_day_that_is_lost_parts_the_counters_and_both_parts_are_right() -> None:
    async with reader_of(emulated("lineloss")) as reader:
        read = await reader.read("day")
    true = true_energies(60, MIDNIGHT, DAY)
    missing = set(true) - set(energies(read))
    assert len(missing) == 1
    assert energies(read).items() <= true.items()


async def test_a_silent_meter_is_told() -> None:
    async with reader_of(emulated("drop")) as reader:
        with pytest.raises(MeterSilentError):
            await reader.read("month")


@pytest.mark.parametrize("away", [timedelta(days=3), -timedelta(days=400)])
async def test_a_meter_with_a_wrong_calendar_is_not_read(away: timedelta) -> None:
    async with reader_of(emulated(), now=lambda: here_and_now() + away) as reader:
        with pytest.raises(ProtocolError, match="wrong_clock"):
            await reader.read("month")


async def test_a_clock_that_goes_wrong_is_told() -> None:
    async with reader_of(emulated(), now=lambda: here_and_now() - timedelta(minutes=7)) as reader:
        assert (await reader.read("month")).clock_ahead == timedelta(minutes=7)


async def test_what_its_clock_says_now_is_not_what_it_said_before_a_long_table() -> None:
    async with reader_of(emulated()) as reader:
        asked = await reader.clock_now()
        await asyncio.sleep(660)
        assert timedelta(0) <= await reader.clock_now() - asked - timedelta(minutes=11) < timedelta(seconds=5)
        assert abs(await reader.clock() - asked) < timedelta(seconds=1)


async def test_at_the_turn_of_an_hour_no_hour_has_a_time() -> None:
    async with reader_of(
        emulated(started=STARTED.replace(minute=59, second=58)), now=lambda: here_and_now() + HOUR
    ) as reader:
        read = await reader.read("hour")
    assert not read.rows
    assert read.doubtful == 960


async def test_growth_that_months_contradict_gives_no_counter() -> None:
    class Contradicting(Iec62056Meter):
        def _log(self, request: str, seconds: float, customer_no: int) -> bytes:
            sent = super()._log(request, seconds, customer_no)
            return sent.replace(b"0170930 0505031", b"0170930 0505032") if request == "#5" else sent

    async with reader_of(Contradicting(reply_delay=0.0, rate=0.0)) as reader:
        read = await reader.read("day")
    september = [at for at in energies(read) if at < to_utc(datetime(2017, 10, 1), COPENHAGEN)]  # noqa: DTZ001
    assert not september
    assert len(read.rows) == 60
    assert "give no reading" in read.told[0]


async def test_without_units_there_is_no_counter() -> None:
    async with reader_of(emulated(), scaling=Scaling()) as reader:
        read = await reader.read("day")
    assert not energies(read)
    assert len(read.rows) == 60


def test_a_table_takes_as_long_as_its_bytes() -> None:
    assert [round(log_seconds(request)) for request in ("#5", "#6", "#7")] == [18, 42, 678]


def test_standard_time_is_that_of_the_winter() -> None:
    july = datetime(2026, 7, 1, 12)  # noqa: DTZ001 - by the meter's clock
    assert to_utc(july, COPENHAGEN) == datetime(2026, 7, 1, 11, tzinfo=UTC)
    assert to_utc(july, ZoneInfo("Australia/Sydney")) == datetime(2026, 7, 1, 2, tzinfo=UTC)
