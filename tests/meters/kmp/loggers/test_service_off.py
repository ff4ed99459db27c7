"""The service is off, killed, or another meter is put in: afterwards every hour is stored, exactly, once."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smart_meter_reader.emulators.stream import on_pty
from tests.meters.kmp.loggers.house import DAY, HOUR, House
from tests.peers.imported import send
from tests.peers.ser2net import ser2net

AWAY = 3 * 86_400


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, away=AWAY)


async def fill(house: House, port: str) -> None:
    """The first day: all that there is."""
    expected = house.hours(house.now() - 71 * HOUR, house.now())
    async with house.service(port):
        await house.until(lambda: not house.lacks(expected))


async def test_after_three_days_off_every_hour_is_there_by_one_wake_up(house: House) -> None:
    async with on_pty(house.meter) as port:
        await fill(house, port)
        off = house.now()
        house.pass_time(timedelta(days=3))
        woken, before = house.wake_ups, house.log_requests
        expected = house.hours(off, house.now())
        assert len(expected) == 72
        async with house.service(port):
            await house.until(lambda: not house.lacks(expected))
    assert house.wake_ups - woken == 1
    # An answer of 128 bytes holds three rows of the stamp and four counters: 24 for the hours, two for three
    # days and the one that is known already; and one look at each of the four loggers.
    assert house.log_requests - before == 24 + 2 + 4
    state = json.loads((house.folder / "state" / "home.json").read_text())
    assert 0 < state["meters"]["heat"]["client"]["budget"]["spent"] < 3600


async def test_over_ser2net_too(house: House, tmp_path: Path) -> None:
    async with on_pty(house.meter) as device, ser2net(device, tmp_path, accepter="tcp") as place:
        port = f"socket://{place}"
        await fill(house, port)
        off = house.now()
        house.pass_time(timedelta(days=3))
        async with house.service(port):
            expected = house.hours(off, house.now())
            await house.until(lambda: not house.lacks(expected))


async def test_at_another_port_only_what_was_missed_is_read(house: House) -> None:
    async with on_pty(house.meter) as port:
        await fill(house, port)
    off = house.now()
    house.pass_time(DAY)
    async with on_pty(house.meter, link=house.folder / "other") as other:
        assert other != port
        before, expected = house.log_requests, house.hours(off, house.now())
        async with house.service(other):
            await house.until(lambda: not house.lacks(expected))
    # A look at each logger, then by three rows of an answer: a day and 24 hours, each with one known already.
    assert house.log_requests - before == 4 + 1 + 9


async def test_killed_again_and_again_nothing_is_missing_or_doubled(tmp_path: Path) -> None:
    house = House(tmp_path, away=AWAY, reply_delay=0.05)
    chance = random.Random(16)
    async with on_pty(house.meter) as port:
        await fill(house, port)
        off = house.now()
        house.pass_time(timedelta(days=3))
        for _ in range(4):
            async with house.service(port) as process:
                await asyncio.sleep(chance.uniform(0.8, 2.5))  # anywhere in what it does
                send(process.pid, signal.SIGKILL)
        expected = house.hours(off, house.now())
        async with house.service(port):
            await house.until(lambda: not house.lacks(expected))


async def test_another_meter_in_the_middle_of_the_outage_has_hours_of_its_own(house: House) -> None:
    async with on_pty(house.meter) as port:
        await fill(house, port)
    house.pass_time(DAY)
    house.meter = house.another_meter(seed=7)
    swapped = house.now()
    house.pass_time(timedelta(days=2))
    async with on_pty(house.meter) as port:
        expected = house.hours(swapped, house.now())
        assert len(expected) == 48
        async with house.service(port):
            await house.until(lambda: not house.lacks(expected))


@pytest.mark.parametrize(
    "before", ["2026-10-23T12:10", "2026-03-27T12:10", "2027-03-31T21:10", "2026-12-31T21:10"]
)
async def test_an_outage_over_a_change_of_the_clocks_or_the_turn_of_a_year(
    tmp_path: Path, before: str
) -> None:
    """In Berlin: the meter logs in standard time, so that no hour is missing or doubled."""
    begin = datetime.fromisoformat(before).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    away = (datetime.now(UTC) - begin).total_seconds()
    house = House(tmp_path, away=away, zone="Europe/Berlin")
    async with on_pty(house.meter) as port:
        await fill(house, port)
        off = house.now()
        house.pass_time(timedelta(days=3))
        expected = house.hours(off, house.now())
        assert len(expected) == 72
        async with house.service(port):
            await house.until(lambda: not house.lacks(expected))
        days = {
            time
            for _, time in house.energy()
            if off <= time and time.astimezone(timezone(timedelta(hours=1))).hour == 0
        }
        assert len(days) == 3
    assert not [line for line in house.said if "WARNING" in line]


async def test_in_log_mode_one_wake_up_brings_the_hours_since_the_last_time(house: House) -> None:
    house.settings += '\nmode = "log"'
    async with on_pty(house.meter) as port:
        await fill(house, port)
        before = house.now()
        house.pass_time(DAY)
        woken = house.wake_ups
        expected = house.hours(before, house.now())
        assert len(expected) == 24
        async with house.service(port):
            await house.until(lambda: not house.lacks(expected))
    assert house.wake_ups - woken == 1


async def test_ctrl_c_in_the_middle_ends_at_once_and_leaves_no_hole(tmp_path: Path) -> None:
    house = House(tmp_path, away=AWAY, reply_delay=0.05)
    async with on_pty(house.meter) as port:
        await fill(house, port)
        off = house.now()
        house.pass_time(timedelta(days=3))
        asked = house.log_requests
        async with house.service(port) as process:
            await house.until(lambda: house.log_requests > asked + 10)
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(10):
                assert await process.wait() == 0
        assert not [line for line in house.said if "Traceback" in line]
        expected = house.hours(off, house.now())
        assert house.lacks(expected)
        async with house.service(port):
            await house.until(lambda: not house.lacks(expected))
