"""The client `kamstrup` reads back what its meter keeps: over a pty, behind its live readings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from smart_meter_reader.codecs.kmp import (
    HEAT_METER,
    START_RESPONSE,
    GetSerialNoRequest,
    GetSerialNoResponse,
    RegisterValue,
    Request,
    encode_frame,
)
from smart_meter_reader.codecs.kmp.commands import LOGGER_TOP
from smart_meter_reader.codecs.kmp.loggers import (
    LogAnswer,
    Logger,
    LoggerConfigurationRequest,
    LoggerInfo,
    LogIdPastAbsRequest,
    LogLastEntryPastAbsRequest,
)
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import on_pty
from smart_meter_reader.messages.receipts import Receipts
from smart_meter_reader.meters.kmp.client import KamstrupClient
from smart_meter_reader.meters.kmp.emulated_values import values_of
from smart_meter_reader.meters.kmp.emulator import FAULTS, KamstrupMeter
from smart_meter_reader.meters.kmp.settings import KamstrupSettings
from smart_meter_reader.settings.schedule import Schedule
from tests.meters.kmp.loggers.logging_meter import LoggingMeter
from tests.peers.heard import Heard, once, running

pytestmark = pytest.mark.usefixtures("hurrying_loop")

DEPTHS = {Logger.MONTH: 36, Logger.DAY: 460, Logger.HOUR: 72}
SOON = Schedule(interval=timedelta(milliseconds=300))


def hours_ago(count: int) -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=count)


def logging_meter(**also: Any) -> LoggingMeter:
    defaults: dict[str, Any] = {"depths": DEPTHS, "born": hours_ago(2400), "reply_delay": 0.0}
    return LoggingMeter(**(defaults | also))


def client(port: str, receipts: Receipts, **settings: Any) -> KamstrupClient:
    defaults: dict[str, Any] = {
        "port": port,
        "baud": 115_200,
        "answer_timeout": timedelta(milliseconds=200),
        "mains_powered": True,
        "interval": Schedule(interval=timedelta(hours=1)),
        "logger_zone": "UTC",
    }
    reader = KamstrupClient("heat", KamstrupSettings(**(defaults | settings)))
    reader.take_receipts(receipts)
    return reader


def rows(heard: Heard, logger: str) -> list[tuple[int, datetime, Any]]:
    return [
        (row["log_id"], row["measured_at"], row["measurements"]["heat_energy"]["value"])
        for past in heard.of("past")
        if past["logger"] == logger
        for row in past["rows"]
    ]


@asynccontextmanager
async def reading(meter: KamstrupMeter, receipts: Receipts, **settings: Any) -> AsyncIterator[Heard]:
    async with on_pty(meter) as path, running(client(path, receipts, **settings)) as heard:
        yield heard


@pytest.mark.parametrize("drift", [-90.0, 45.0])
async def test_how_far_the_clock_is_off_is_part_of_the_health_of_the_meter(drift: float) -> None:
    receipts = Receipts(["history"])
    meter = logging_meter(values=values_of("403", 0, {}, drift=drift))
    async with on_pty(meter) as path:
        reader = client(path, receipts)
        async with running(reader) as heard:
            await heard.until(lambda: bool(heard.of("past")))
    # Seconds are cut off, and the emulated clock goes from the first question on.
    assert abs(reader.health["clock_drift"] - drift) <= 5


async def test_months_days_and_hours_follow_the_first_reading() -> None:
    meter, receipts = logging_meter(), Receipts(["history"])
    async with reading(meter, receipts) as heard:
        await heard.until(lambda: len(rows(heard, "hour")) == 72)
    assert [message["type"] for message in heard.messages[:3]] == ["info", "reading", "past"]
    assert list(dict.fromkeys(past["logger"] for past in heard.of("past"))) == ["month", "day", "hour"]
    oldest, newest = meter.extent(Logger.HOUR)
    found = rows(heard, "hour")
    assert [entry for entry, _, _ in found] == list(range(oldest, newest + 1))
    assert found[-1][1] == meter.born + timedelta(hours=newest + 1)
    assert [value for _, _, value in found] == [1000 + entry for entry in range(oldest, newest + 1)]
    assert len(rows(heard, "day")) == 100
    assert {past["serial_number"] for past in heard.of("past")} == {str(meter._values.serial_number)}


async def test_a_water_meter_that_knows_no_loggers_is_asked_once() -> None:
    meter, receipts = KamstrupMeter("302", reply_delay=0.0), Receipts(["history"])
    async with on_pty(meter) as path:
        reader = client(path, receipts, interval=SOON)
        async with running(reader) as heard:
            await heard.until(lambda: len(heard.readings) == 2)
            asked = [type(request).__name__ for request in meter.asked]
            await heard.until(lambda: len(heard.readings) == 5)
    assert asked.count("LoggerConfigurationRequest") == 3
    later = [type(request).__name__ for request in meter.asked]
    assert later.count("LoggerConfigurationRequest") == 3
    assert heard.of("past") == []
    # Nor after a restart.
    again = client("", receipts)
    again.recall(reader.memory)
    assert again.memory == reader.memory
    assert again.filling == ""


async def test_one_reading_and_no_more_where_one_was_asked_for() -> None:
    meter, receipts = logging_meter(), Receipts(["history"])
    async with on_pty(meter) as path:
        messages = await once(client(path, receipts))
    assert [message["type"] for message in messages] == ["info", "reading"]


@pytest.mark.parametrize("off", [{"logger": False}, {"logger_budget": timedelta(0)}])
async def test_it_can_be_turned_off(off: dict[str, Any]) -> None:
    meter, receipts = logging_meter(), Receipts(["history"])
    async with reading(meter, receipts, interval=SOON, **off) as heard:
        await heard.until(lambda: len(heard.readings) == 3)
    assert heard.of("past") == []
    assert meter.line_rows == 0


async def test_live_readings_go_on_in_their_rhythm_while_there_is_much_to_read() -> None:
    meter, receipts = logging_meter(reply_delay=0.02), Receipts(["history"])
    async with reading(meter, receipts, interval=Schedule(interval=timedelta(seconds=1))) as heard:
        await heard.until(lambda: len(rows(heard, "hour")) > 0)
    kinds = [message["type"] for message in heard.messages]
    first_past = kinds.index("past")
    assert "reading" in kinds[first_past:] or len(rows(heard, "day")) == 100


async def test_a_swap_in_the_middle_begins_a_series_of_its_own() -> None:
    meter, receipts = logging_meter(), Receipts(["history"])
    async with on_pty(meter) as path:
        reader = client(path, receipts, interval=Schedule(interval=timedelta(seconds=2)))
        async with running(reader) as heard:
            await heard.until(lambda: len(rows(heard, "hour")) == 72)
            before = len(heard.of("past"))
            meter._values = KamstrupMeter(seed=7)._values
            meter.born = hours_ago(30)
            reader.read_now()
            await heard.until(lambda: len(rows(heard, "hour")) == 72 + 30)
    serials = [past["serial_number"] for past in heard.of("past")]
    assert len(set(serials[:before])) == 1
    assert set(serials[before:]) == {str(meter._values.serial_number)}


async def test_entries_of_a_meter_that_was_put_in_unnoticed_are_not_those_of_the_one_before() -> None:
    """The head was moved between two readings, and nothing doubts the values."""
    meter, receipts = logging_meter(), Receipts(["history"])
    async with on_pty(meter) as path:
        reader = client(path, receipts)
        async with running(reader) as heard:
            await heard.until(lambda: len(rows(heard, "hour")) == 72)
            before = len(heard.of("past"))
            meter._values = KamstrupMeter(seed=7)._values
            meter.born = hours_ago(30)
            reader._backfill._planner.note_missed()
            assert reader.request_reading().taken
            await heard.until(lambda: len(rows(heard, "hour")) == 72 + 30)
    assert {past["serial_number"] for past in heard.of("past")[before:]} == {str(meter._values.serial_number)}


class _TwoNumbers(LoggingMeter):
    """Its register of the serial number tells another one than GetSerialNo."""

    def answer(self, request: Request, seconds: float, address: int = HEAT_METER) -> bytes | None:
        if isinstance(request, GetSerialNoRequest):
            payload = GetSerialNoResponse(self._values.serial_number + 1).encode()
            return encode_frame(START_RESPONSE, HEAT_METER, request.CID, payload)
        return super().answer(request, seconds, address)


async def test_a_meter_with_two_numbers_is_one_meter() -> None:
    meter = _TwoNumbers(depths={Logger.DAY: 460, Logger.HOUR: 72}, born=hours_ago(2400), reply_delay=0.0)
    async with reading(meter, Receipts(["history"])) as heard:
        await heard.until(lambda: len(rows(heard, "hour")) == 72)
    assert len(heard.readings) == 1
    assert {past["serial_number"] for past in heard.of("past")} == {str(meter._values.serial_number + 1)}


async def test_after_a_restart_only_what_is_new_is_read() -> None:
    meter, receipts = logging_meter(born=hours_ago(200)), Receipts(["history"])
    now = datetime.now(UTC)
    meter.now = lambda: now - timedelta(hours=48)
    async with on_pty(meter) as path:
        first = client(path, receipts)
        async with running(first) as heard:
            await heard.until(lambda: len(rows(heard, "hour")) == 72)
            for past in heard.of("past"):
                receipts.of("history").confirm(past["receipt"])
        meter.now = lambda: now
        second = client(path, receipts)
        second.recall(first.memory)
        meter.line_rows = 0
        async with running(second) as later:
            await later.until(lambda: len(rows(later, "hour")) == 48)
            for past in later.of("past"):
                receipts.of("history").confirm(past["receipt"])
            await asyncio.sleep(0)
            assert second.filling == ""
    assert [entry for entry, _, _ in rows(later, "hour")] == list(range(152, 200))
    # Of days and hours: what is new, one that is known, to see that it is the same meter, and the oldest.
    assert meter.line_rows == (2 + 1 + 1) + (48 + 1 + 1)


async def test_a_601_with_a_logger_module_gives_its_hours() -> None:
    meter, receipts = KamstrupMeter("601", module=LOGGER_TOP, reply_delay=0.0), Receipts(["history"])
    async with reading(meter, receipts) as heard:
        await heard.until(lambda: len(rows(heard, "hour")) >= 1400)
    found = rows(heard, "hour")
    times = [time for _, time, _ in found]
    assert all(later - time == timedelta(hours=1) for time, later in pairwise(times))
    assert [value for _, _, value in found] == sorted(value for _, _, value in found)


async def test_the_hours_of_a_601_are_put_right_by_the_clock_that_stamped_them() -> None:
    """It has no register 348, live or logged: date and clock tell."""
    values = values_of("601", 0, {}, drift=7200.0)
    meter = KamstrupMeter("601", module=LOGGER_TOP, values=values, reply_delay=0.0)
    receipts = Receipts(["history"])
    async with on_pty(meter) as path:
        reader = client(path, receipts)
        async with running(reader) as heard:
            await heard.until(lambda: len(rows(heard, "hour")) >= 1400)
    assert abs(reader.health["clock_drift"] - 7200) <= 5
    assert timedelta(0) <= datetime.now(UTC) - rows(heard, "hour")[-1][1] < timedelta(hours=1)


class _DamagedAtFirst(LoggingMeter):
    """What it tells of these loggers comes damaged, so many times each: a long answer over a bad line."""

    def __init__(self, damaged: dict[int, int], **also: Any) -> None:
        super().__init__(**also)
        self.damaged = damaged

    def answer(self, request: Request, seconds: float, address: int = HEAT_METER) -> bytes | None:
        answer = super().answer(request, seconds, address)
        if isinstance(request, LoggerConfigurationRequest) and self.damaged.get(request.logger) and answer:
            self.damaged[request.logger] -= 1
            return answer[:5] + bytes((answer[5] ^ 1,)) + answer[6:]
        return answer


async def readings_of(meter: KamstrupMeter, count: int) -> Heard:
    """What so many readings bring, each with what is read back behind it."""
    async with on_pty(meter) as path:
        reader = client(path, Receipts(["history"]))
        async with running(reader) as heard:
            for number in range(1, count + 1):
                await heard.wait_for(number)
                with suppress(AssertionError):  # there is nothing more
                    await heard.until(lambda: len(rows(heard, "hour")) == 72)
                reader.read_now()
    return heard


@pytest.mark.parametrize("logger", [Logger.DAY, Logger.HOUR])
async def test_a_logger_whose_answer_came_damaged_is_asked_for_again_and_not_forgotten(
    logger: Logger,
) -> None:
    meter = _DamagedAtFirst({logger: 3}, depths=DEPTHS, born=hours_ago(2400), reply_delay=0.0)
    heard = await readings_of(meter, 2)
    assert len(rows(heard, "hour")) == 72
    assert len(rows(heard, "day")) == 100


async def test_a_logger_whose_answers_are_damaged_for_ever_keeps_no_other_waiting() -> None:
    damaged: dict[int, int] = {Logger.MONTH: 1000}
    meter = _DamagedAtFirst(damaged, depths=DEPTHS, born=hours_ago(2400), reply_delay=0.0)
    heard = await readings_of(meter, 4)
    assert len(rows(heard, "hour")) == 72
    assert 1000 - damaged[Logger.MONTH] == 9


async def test_a_module_whose_log_is_still_empty_is_asked_again() -> None:
    """As one is that was put in today: it is there, and will have hours."""
    faults = parse_faults(["empty:1"], FAULTS)
    meter = KamstrupMeter("601", module=LOGGER_TOP, faults=faults, reply_delay=0.0)
    receipts = Receipts(["history"])
    async with on_pty(meter) as path:
        reader = client(path, receipts)
        async with running(reader) as heard:
            await heard.wait_for(1)
            reader.read_now()
            await heard.until(lambda: len(rows(heard, "hour")) >= 1400)


class _Partial(LoggingMeter):
    """Its answers lack the volume, since not all that was asked for fits, and one energy is no number."""

    def _log(self, request: LogLastEntryPastAbsRequest | LogIdPastAbsRequest) -> LogAnswer:
        answer = super()._log(
            replace(request, registers=tuple(each for each in request.registers if each != 68))
        )
        return replace(answer, info=answer.info | LoggerInfo.REGISTERS_TRUNCATED)

    def _total(self, register: int, number: int) -> RegisterValue:
        total = super()._total(register, number)
        return total._replace(sign_exponent=0x3F) if register == 97 else total


async def test_what_is_left_out_of_an_entry_is_told(caplog: pytest.LogCaptureFixture) -> None:
    meter = _Partial(depths={Logger.HOUR: 72}, born=hours_ago(30), reply_delay=0.0)
    async with on_pty(meter) as path:
        reader = client(path, Receipts(["history"]))
        async with running(reader) as heard:
            await heard.until(lambda: len(rows(heard, "hour")) == 30)
    (past, *_) = heard.of("past")
    assert past["rows"][0]["measurements"].keys() == {"heat_energy"}
    assert "its hour logger: its answers lack volume" in caplog.text
    assert "its hour logger: volume_times_flow_temperature (register 97) is left out" in caplog.text
    assert reader.health["rejected_values"] >= 2
