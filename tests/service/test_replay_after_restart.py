"""Recorded encrypted frames after a restart: the row `dsmr-encrypted-replay-restart` of docs/faults.md."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.codecs.p1.encode import encode_telegram, encrypt_telegram
from smart_meter_reader.emulators.stream import EmulatedLine
from tests.faults.cases import AUTHENTICATION_KEY, KEY
from tests.faults.rig import Port
from tests.faults.table import read_rows
from tests.peers.heard import BEGINNING
from tests.peers.service_process import ServiceProcess, service_process

TITLE, ANOTHER = b"SAG5\x00\x00\x00\x01", b"SAG5\x00\x00\x00\x02"
ROW = next(row for row in read_rows() if row.id == "dsmr-encrypted-replay-restart")
SETTINGS = """
[replay.meters.meter]
client = "dsmr"
port = "{url}"
baud = 115200
interval = "0s"
timeout = "60s"
authentication = "{policy}"
[replay.sinks.stdout]
"""
SECRETS = f"""
[replay.meters.meter]
key = "{KEY.hex()}"
authentication_key = "{AUTHENTICATION_KEY.hex()}"
"""


class Says:
    """A P1 meter that sends what it is told to, when it is told to."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(self, line: EmulatedLine) -> None:
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._send(line))
            while await line.read():
                pass
            sending.cancel()

    async def _send(self, line: EmulatedLine) -> None:
        while True:
            await line.write(await self.frames.get())

    def say(self, *counters: int, title: bytes = TITLE, before: int = 1000) -> None:
        for counter in counters:
            self.frames.put_nowait(sealed(counter, title, before))


def sealed(counter: int, title: bytes, before: int) -> bytes:
    """A frame that counts ``before`` and its own number in kWh."""
    covered = f"/ISK5\\2M550T-1012\r\n\r\n1-3:0.2.8(50)\r\n1-0:1.8.1({before + counter:06}.000*kWh)\r\n!"
    return encrypt_telegram(encode_telegram(covered.encode()), KEY, AUTHENTICATION_KEY, title, counter)


def counted(service: ServiceProcess) -> list[int]:
    return [int(value) - 1000 for value in service.values("active_energy_import_tariff_1")]


@asynccontextmanager
async def service_at(port: Port, folder: Path, policy: str = "require") -> AsyncIterator[ServiceProcess]:
    secrets = folder / ".secrets.toml"
    secrets.write_text(SECRETS)
    secrets.chmod(0o600)
    async with service_process(folder, SETTINGS.format(url=port.url, policy=policy), "replay") as service:
        yield service


def remembered(folder: Path) -> dict[str, Any]:
    meters: dict[str, Any] = json.loads((folder / "replay.json").read_text())["meters"]
    return meters


@pytest.mark.parametrize("kind", ROW.ports)
async def test_recorded_frames_are_refused_after_a_restart(kind: str, tmp_path: Path) -> None:
    meter = Says()
    port = Port(kind, tmp_path, meter, "115200n81")
    await port.plug_in()
    try:
        async with service_at(port, tmp_path) as service:
            meter.say(*range(1001, 1012))
            await service.more_readings(11)
            await service.stop()
        async with service_at(port, tmp_path) as service:
            meter.say(*range(1, 9))
            await service.until(lambda: service.states[-1:] == [ROW.status[0]], "alert")
            meter.say(1011, 1012, 1013)
            await service.more_readings(2)
            await service.stop()
        assert counted(service) == [1012, 1013]
        assert service.states == [BEGINNING, *ROW.status]
        warnings = [line for line in service.log.splitlines() if "WARNING" in line]
        assert len(warnings) == len(ROW.log)
        assert ROW.log[0] in warnings[0]
    finally:
        await port.close()


async def test_a_service_that_was_killed_has_saved_before(tmp_path: Path) -> None:
    meter = Says()
    port = Port("socket", tmp_path, meter, "")
    await port.plug_in()
    try:
        async with service_at(port, tmp_path) as service:
            meter.say(1001, 1002)
            await service.more_readings(2)
            async with asyncio.timeout(30):
                while not (tmp_path / "replay.json").exists():
                    await asyncio.sleep(0.05)
            await service.kill()
        async with service_at(port, tmp_path) as service:
            meter.say(1, 2, 3, 1001, 1003)
            await service.more_readings(1)
            await service.stop()
        assert counted(service) == [1003]
    finally:
        await port.close()


async def test_a_replaced_meter_is_read_at_once(tmp_path: Path) -> None:
    meter = Says()
    port = Port("socket", tmp_path, meter, "")
    await port.plug_in()
    try:
        # What it counts goes on here: what becomes of other totals is the guard's business.
        for title, before in ((TITLE, 1000), (ANOTHER, 1003)):
            async with service_at(port, tmp_path) as service:
                meter.say(1, 2, 3, title=title, before=before)
                await service.more_readings(3)
                await service.stop()
        counters = remembered(tmp_path)["meter"]["client"]["frame_counters"]
        assert counters == {TITLE.hex(): {"last": 3}, ANOTHER.hex(): {"last": 3}}
    finally:
        await port.close()


@pytest.mark.parametrize("spoilt", ['"last": "3"', '"last": -3', '"last": 3e9', '"last": 99999999999'])
async def test_a_spoilt_memory_is_told_and_costs_nothing_else(spoilt: str, tmp_path: Path) -> None:
    meter = Says()
    port = Port("socket", tmp_path, meter, "")
    await port.plug_in()
    try:
        async with service_at(port, tmp_path) as service:
            meter.say(1, 2, 3)
            await service.more_readings(3)
            await service.stop()
        file = tmp_path / "replay.json"
        file.write_text(file.read_text().replace('"last": 3', spoilt))
        async with service_at(port, tmp_path) as service:
            meter.say(4)
            await service.more_readings(1)
            await service.stop()
        assert "meter meter: what it knew before the restart is damaged" in service.log
        assert "Traceback" not in service.log
        assert remembered(tmp_path)["meter"]["client"]["frame_counters"] == {TITLE.hex(): {"last": 4}}
    finally:
        await port.close()


async def test_a_frame_that_nobody_authenticates_silences_no_meter(tmp_path: Path) -> None:
    meter = Says()
    port = Port("socket", tmp_path, meter, "")
    await port.plug_in()
    covered = b"/ISK5\\2M550T-1012\r\n\r\n1-3:0.2.8(50)\r\n1-0:1.8.1(002011.000*kWh)\r\n!"
    forged = encrypt_telegram(
        encode_telegram(covered), bytes(16), bytes(16), TITLE, 0xFFFF_FFFF, security=0x10
    )
    try:
        async with service_at(port, tmp_path, "warn") as service:
            meter.say(1010, 1011)
            meter.frames.put_nowait(forged)
            meter.say(1012, 1013)
            await service.more_readings(5)
            await service.stop()
        authentications = [reading["authentication"] for reading in service.readings]
        assert authentications == ["verified", "verified", "failed", "verified", "verified"]
        assert remembered(tmp_path)["meter"]["client"]["frame_counters"] == {TITLE.hex(): {"last": 1013}}
    finally:
        await port.close()
