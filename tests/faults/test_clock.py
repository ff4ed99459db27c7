"""The rows of docs/faults.md about the clock: the service as a process, its wall clock set while it runs."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.emulators.stream import on_pty
from tests.faults.cases import DSMR, IEC, KAMSTRUP, Protocol
from tests.peers.heard import BEGINNING
from tests.peers.service_process import ServiceProcess, service_process

DAY = timedelta(days=1)
JUMPS = {"hour": timedelta(hours=1), "day": DAY, "year": 365 * DAY}
SETTINGS = """
[clock.meters.meter]
client = "{client}"
port = "{port}"
interval = "{interval}"
{more}
[clock.sinks.stdout]
"""
MORE = {
    "kamstrup": "mains_powered = true\nbaud = 115200",
    "dsmr": "baud = 115200",
    "iec62056_21": 'mains_powered = true\nbaud = 19200\nmodel = "multical_66c"',
}
INTERVALS = {"kamstrup": "200ms", "dsmr": "0s", "iec62056_21": "200ms"}
# Every hour of the day that a clock of the tests can show, a jump of an hour included.
SCHEDULES = {"at": "at :59", "daily": "daily 10:59,11:59,12:59"}


class Clock:
    """The clock of the service, which goes on from wherever it is set."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "offset"
        self._offset = timedelta(0)
        self._write()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def set(self, time: datetime) -> None:
        self._offset = time - datetime.now(UTC)
        self._write()

    def _write(self) -> None:
        beside = self.file.with_suffix(".new")
        beside.write_text(str(self._offset.total_seconds()))
        beside.replace(self.file)


async def started(
    stack: AsyncExitStack, protocol: Protocol, folder: Path, clock: Clock, interval: str
) -> ServiceProcess:
    port = await stack.enter_async_context(on_pty(protocol.meter("", encrypted=False)))
    settings = SETTINGS.format(
        client=protocol.client, port=port, interval=interval, more=MORE[protocol.client]
    )
    module = ("tests.faults.clock", str(clock.file))
    return await stack.enter_async_context(service_process(folder, settings, "clock", module=module))


async def ended_well(service: ServiceProcess) -> None:
    await service.stop()
    assert service.states == [BEGINNING, "online"]
    assert "WARNING" not in service.log


def time_of(reading: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(reading["time"])


def is_of(clock: Clock, reading: dict[str, Any]) -> bool:
    """Whether a reading bears the time of this clock; the shortest jump is an hour."""
    return abs(time_of(reading) - clock.now()) < timedelta(minutes=5)


@pytest.mark.parametrize("protocol", [KAMSTRUP, DSMR, IEC], ids=lambda protocol: protocol.client)
@pytest.mark.parametrize("row", ["any-clock-forward", "any-clock-back"])
async def test_readings_go_on_when_the_clock_is_set(row: str, protocol: Protocol, tmp_path: Path) -> None:
    sign = 1 if row == "any-clock-forward" else -1
    clock = Clock(tmp_path)
    async with AsyncExitStack() as stack:
        service = await started(stack, protocol, tmp_path, clock, INTERVALS[protocol.client])
        await service.more_readings(3)
        for jump in JUMPS.values():
            before = clock.now()
            clock.set(before + sign * jump)
            # Readings of before may be on their way still, on a busy machine many.
            await service.until(lambda: is_of(clock, service.readings[-1]), "a reading by the new clock")
            first = len(service.readings) - 1
            await service.more_readings(4)
            times = [time_of(reading) for reading in service.readings[first:]]
            assert times == sorted(times)
            assert is_of(clock, service.readings[-1])
        await ended_well(service)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("direction", ["forward", "back"])
async def test_times_of_the_clock_go_by_the_new_clock(
    direction: str, schedule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows `any-clock-forward-at`, `-back-at`, `-forward-daily` and `-back-daily`."""
    monkeypatch.setenv("TZ", "UTC")

    async def one(protocol: Protocol, name: str) -> None:
        folder = tmp_path / f"{protocol.client}-{name}"
        folder.mkdir()
        clock = Clock(folder)
        start = clock.now().replace(hour=11, minute=58, second=40, microsecond=0)
        clock.set(start)
        async with AsyncExitStack() as stack:
            service = await started(stack, protocol, folder, clock, SCHEDULES[schedule])
            await service.more_readings(1)  # the first one does not wait, and is the one of 11:59 as well
            jump = JUMPS[name] if direction == "forward" else -JUMPS[name]
            target = start + jump + timedelta(seconds=10)
            clock.set(target)
            due = target.replace(minute=59, second=0)
            if direction == "forward" and jump >= DAY:
                due = target  # what was missed long ago is read at once, and once only
            await service.more_readings(1)
            assert timedelta(0) <= time_of(service.readings[-1]) - due < timedelta(seconds=9)
            if due != target:
                await asyncio.sleep(3)
            await ended_well(service)
            assert len(service.readings) == 2

    await asyncio.gather(*(one(protocol, name) for protocol in (KAMSTRUP, IEC) for name in JUMPS))
