"""The info logger, read when register 113 tells of news: events to the second, and each of them once."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.codecs.kmp.loggers import (
    Logger,
    LoggerConfigurationRequest,
    LogIdPastAbsRequest,
    LogLastEntryPastAbsRequest,
)
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import on_pty
from smart_meter_reader.messages import Past
from smart_meter_reader.messages.receipts import Receipts
from smart_meter_reader.meters.kmp.emulated_values import values_of
from smart_meter_reader.meters.kmp.emulator import FAULTS, KamstrupMeter
from smart_meter_reader.settings.schedule import Schedule
from tests.meters.kmp.loggers.house import DAY, HOUR, House
from tests.meters.kmp.loggers.test_read_back import client
from tests.peers.heard import Heard, running
from tests.peers.imported import send
from tests.peers.ser2net import ser2net

AIR, BATTERY, CUT_OFF = 256, 2, 1
_ASKED = (LoggerConfigurationRequest, LogIdPastAbsRequest, LogLastEntryPastAbsRequest)
# Often enough for a test, and with time for the loggers between two readings.
OFTEN = Schedule(interval=timedelta(seconds=2))
_EVENTS = "SELECT time, kind, text FROM event WHERE kind LIKE 'info_code%' ORDER BY time, id"
_SENTENCES = {
    AIR: "flow sensor V1: signal too low (air)",
    BATTERY: "the battery is low, or the meter runs on its backup battery",
    CUT_OFF: "the supply voltage was cut off",
}


def emulated(*faults: str, **also: Any) -> KamstrupMeter:
    start = datetime.now(UTC)
    values = values_of("603", 0, {}, start, zone=UTC, drift=also.pop("drift", 0.0))
    return KamstrupMeter(
        "603", values=values, faults=parse_faults(list(faults), FAULTS), reply_delay=0.0, **also
    )


def asked_of_info(meter: KamstrupMeter) -> list[str]:
    return [
        type(request).__name__
        for request in meter.asked
        if isinstance(request, _ASKED) and request.logger == Logger.INFO
    ]


def info_pasts(heard: Heard) -> list[Past]:
    return [past for past in heard.of("past") if past["logger"] == "info"]


def told(pasts: list[Past]) -> list[tuple[int | None, Any, Any]]:
    return [
        (row.get("log_id"), row["measured_at"], row["measurements"]["info_code_text"]["value"])
        for past in pasts
        for row in past["rows"]
    ]


def confirm(receipts: Receipts, pasts: list[Past]) -> None:
    for past in pasts:
        receipts.of("history").confirm(past["receipt"])


async def test_it_is_read_once_and_then_only_when_the_meter_counts_another_event() -> None:
    meter, receipts = emulated(), Receipts(["history"])
    async with on_pty(meter) as path:
        reader = client(path, receipts, interval=OFTEN)
        async with running(reader) as heard:
            await heard.until(lambda: len(told(info_pasts(heard))) == 2)
            confirm(receipts, heard.of("past"))
            asked = asked_of_info(meter)
            assert asked == [
                "LoggerConfigurationRequest",
                "LogLastEntryPastAbsRequest",
                "LogIdPastAbsRequest",
            ]
            await heard.more_readings(4)
            assert asked_of_info(meter) == asked, "nothing has happened"
            meter.report(AIR)
            await heard.until(lambda: len(told(info_pasts(heard))) == 3)
            await heard.more_readings(3)
            assert asked_of_info(meter) == [*asked, *asked[1:]]
    (log_id, at, text) = told(info_pasts(heard))[-1]
    assert (log_id, text) == (3, _SENTENCES[AIR])
    assert abs(at - datetime.now(UTC)) < timedelta(seconds=60)
    first, second = info_pasts(heard)
    assert "reported_before" not in first, "there is no entry before the oldest"
    assert second["reported_before"] == "none"
    assert [row["measurements"]["info_bits"]["value"] for row in second["rows"]] == [AIR]
    assert "heat_energy" in second["rows"][0]["measurements"]
    assert "reported_problems" not in second["rows"][0]["measurements"]


async def test_after_a_restart_it_is_read_only_where_the_count_has_risen() -> None:
    meter, receipts = emulated(), Receipts(["history"])
    async with on_pty(meter) as path:
        first = client(path, receipts)
        async with running(first) as heard:
            await heard.until(lambda: len(told(info_pasts(heard))) == 2)
            confirm(receipts, heard.of("past"))
        memory = first.memory
        asked = len(asked_of_info(meter))
        second = client(path, receipts, interval=OFTEN)
        second.recall(memory)
        async with running(second) as heard:
            await heard.more_readings(3)
        assert len(asked_of_info(meter)) == asked
        for seconds, code in ((-3 * 3600.0, AIR), (-2 * 3600.0, AIR | BATTERY), (-3600.0, BATTERY)):
            meter.advance(DAY.total_seconds())
            meter._values.info.report(code, DAY.total_seconds() + seconds)
        third = client(path, receipts)
        third.recall(memory)
        async with running(third) as heard:
            await heard.until(lambda: len(told(info_pasts(heard))) == 3)
    assert [text for _, _, text in told(info_pasts(heard))] == [
        _SENTENCES[AIR],
        f"{_SENTENCES[BATTERY]}; {_SENTENCES[AIR]}",
        _SENTENCES[BATTERY],
    ]
    (past,) = info_pasts(heard)
    assert past["reported_before"] == "none", "by the entry that is known already"


async def test_a_meter_without_it_is_asked_once_and_gives_all_the_rest() -> None:
    meter, receipts = emulated("reticent"), Receipts(["history"])
    async with on_pty(meter) as path:
        reader = client(path, receipts, interval=OFTEN)
        async with running(reader) as heard:
            await heard.until(lambda: any(past["logger"] == "hour" for past in heard.of("past")))
            asked = asked_of_info(meter)
            assert set(asked) == {"LoggerConfigurationRequest"}
            meter.report(AIR)
            await heard.more_readings(3)
            assert asked_of_info(meter) == asked
    assert info_pasts(heard) == []
    again = client("", receipts)
    again.recall(reader.memory)
    assert again.memory == reader.memory


async def test_where_the_count_is_not_read_nobody_asks_for_it() -> None:
    meter, receipts = emulated(), Receipts(["history"])
    without = {"registers": ("heat_energy", "volume")}
    async with on_pty(meter) as path, running(client(path, receipts, **without)) as heard:
        await heard.until(lambda: any(past["logger"] == "hour" for past in heard.of("past")))
    assert asked_of_info(meter) == ["LoggerConfigurationRequest"]


@pytest.mark.parametrize("limit", [64, 128, 256])
async def test_a_long_logger_comes_whole_whatever_an_answer_takes(limit: int) -> None:
    meter, receipts = emulated(answer_limit=limit), Receipts(["history"])
    for number in range(100):
        meter._values.info.report(AIR if number % 2 else BATTERY, -86_400.0 * 10 + number * 600)
    async with on_pty(meter) as path, running(client(path, receipts)) as heard:
        await heard.until(lambda: len(told(info_pasts(heard))) == 102)
    entries = [log_id for log_id, _, _ in told(info_pasts(heard))]
    assert entries == list(range(1, 103))
    befores = [past.get("reported_before") for past in info_pasts(heard)]
    texts = [text for _, _, text in told(info_pasts(heard))]
    begins = [past["rows"][0].get("log_id", 0) for past in info_pasts(heard)]
    assert befores == [None, *(texts[begin - 2] for begin in begins[1:])]


@pytest.mark.parametrize("drift", [-2400.0, -300.0, 300.0, 7200.0])
async def test_the_times_are_put_right_by_the_meters_clock(drift: float) -> None:
    meter, receipts = emulated(drift=drift), Receipts(["history"])
    true = datetime.now(UTC) - DAY
    meter._values.info.report(AIR, -86_400.0)
    async with on_pty(meter) as path, running(client(path, receipts)) as heard:
        await heard.until(lambda: len(told(info_pasts(heard))) == 3)
    assert abs(told(info_pasts(heard))[-1][1] - true) < timedelta(seconds=30)


# With the service and its history.


def events(house: House) -> list[tuple[float, str, str]]:
    """When by the meter's emulated seconds, raised or cleared, and what."""
    path = house.folder / "state" / "home.history.sqlite"
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            rows = connection.execute(_EVENTS).fetchall()
        except sqlite3.OperationalError:  # it is just being made
            return []
    return [
        (time - house.born.timestamp(), kind.removeprefix("info_code_"), text.partition(": ")[2])
        for time, kind, text in rows
    ]


def expected(house: House) -> list[tuple[float, str, str]]:
    """What the meter has reported since it began, change by change."""
    info, before, found = house.meter._values.info, 0, []
    for number in range(1, info.events(1e12) + 1):
        at, code = info.change(number)
        for kind, bits in (("cleared", before & ~code), ("raised", code & ~before)):
            sentences = [_SENTENCES[bit] for bit in sorted(_SENTENCES) if bits & bit]
            if sentences:
                found.append((at, kind, "; ".join(sentences)))
        before = code
    return found


def agrees(house: House) -> bool:
    """Whether the history has each change once; the meter's clock goes from the first question on."""
    stored, true = events(house), expected(house)
    return len(stored) == len(true) and all(
        (kind, text) == (true_kind, true_text) and abs(at - true_at) < 30
        for (at, kind, text), (true_at, true_kind, true_text) in zip(stored, true, strict=True)
    )


def outage(house: House, chance: random.Random) -> Iterator[int]:
    """What the meter reports while the service is off for three days: short and long, one and several."""
    begin = (house.now() - house.born).total_seconds()
    for at in sorted(chance.sample(range(3 * 86_400 - 600), 9)):
        code = chance.choice((0, AIR, BATTERY, AIR | BATTERY, CUT_OFF))
        house.meter.report(code, begin + at)
        yield code


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, away=3 * 86_400, model="603", reply_delay=0.03)


async def test_what_happened_while_the_service_was_off_is_told_afterwards(house: House) -> None:
    async with on_pty(house.meter) as port:
        async with house.service(port):
            await house.until(lambda: agrees(house))
        list(outage(house, random.Random(113)))
        house.pass_time(timedelta(days=3))
        async with house.service(port):
            await house.until(lambda: agrees(house))


async def test_killed_again_and_again_each_event_is_there_once(house: House) -> None:
    chance = random.Random(16)
    async with on_pty(house.meter) as port:
        async with house.service(port):
            await house.until(lambda: agrees(house))
        for _ in range(3):
            list(outage(house, chance))
            house.pass_time(timedelta(days=3))
            async with house.service(port) as process:
                await asyncio.sleep(chance.uniform(0.8, 2.5))  # anywhere in what it does
                send(process.pid, signal.SIGKILL)
        async with house.service(port):
            await house.until(lambda: agrees(house))


@pytest.mark.parametrize(
    ("accepter", "scheme"), [("tcp", "socket"), ("telnet(rfc2217),tcp", "rfc2217")], ids=["tcp", "rfc2217"]
)
async def test_over_ser2net_too_with_the_service_killed(
    house: House, tmp_path: Path, accepter: str, scheme: str
) -> None:
    async with on_pty(house.meter) as device, ser2net(device, tmp_path, accepter=accepter) as place:
        port = f"{scheme}://{place}"
        async with house.service(port):
            await house.until(lambda: agrees(house))
        chance = random.Random(2217)
        list(outage(house, chance))
        house.pass_time(timedelta(days=3))
        async with house.service(port) as process:
            await asyncio.sleep(chance.uniform(0.8, 2.5))
            send(process.pid, signal.SIGKILL)
        async with house.service(port):
            await house.until(lambda: agrees(house))


async def test_the_exact_time_takes_the_place_of_the_readings(house: House) -> None:
    """Read every two seconds here; the entry of the logger is of an hour before the reading that shows it."""
    house.settings += '\nmains_powered = true\ninterval = "2s"'
    async with on_pty(house.meter) as port, house.service(port):
        await house.until(lambda: agrees(house))
        house.meter.report(AIR, (house.now() - house.born).total_seconds() - HOUR.total_seconds())
        await house.until(lambda: agrees(house))
        house.meter.report(0)
        await house.until(lambda: agrees(house))
        # And it stays so.
        await asyncio.sleep(3)
        assert agrees(house)
