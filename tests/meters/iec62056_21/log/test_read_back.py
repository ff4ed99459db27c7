"""The client `iec62056_21` reads back what a MULTICAL 66C remembers: over a pty, behind its live readings."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import on_pty
from smart_meter_reader.messages import PastRow
from smart_meter_reader.messages.receipts import Receipts
from smart_meter_reader.meters.backfill.stamps import to_utc
from smart_meter_reader.meters.backfill.state import MONTH
from smart_meter_reader.meters.iec62056_21.client import Iec62056_21Client
from smart_meter_reader.meters.iec62056_21.emulator import FAULTS, Iec62056Meter
from smart_meter_reader.meters.iec62056_21.log.emulated import EmulatedCounters
from smart_meter_reader.meters.iec62056_21.log.source import table_cost
from smart_meter_reader.meters.iec62056_21.settings import MONTHS_SECONDS, Iec62056_21Settings
from smart_meter_reader.settings.schedule import Schedule
from tests.peers.heard import Heard, running

pytestmark = pytest.mark.usefixtures("hurrying_loop")

ZONE = ZoneInfo("Asia/Tokyo")  # without summer time, far from this computer's zone
SOON = Schedule(interval=timedelta(milliseconds=300))


def meter_clock() -> datetime:
    """What the meter's clock shows at the start: far from the turn of an hour."""
    return datetime.now(ZONE).replace(tzinfo=None, minute=30, second=0, microsecond=0)


def emulated(*faults: str, started: datetime) -> Iec62056Meter:
    return Iec62056Meter(faults=parse_faults(faults, FAULTS), reply_delay=0.0, started=started, rate=0.0)


def client(port: str, receipts: Receipts, **settings: Any) -> Iec62056_21Client:
    defaults: dict[str, Any] = {
        "port": port,
        "model": "multical_66c",
        "repeat_after": timedelta(milliseconds=150),
        "mains_powered": True,
        "baud": 19_200,
        "interval": Schedule(interval=timedelta(hours=1)),
        "logger_zone": ZONE.key,
    }
    reader = Iec62056_21Client("heat", Iec62056_21Settings(**(defaults | settings)))
    reader.take_receipts(receipts)
    return reader


@asynccontextmanager
async def reading(meter: Iec62056Meter, receipts: Receipts, **settings: Any) -> AsyncIterator[Heard]:
    async with on_pty(meter) as path, running(client(path, receipts, **settings)) as heard:
        yield heard


async def until_its_memory_was_looked_at(reader: Iec62056_21Client) -> None:
    async with asyncio.timeout(30):
        while "logger_rows" not in reader.health:
            await asyncio.sleep(0.02)


def rows(heard: Heard, logger: str) -> list[PastRow]:
    return [row for past in heard.of("past") if past["logger"] == logger for row in past["rows"]]


async def test_months_days_and_hours_follow_the_first_reading() -> None:
    started = meter_clock()
    meter = emulated(started=started)
    async with reading(meter, Receipts(["history"])) as heard:
        await heard.until(lambda: len(rows(heard, "hour")) == 960)
    assert [message["type"] for message in heard.messages[:3]] == ["info", "reading", "past"]
    assert list(dict.fromkeys(past["logger"] for past in heard.of("past"))) == ["month", "day", "hour"]
    assert {past["serial_number"] for past in heard.of("past")} == {"60017"}
    counters = EmulatedCounters(Decimal(507_109), Decimal(1_296_626), started)
    full = started.replace(minute=0)
    ends = sorted(full - timedelta(hours=place) for place in range(960))
    found = {row["measured_at"]: row["measurements"]["heat_energy"]["value"] for row in rows(heard, "hour")}
    assert found == {to_utc(end, ZONE): Decimal(counters.energy_at(end)).scaleb(-3) for end in ends}
    assert len(rows(heard, "month")) == 31
    assert len(rows(heard, "day")) == 60
    # However many windows a table has, it is asked for once.
    assert [asked for asked in meter.asked if asked in (b"/#5", b"/#6", b"/#7")] == [b"/#5", b"/#6", b"/#7"]


async def test_on_battery_the_days_wait_for_the_next_day_and_the_hours_are_not_asked_for() -> None:
    meter = emulated(started=meter_clock())
    async with on_pty(meter) as path:
        reader = client(path, Receipts(["history"]), mains_powered=False)
        async with running(reader) as heard:
            await until_its_memory_was_looked_at(reader)
    assert len(rows(heard, "month")) == 31
    assert b"/#7" not in meter.asked
    assert "hour" not in reader.memory["meters"][0]["loggers"]
    assert 20 < reader.memory["budget"]["spent"] <= 60 or rows(heard, "day")


async def test_a_reading_that_is_due_soon_comes_first() -> None:
    meter = emulated(started=meter_clock())
    async with reading(meter, Receipts(["history"]), interval=SOON) as heard:
        await heard.until(lambda: len(heard.readings) >= 4)
    assert heard.of("past") == []


@pytest.mark.parametrize("off", [{"logger": False}, {"logger_budget": timedelta(0)}])
async def test_it_can_be_turned_off(off: dict[str, Any]) -> None:
    meter = emulated(started=meter_clock())
    async with reading(meter, Receipts(["history"]), interval=SOON, **off) as heard:
        await heard.until(lambda: len(heard.readings) >= 3)
    assert {b"/#5", b"/#6", b"/#7"}.isdisjoint(meter.asked)


def test_a_budget_that_does_not_do_even_for_the_months_is_refused() -> None:
    # The clock, and what there is of months and days, beside the table itself.
    assert table_cost(MONTH).exchange + 3 * table_cost(MONTH).look <= MONTHS_SECONDS
    assert Iec62056_21Settings(port="", logger_budget=timedelta(seconds=39)).daily_budget == 39.0
    with pytest.raises(ValueError, match="with 38s a day nothing would ever be read; needed: 39s or more"):
        Iec62056_21Settings(port="", logger_budget=timedelta(seconds=38))


async def test_where_no_sink_takes_a_past_nothing_is_asked_for() -> None:
    meter = emulated(started=meter_clock())
    async with reading(meter, Receipts(), interval=SOON) as heard:
        await heard.until(lambda: len(heard.readings) >= 3)
    assert {b"/#5", b"/#6", b"/#7"}.isdisjoint(meter.asked)


async def test_a_table_that_stays_damaged_is_left_for_another_day(caplog: pytest.LogCaptureFixture) -> None:
    meter = emulated("lineloss", started=meter_clock())
    async with on_pty(meter) as path:
        reader = client(path, Receipts(["history"]), retries=1)
        async with running(reader) as heard:
            await until_its_memory_was_looked_at(reader)
    assert "month logger is left alone for a day" in caplog.text
    # Windows of hours that the damaged line is not of are whole.
    assert {past["logger"] for past in heard.of("past")} == {"hour"}


class _Changed(Iec62056Meter):
    """Its months come changed."""

    change: Callable[[list[bytes]], list[bytes]]

    def _log(self, request: str, seconds: float, customer_no: int) -> bytes:
        table = super()._log(request, seconds, customer_no)
        return table if request != "#5" else b"\r".join(self.change(table.split(b"\r")))


def changed(change: Callable[[list[bytes]], list[bytes]]) -> _Changed:
    meter = _Changed(reply_delay=0.0, started=meter_clock(), rate=0.0)
    meter.change = change
    return meter


def contradicting(lines: list[bytes]) -> list[bytes]:
    """The last month ends with a counter that the days do not lead to."""
    fields = lines[0].split(b" ")
    fields[2] = b"%07d" % (int(fields[2]) + 1)
    return [b" ".join(fields), *lines[1:]]


def unused(line: bytes) -> bytes:
    return bytes(byte if byte == 0x20 else 0x30 for byte in line)


def young(lines: list[bytes]) -> list[bytes]:
    """It has counted for five months."""
    return [*lines[:5], *map(unused, lines[5:])]


def late(lines: list[bytes]) -> list[bytes]:
    """It has not written down the last month yet."""
    customer = lines[0][:12]
    return [customer + lines[1], *lines[2:-1], unused(lines[2]), b""]


async def test_what_a_young_meter_has_not_counted_is_not_left_out(caplog: pytest.LogCaptureFixture) -> None:
    async with on_pty(changed(young)) as path:
        reader = client(path, Receipts(["history"]))
        async with running(reader) as heard:
            await until_its_memory_was_looked_at(reader)
    assert len(rows(heard, "month")) == 5
    assert "left out" not in caplog.text
    assert "rejected_values" not in reader.health


async def test_a_month_that_is_not_written_down_yet_is_read_later() -> None:
    meter = changed(late)
    async with on_pty(meter) as path:
        reader = client(path, Receipts(["history"]))
        async with running(reader) as heard:
            await until_its_memory_was_looked_at(reader)
            assert rows(heard, "month") == []
            meter.change = lambda lines: lines
            reader._read_back._planner.failures.clear()  # a day later
            reader.read_now()
            await heard.until(lambda: len(rows(heard, "month")) == 31)


async def test_days_without_a_counter_are_asked_for_on_two_other_days_and_then_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with on_pty(changed(contradicting)) as path:
        reader = client(path, Receipts(["history"]), logger_budget=timedelta(minutes=10))
        async with running(reader) as heard:
            for day in range(3):
                await heard.wait_for(day + 1)
                await asyncio.sleep(120)
                assert bool(rows(heard, "day")) == (day == 2)
                reader._read_back._planner.failures.clear()  # a day later
                reader.read_now()
    assert len(rows(heard, "day")) == 60
    assert not any("heat_energy" in row["measurements"] for row in rows(heard, "day"))
    # Once for each: that it waits, and that it no longer does.
    assert caplog.text.count("left alone for a day: from") == 1
    assert caplog.text.count("these periods give no reading") == 2


async def test_what_was_read_is_remembered_over_a_restart() -> None:
    meter, receipts = emulated(started=meter_clock()), Receipts(["history"])
    async with on_pty(meter) as path:
        reader = client(path, receipts)
        async with running(reader) as heard:
            await heard.until(lambda: len(rows(heard, "hour")) == 960)
            for past in heard.of("past"):
                receipts.note(past["receipt"], "history", confirmed=True)
        again = client(path, receipts, interval=Schedule(interval=timedelta(minutes=20)))
        again.recall(reader.memory)
        meter.asked.clear()
        async with running(again) as heard:
            await until_its_memory_was_looked_at(again)
    assert {b"/#5", b"/#6", b"/#7"}.isdisjoint(meter.asked)
    assert datetime.now(UTC) - heard.readings[0]["time"] < timedelta(minutes=5)


async def test_the_months_are_not_read_again_for_the_days_nor_after_a_restart() -> None:
    """So that both fit into a minute a day, at the line's own pace."""
    meter, receipts = emulated(started=meter_clock()), Receipts(["history"])
    async with on_pty(meter) as path:
        first = client(path, receipts, mains_powered=False, logger_budget=timedelta(seconds=45))
        async with running(first) as heard:
            await heard.until(lambda: len(rows(heard, "month")) == 31)
            await until_its_memory_was_looked_at(first)
            for past in heard.of("past"):
                receipts.note(past["receipt"], "history", confirmed=True)
        assert b"/#6" not in meter.asked
        memory = json.loads(json.dumps(first.memory))
        memory["budget"]["day"] = "2026-01-01"  # it is another day
        second = client(path, receipts, mains_powered=False)
        second.recall(memory)
        assert second.memory["months"] == memory["months"]
        meter.asked.clear()
        async with running(second) as heard:
            await heard.until(lambda: len(rows(heard, "day")) == 60)
    assert b"/#5" not in meter.asked
    counters = EmulatedCounters(Decimal(507_109), Decimal(1_296_626), meter._house.counters.started)
    for row in rows(heard, "day"):
        local = row["measured_at"].astimezone(ZONE).replace(tzinfo=None)
        energy = row["measurements"]["heat_energy"]["value"]
        assert energy == Decimal(counters.energy_at(local)).scaleb(-3)


async def test_a_new_day_does_not_take_the_place_of_all_that_are_older() -> None:
    """Both are of one table, which comes once: what is there costs nothing more."""
    meter, receipts = emulated(started=meter_clock() - timedelta(hours=22)), Receipts(["history"])
    async with on_pty(meter) as path:
        first = client(path, receipts, mains_powered=False, logger_budget=timedelta(seconds=45))
        async with running(first) as heard:
            await heard.until(lambda: len(rows(heard, "month")) == 31)
            await until_its_memory_was_looked_at(first)
            for past in heard.of("past"):
                receipts.note(past["receipt"], "history", confirmed=True)
        memory = json.loads(json.dumps(first.memory))
        memory["budget"]["day"] = "2026-01-01"  # it is another day
        meter._clock.advance(86_400)
        second = client(path, receipts, mains_powered=False)
        second.recall(memory)
        meter.asked.clear()
        async with running(second) as heard:
            await heard.until(lambda: len(rows(heard, "day")) == 60)
            assert [len(past["rows"]) for past in heard.of("past") if past["logger"] == "day"] == [1, 59]
            await until_its_memory_was_looked_at(second)
    assert meter.asked.count(b"/#6") == 1
    assert second.memory["budget"]["spent"] <= 60


@pytest.mark.parametrize(
    "months",
    [
        None,
        {},
        [{}],
        [{"serial_number": 1, "decimals": 3, "marks": []}],
        [{"serial_number": "1", "decimals": "3", "marks": []}],
        [{"serial_number": "1", "decimals": 3, "marks": [["2026-01-01T00:00:00", 5]]}],
        [{"serial_number": "1", "decimals": 3, "marks": [["2026-01-01T00:00:00+00:00", "5"]]}],
        [{"serial_number": "1", "decimals": 3, "marks": [["yesterday", "5"]]}],
        [{"serial_number": "1", "decimals": 3, "marks": [["2026-01-01T00:00:00", "1e999999"]]}],
        [{"serial_number": "1", "decimals": 3, "marks": [["2026-01-01T00:00:00", "much"]]}],
    ],
)
def test_months_that_were_never_remembered_are_refused(months: object) -> None:
    planned = {"meters": [{"serial_number": "1"}], "budget": {"day": "2026-01-01", "spent": 1.0}}
    with pytest.raises(ValueError, match="month"):
        client("", Receipts()).recall({**planned, "months": months})


def test_costs_fit_into_a_minute_a_day() -> None:
    known = table_cost("day", months_known=True)
    assert table_cost("month").rows(31) + 3 * 3.0 <= 60
    assert known.rows(60) + 2 * 3.0 <= 60
    assert table_cost("day").rows(60) > 60
