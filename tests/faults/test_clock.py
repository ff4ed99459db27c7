"""The rows of docs/faults.md about the clock: the service as a process, its wall clock set while it runs."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.emulators.stream import on_pty
from tests.faults.cases import DSMR, IEC, KAMSTRUP, Protocol

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
DAY = timedelta(days=1)
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


class Output:
    """The messages that the process prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def readings(self, count: int, since: datetime | None = None) -> list[datetime]:
        """The times of the next readings; those before ``since`` are passed over."""
        times: list[datetime] = []
        async with asyncio.timeout(PATIENCE):
            while len(times) < count:
                message = await self._next()
                assert not (message["type"] == "status" and message["state"] == "alert"), message
                assert message.get("reason", "") in ("", "starting"), message
                if message["type"] == "reading":
                    time = datetime.fromisoformat(message["time"])
                    if since is None or abs(time - since) < DAY / 2:
                        times.append(time)
        return times

    async def _next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise AssertionError("the service has ended")
        message: dict[str, Any] = json.loads(line)
        return message


@pytest.mark.parametrize("protocol", [KAMSTRUP, DSMR, IEC], ids=lambda protocol: protocol.client)
@pytest.mark.parametrize("row", ["any-clock-forward", "any-clock-back"])
async def test_readings_go_on_when_the_clock_is_set(row: str, protocol: Protocol, tmp_path: Path) -> None:
    jump = DAY if row == "any-clock-forward" else -DAY
    offset = tmp_path / "offset"
    offset.write_text("0")
    shutil.copy(ROOT / "config.py", tmp_path)
    async with on_pty(protocol.meter("", encrypted=False)) as port:
        (tmp_path / "settings.toml").write_text(
            SETTINGS.format(
                client=protocol.client,
                port=port,
                interval=INTERVALS[protocol.client],
                more=MORE[protocol.client],
            )
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.clock", str(offset), "run", "clock"),
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(tmp_path)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=1 << 20,
        )
        output = Output(process)
        try:
            before = await output.readings(3)
            beside = tmp_path / "offset.new"
            beside.write_text(str(jump.total_seconds()))
            beside.replace(offset)
            after = await output.readings(5, since=before[-1] + jump)
            assert after == sorted(after)
            process.terminate()
            assert process.stderr is not None
            errors = (await process.stderr.read()).decode()
            assert await process.wait() == 0, errors
            assert "WARNING" not in errors
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
