"""A MULTICAL 66C whose service is off for three days or killed: every hour is stored, exactly, once."""

from __future__ import annotations

import asyncio
import random
import signal
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smart_meter_reader.emulators.stream import on_pty
from smart_meter_reader.meters.iec62056_21.emulator import Iec62056Meter
from tests.meters.kmp.loggers.house import HOUR, House
from tests.peers.imported import send

AWAY = 4 * 86_400
TABLES = (b"/#5", b"/#6", b"/#7")


@dataclass
class HouseWithA66C(House):
    """Its tables have digits and no unit: energies are MWh with three decimals."""

    client: str = "iec62056_21"
    settings: str = 'model = "multical_66c"\nbaud = 19200\nrepeat_after = "2s"\nmains_powered = true'
    meters: list[Iec62056Meter] = field(default_factory=list)

    def another_meter(self, seed: int) -> Iec62056Meter:  # type: ignore[override]
        # Not at the turn of an hour, where it is open which hours there are.
        self.away += (self.now().minute * 60 + self.now().second - 1200) % 3600
        self.born = self.now()
        self.meters.append(
            Iec62056Meter(started=self.born.replace(tzinfo=None), reply_delay=self.reply_delay, seed=seed)
        )
        return self.meters[-1]

    def pass_time(self, time: timedelta) -> None:
        self.away -= time.total_seconds()
        self.meters[-1]._clock.advance(time.total_seconds())

    def hours(self, since: datetime, until: datetime) -> dict[tuple[str, datetime], int]:
        counters = self.meters[-1]._house.counters
        found, full = {}, since.replace(minute=0, second=0, microsecond=0) + HOUR
        while full <= until:
            found["60017", full] = counters.energy_at(full.astimezone(UTC).replace(tzinfo=None))
            full += HOUR
        return found

    @property
    def tables(self) -> list[bytes]:
        return [request for request in self.meters[-1].asked if request in TABLES]


@pytest.fixture
def house(tmp_path: Path) -> HouseWithA66C:
    return HouseWithA66C(tmp_path, away=AWAY)


async def fill(house: HouseWithA66C, port: str) -> None:
    expected = house.hours(house.now() - 900 * HOUR, house.now())
    async with house.service(port):
        await house.until(lambda: not house.lacks(expected))


async def test_after_three_days_off_every_hour_is_there(house: HouseWithA66C) -> None:
    async with on_pty(house.meters[-1]) as port:
        await fill(house, port)
        off = house.now()
        house.pass_time(timedelta(days=3))
        before, expected = len(house.tables), house.hours(off, house.now())
        assert len(expected) == 72
        async with house.service(port):
            await house.until(lambda: not house.lacks(expected))
    # Each table once, whatever is missing of it: hours are checked by days, these by the known months.
    assert house.tables[before:] == [b"/#6", b"/#7"]


async def test_killed_again_and_again_nothing_is_missing_or_doubled(tmp_path: Path) -> None:
    house = HouseWithA66C(tmp_path, away=AWAY, reply_delay=0.05)
    chance = random.Random(66)
    async with on_pty(house.meters[-1]) as port:
        await fill(house, port)
        off = house.now()
        house.pass_time(timedelta(days=3))
        for _ in range(4):
            async with house.service(port) as process:
                await asyncio.sleep(chance.uniform(0.8, 3.5))  # anywhere in what it does
                send(process.pid, signal.SIGKILL)
        expected = house.hours(off, house.now())
        async with house.service(port):
            await house.until(lambda: not house.lacks(expected))
