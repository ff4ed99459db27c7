"""A service that stands still (SIGSTOP) and goes on: the row `any-stall` of docs/faults.md."""

from __future__ import annotations

import asyncio
import signal
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.codecs.p1.encode import encode_telegram
from smart_meter_reader.emulators.stream import EmulatedLine, EmulatedMeter
from smart_meter_reader.meters.iec62056_21.emulator import Iec62056Meter
from smart_meter_reader.meters.kmp.emulator import KamstrupMeter
from smart_meter_reader.network import stalls
from tests.faults.rig import Port
from tests.faults.table import read_rows
from tests.peers.heard import BEGINNING
from tests.peers.service_process import ServiceProcess, service_process

# Longer than every time limit of the meters below, and than what counts as a stall.
STALL = 3.5
ROW = next(row for row in read_rows() if row.id == "any-stall")
STATES = [BEGINNING, *ROW.status]
P1 = """
[stall.meters.meter]
client = "dsmr"
port = "{url}"
baud = 115200
timeout = "1s"
interval = "{interval}"
[stall.sinks.stdout]
"""
KAMSTRUP = """
[stall.meters.meter]
client = "kamstrup"
port = "{url}"
baud = 115200
answer_timeout = "1s"
poll_timeout = "2s"
retries = 0
interval = "500ms"
mains_powered = true
registers = ["heat_energy"]
[stall.sinks.stdout]
"""
IEC = """
[stall.meters.meter]
client = "iec62056_21"
port = "{url}"
baud = 19200
model = "multical_66c"
repeat_after = "1s"
poll_timeout = "2s"
retries = 0
interval = "500ms"
mains_powered = true
[stall.sinks.stdout]
"""


class Numbered:
    """A P1 meter whose telegrams are short and numbered by what they count, one in ``interval`` seconds."""

    def __init__(self, interval: float) -> None:
        self.sent = 0
        self.over = asyncio.Event()
        self._interval = interval

    async def serve(self, line: EmulatedLine) -> None:
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._send(line))
            while await line.read():
                pass
            sending.cancel()

    async def _send(self, line: EmulatedLine) -> None:
        while not self.over.is_set():
            self.sent += 1
            energy = Decimal(self.sent) / 1000
            covered = f"/ISK5\\2M550T-1012\r\n\r\n1-3:0.2.8(50)\r\n1-0:1.8.1({energy:010.3f}*kWh)\r\n!"
            await line.write(encode_telegram(covered.encode()))
            await asyncio.sleep(self._interval)


async def stand_still(service: ServiceProcess, seconds: float = STALL) -> None:
    service.send(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    service.send(signal.SIGCONT)


@pytest.mark.parametrize("kind", ROW.ports)
async def test_telegrams_that_came_during_a_stall_are_all_read(kind: str, tmp_path: Path) -> None:
    # A pseudo-terminal keeps 4 KiB for whoever does not read.
    meter = Numbered(0.2)
    port = Port(kind, tmp_path, meter, "115200n81")
    await port.plug_in()
    try:
        async with service_process(tmp_path, P1.format(url=port.url, interval="0s"), "stall") as service:
            await service.more_readings(5)
            for _ in range(2):
                await stand_still(service)
                await service.more_readings(3)
            meter.over.set()
            last = Decimal(meter.sent) / 1000
            await service.until(
                lambda: service.values("active_energy_import_tariff_1")[-1] == last,
                "last telegram",
            )
            await service.stop()
        counted = [value * 1000 for value in service.values("active_energy_import_tariff_1")]
        # The first ones may have come before the port was open.
        assert counted == list(range(int(counted[0]), meter.sent + 1))
        assert service.states == STATES
        assert "check the cable" not in service.log
    finally:
        await port.close()


async def test_with_an_interval_what_came_during_a_stall_is_counted(tmp_path: Path) -> None:
    # Far more than is read at once, and than a reader is given at a time.
    meter = Numbered(0.005)
    port = Port("socket", tmp_path, meter, "")
    await port.plug_in()
    try:
        async with service_process(tmp_path, P1.format(url=port.url, interval="1s"), "stall") as service:
            await service.more_readings(2)
            await stand_still(service)
            await service.more_readings(2)
            meter.over.set()
            # The silence brings a status with the counters.
            await service.until(lambda: service.states[-1] == "offline silence", "silence")
            assert service.states == [*STATES, "offline silence"]
            assert service.health["valid_readings"] == meter.sent
            assert not service.health["damaged_frames"]
            await service.stop()
    finally:
        await port.close()


class Overheard:
    """A meter, and when something was asked of it."""

    def __init__(self, meter: EmulatedMeter) -> None:
        self.asked = asyncio.Event()
        self._meter = meter

    async def serve(self, line: EmulatedLine) -> None:
        await self._meter.serve(_Ear(line, self.asked))


class _Ear:
    def __init__(self, inner: EmulatedLine, asked: asyncio.Event) -> None:
        self._inner = inner
        self._asked = asked
        self.line = inner.line

    async def read(self) -> bytes:
        received = await self._inner.read()
        self._asked.set()
        return received

    async def write(self, payload: bytes) -> None:
        await self._inner.write(payload)


@pytest.mark.parametrize("kind", ROW.ports)
@pytest.mark.parametrize("client", ["kamstrup", "iec62056_21"])
async def test_an_answer_that_came_during_a_stall_is_taken(client: str, kind: str, tmp_path: Path) -> None:
    if client == "kamstrup":
        settings, line, meter = KAMSTRUP, "115200n82", Overheard(KamstrupMeter(reply_delay=0.2))
    else:
        settings, line, meter = IEC, "19200e72", Overheard(Iec62056Meter(reply_delay=0.2))
    port = Port(kind, tmp_path, meter, line)
    await port.plug_in()
    try:
        async with service_process(tmp_path, settings.format(url=port.url), "stall") as service:
            await service.more_readings(2)
            meter.asked.clear()
            await meter.asked.wait()
            await stand_still(service)
            await service.more_readings(2)
            await service.stop()
        assert service.states == STATES
        # No request had to be repeated: none was allowed to.
        assert not service.health.get("retries")
    finally:
        await port.close()


async def test_a_time_limit_begins_anew_after_a_stall_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalls, "LATE_SECONDS", 0.05)
    loop = asyncio.get_running_loop()

    async def stall() -> None:
        # Nothing else runs meanwhile, as in a process that was stopped.
        end = loop.time() + 0.3
        while loop.time() < end:
            pass

    async with stalls.timeout(0.2):
        await stall()
        await asyncio.sleep(0.05)

    async def stall_and_hang() -> None:
        async with stalls.timeout(0.2):
            await stall()
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        await stall_and_hang()
