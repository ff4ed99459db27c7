"""The guard and systemd's view in the running service: from a client's values to what a sink receives."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import pytest

from smart_meter_reader import app
from smart_meter_reader.guard.settings import GuardSettings
from smart_meter_reader.messages import Health, Message, Publish
from smart_meter_reader.meters import registry as meters
from smart_meter_reader.meters.base import Client, ClientSettings
from smart_meter_reader.settings.loading import MeterSettings, ServiceSettings, SinkSettings
from smart_meter_reader.sinks import registry as sinks
from smart_meter_reader.sinks.base import Sink
from tests.records import meter_record, sink_record

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Script(ClientSettings):
    """What the meter shows: totals in order, of which the first ``unasked`` come by themselves."""

    totals: tuple[str, ...]
    unasked: int = 1000
    port: str = "/dev/null"

    @property
    def reads_from(self) -> str:
        return self.port


class ScriptedClient(Client):
    """A meter without a checksum on its line that shows what it is told to."""

    def __init__(self, meter: str, settings: Script) -> None:
        self.meter = meter
        self.health: Health = {}
        self._script = settings
        self._asked = asyncio.Event()

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        for number, total in enumerate(self._script.totals):
            if number >= self._script.unasked:
                await self._asked.wait()
                self._asked.clear()
            await publish(
                {
                    "type": "reading",
                    "meter": self.meter,
                    "time": datetime.now(UTC),
                    "measurements": {"heat_energy": {"value": Decimal(total), "unit": "GJ"}},
                }
            )

    def read_now(self) -> None:
        self._asked.set()


class CollectingSink(Sink):
    """Keeps what it receives in the list that its settings are."""

    def __init__(self, name: str, settings: list[Message]) -> None:
        self.name = name
        self._received = settings

    async def run(self, messages: AsyncIterator[Message]) -> None:
        async for message in messages:
            self._received.append(message)


SCRIPTED = meter_record(f"{__name__}:ScriptedClient", f"{__name__}:Script", checksummed=False)
COLLECTING = sink_record(f"{__name__}:CollectingSink", "builtins:list")


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(meters, "METERS", {"scripted": f"{__name__}:SCRIPTED"})
    monkeypatch.setattr(sinks, "SINKS", {"collecting": f"{__name__}:COLLECTING"})
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))


async def run_service(script: Script) -> list[Message]:
    """Run the service until the script is at its end; what the sink received."""
    received: list[Message] = []
    settings = ServiceSettings(
        environment="cellar",
        log_level="INFO",
        queue_size=100,
        meters=MappingProxyType({"heat": MeterSettings("heat", "scripted", script, GuardSettings())}),
        sinks=MappingProxyType({"all": SinkSettings("all", "collecting", received)}),
    )
    async with asyncio.timeout(30):
        await app.Service(settings).run()
    return received


def totals(messages: list[Message]) -> list[str]:
    return [
        str(message["measurements"]["heat_energy"]["value"])
        for message in messages
        if message["type"] == "reading"
    ]


async def test_a_wrong_value_never_reaches_a_sink() -> None:
    received = await run_service(Script(("227.44", "227.45", "927.45", "0.00", "22.74", "227.46")))
    assert totals(received) == ["227.44", "227.45", "227.46"]
    reasons = [message["reason"] for message in received if message["type"] == "status"]
    assert "implausible_value" in reasons
    assert reasons[-1] == ""
    states = [message["state"] for message in received if message["type"] == "status"]
    assert states == ["offline", *["online"] * (len(states) - 1)], "offline only before the first reading"
    last = [message for message in received if message["type"] == "status"][-1]
    assert last["health"]["rejected_values"] == 3


async def test_a_meter_is_read_again_until_its_readings_agree() -> None:
    """Without the guard's requests the script would stand still after the first doubtful reading."""
    received = await run_service(Script(("5.00", "1.00", "1.01", "1.02"), unasked=2))
    assert totals(received) == ["5.00", "1.02"]
    told = [message for message in received if message["type"] == "status"][-1]
    assert (told["state"], told["reason"]) == ("online", "new_baseline")


async def test_totals_are_remembered_over_a_restart(tmp_path: Path) -> None:
    assert totals(await run_service(Script(("227.44",)))) == ["227.44"]
    state = json.loads((tmp_path / "cellar.json").read_text())
    assert state["meters"]["heat"]["totals"]["heat_energy"]["value"] == "227.44"
    assert totals(await run_service(Script(("1.00", "227.45")))) == ["227.45"]
    assert totals(await run_service(Script(("1.00",), port="/dev/another"))) == ["1.00"]


async def test_a_damaged_memory_costs_nothing_but_itself(tmp_path: Path) -> None:
    (tmp_path / "cellar.json").write_text("{ half of")
    assert totals(await run_service(Script(("1.00",)))) == ["1.00"]
    assert json.loads((tmp_path / "cellar.json").read_text())["version"] == 1


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The service manager's end of the notify socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(30)
        yield receiver


def test_systemd_is_told_of_start_life_and_stop(manager: socket.socket, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": "30000",
        "ENV_FOR_DYNACONF": "dummy",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "smart_meter_reader"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        heard = [manager.recv(4096).decode()]
        assert heard[0].startswith("READY=1\nSTATUS=")
        heard += [manager.recv(4096).decode() for _ in range(20)]
        assert heard.count("WATCHDOG=1") >= 19
        assert "STATUS=dummy online" in "\n".join(heard).splitlines()
        process.send_signal(signal.SIGTERM)
        while not heard[-1].startswith("STOPPING=1"):
            heard.append(manager.recv(4096).decode())
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()
