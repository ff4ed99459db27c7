"""The running service among brokers and serial servers that mean harm: small, in rhythm, and whole."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from tests.peers.hostile import BROKERS, SERIAL_SERVERS, WEB_SERVERS, Talk, serving

ROOT = Path(__file__).parents[2]
READINGS = 100
# Of a limit of 256 MiB in the unit; the service alone has some 45.
MOST_MEBIBYTES = 128
# Ten readings a second; a machine that is busy with other things may hold one up, the peers must not.
LONGEST_GAP = 2.0
SETTINGS = """
[hostile.meters.heat]
client = "dummy"
interval = "100ms"

[hostile.sinks.stdout]
"""


def sinks_of(version: str, ports: dict[str, int]) -> str:
    kinds = ("home_assistant", "home_assistant", "home_assistant", "mqtt_json", "homie")
    return "".join(
        f'[hostile.sinks.{kinds[number % 5]}-{number}]\ntype = "{kinds[number % 5]}"\n'
        f'host = "127.0.0.1"\nport = {port}\nprotocol = "{version}"\n'
        for number, port in enumerate(ports.values())
    )


def meters_of(ports: dict[str, int]) -> str:
    return "".join(
        f'[hostile.meters.trouble-{number}]\nclient = "dsmr"\nport = "rfc2217://127.0.0.1:{port}"\n'
        for number, port in enumerate(ports.values())
    )


def web_sinks_of(ports: dict[str, int]) -> str:
    return "".join(
        f'[hostile.sinks.web-{number}]\ntype = "home_assistant_rest"\nurl = "http://127.0.0.1:{port}"\n'
        'token = "none"\ntimeout = "2s"\n'
        for number, port in enumerate(ports.values())
    )


def peak_of(pid: int) -> float:
    """The most memory that the process ever had resident, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def readings_of(process: asyncio.subprocess.Process, count: int) -> list[datetime]:
    """When the healthy meter was read, as often as asked for; every line is whole JSON."""
    assert process.stdout is not None
    times: list[datetime] = []
    async with asyncio.timeout(120):
        while len(times) < count:
            line = await process.stdout.readline()
            if not line:
                return times
            message = json.loads(line)
            if message["type"] == "reading":
                times.append(datetime.fromisoformat(message["time"]))
    return times


async def service_among(folder: Path, settings: str) -> tuple[list[datetime], float, str]:
    """Readings of the healthy meter, peak memory, and the log of a service with these settings."""
    shutil.copy(ROOT / "config.py", folder)
    (folder / "settings.toml").write_text(SETTINGS + settings)
    with (folder / "log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "smart_meter_reader", "run", "hostile"),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(folder)},
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        times = await readings_of(process, READINGS)
        peak = peak_of(process.pid) if len(times) == READINGS else 0.0
        process.terminate()
        async with asyncio.timeout(30):
            assert process.stdout is not None
            await process.stdout.read()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return times, peak, (folder / "log").read_text()


async def attacked(folder: Path, peers: Mapping[str, Talk], settings: Callable[[dict[str, int]], str]) -> str:
    """Run the service among these peers; what must hold holds. The log."""
    async with AsyncExitStack() as stack:
        ports = {name: await stack.enter_async_context(serving(talk)) for name, talk in peers.items()}
        times, peak, log = await service_among(folder, settings(ports))
    assert len(times) == READINGS, f"the service has ended: {log}"
    assert peak < MOST_MEBIBYTES, log
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert max(gaps) < LONGEST_GAP, log
    assert "Traceback" not in log, log
    # Whatever they do without end is told a few times each.
    assert len(log.splitlines()) < 10 + 6 * len(peers), log
    return log


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.parametrize("part", range(2))
async def test_brokers(tmp_path: Path, part: int, version: str) -> None:
    peers = dict(list(BROKERS.items())[part::2])
    await attacked(tmp_path, peers, partial(sinks_of, version))


async def test_serial_servers(tmp_path: Path) -> None:
    log = await attacked(tmp_path, SERIAL_SERVERS, meters_of)
    assert log.count("RFC 2217") >= len(SERIAL_SERVERS)


async def test_web_servers(tmp_path: Path) -> None:
    log = await attacked(tmp_path, WEB_SERVERS, web_sinks_of)
    assert log.count("WARNING sink web-") >= len(WEB_SERVERS)
