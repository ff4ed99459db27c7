"""A wrong value on a line without checksums never reaches the broker; what was true is known over a restart.

The emulated MULTICAL 66C turns digits into others with the right parity; the service runs as a process.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import on_pty
from smart_meter_reader.meters.iec62056_21.emulator import FAULTS, Iec62056Meter
from tests.peers.feed import until
from tests.peers.imported import STARTED
from tests.peers.mosquitto import Mosquitto
from tests.peers.mqtt_recorder import Recorder, recording, retained

ROOT = Path(__file__).parents[2]
SETTINGS = """
[old.mqtt]
host = "127.0.0.1"
port = {mqtt}
[old.meters.heat]
client = "iec62056_21"
port = "{port}"
model = "multical_66c"
baud = 19200
interval = "50ms"
mains_powered = true
repeat_after = "300ms"
[old.meters.heat.guard]
confirmations = 1000
[old.sinks.mqtt_json]
[old.sinks.homie]
[old.sinks.home_assistant]
"""
STATE = "smart-meter-reader/heat/state"
STATUS = "smart-meter-reader/heat/status"


@asynccontextmanager
async def service(directory: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service; stopped in order at the end."""
    with (directory / "log").open("a") as log:
        process = await asyncio.create_subprocess_exec(
            *(*STARTED, "smart_meter_reader", "run", "old"),
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(directory)},
            stdout=log,
            stderr=log,
        )
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert "Traceback" not in (directory / "log").read_text()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "config.py", tmp_path)
    return tmp_path


def energies(recorder: Recorder) -> list[str]:
    """The energy in every state that was published, as text, so that no digit is lost."""
    states = [json.loads(item.payload, parse_float=str) for item in recorder.traffic if item.topic == STATE]
    return [
        str(state["measurements"]["heat_energy"]["value"])
        for state in states
        if "heat_energy" in state["measurements"]
    ]


def values_told(recorder: Recorder, ending: str) -> set[str]:
    return {item.payload for item in recorder.traffic if item.topic.endswith(ending)}


async def test_wrong_digits_never_reach_the_broker(broker: Mosquitto, directory: Path) -> None:
    meter = Iec62056Meter(faults=parse_faults(["digit:0.2"], FAULTS), reply_delay=0.0, rate=0.0)
    async with on_pty(meter, link=directory / "port") as port:
        (directory / "settings.toml").write_text(SETTINGS.format(mqtt=broker.port, port=port))
        with recording(broker.port) as recorder:
            async with service(directory):
                # Many readings need further answers now: a value counts when two in a row agree.
                await until(lambda: len(meter.asked) >= 60 and len(energies(recorder)) >= 10)
            told = values_told(recorder, "heat-energy")
            assert set(energies(recorder)) == {"507.109"}
            assert told == {"507.109"}


async def test_a_wrong_total_is_held_back_also_after_a_restart(broker: Mosquitto, directory: Path) -> None:
    link = directory / "port"
    (directory / "settings.toml").write_text(SETTINGS.format(mqtt=broker.port, port=link))
    async with on_pty(Iec62056Meter(reply_delay=0.0, rate=0.0), link=link):
        with recording(broker.port) as recorder:
            async with service(directory):
                await until(lambda: energies(recorder))
    memory = json.loads((directory / "old.json").read_text())
    assert memory["meters"]["heat"]["totals"]["heat_energy"]["value"] == "507.109"
    # The same head reads a total a hundred times smaller now, and does so again and again.
    fallen = Iec62056Meter(reply_delay=0.0, rate=0.0, values={"energy": 5071, "energy_E1_E2": 5071})
    async with on_pty(fallen, link=link):
        with recording(broker.port) as recorder:
            async with service(directory):
                await until(lambda: "implausible_value" in (recorder.newest(STATUS) or ""))
                before = len(fallen.asked)
                await until(lambda: len(fallen.asked) >= before + 20)
            assert "5.071" not in "".join(item.payload for item in recorder.traffic if item.topic == STATE)
            held_back = json.loads(next(s for s in values_told(recorder, STATUS) if "implausible" in s))
            assert held_back["state"] == "online"  # the other values are right
            assert "it was 507.109 MWh" in held_back["detail"]
    kept = retained(broker.port)
    assert kept["homie/heat/heat/heat-energy"] == "507.109"
    log = (directory / "log").read_text()
    assert log.count("held back") == 1
