"""Everything at once: all emulated meters with random faults, through all sinks, among peers that mean harm.

    python -m benchmarks.soak [SECONDS] [SEED]

Starts a Mosquitto, a stand-in for Home Assistant's API, the emulated meters, hostile peers (see
``soak_hostile``), and the service as a process of its own; then restarts, pauses and pulls out one or the
other every few seconds. Ends with what was sent, held back, received and lost, and with the service's size
at the start and at the end. The exit code is 1 when a reading is unaccounted for, or when the service has
grown.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from benchmarks.soak_hostile import HostilePeers
from benchmarks.soak_peers import Broker, Listener, Output, RestApi
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import EmulatedMeter, on_pty, on_tcp
from smart_meter_reader.meters.iec62056_21 import emulator as iec62056_21
from smart_meter_reader.meters.kmp import emulator as kamstrup
from smart_meter_reader.meters.p1 import emulator as p1

ROOT = Path(__file__).parents[1]
WARM_UP = 0.4  # of the time: until then the queues have been filled once
LONGEST_OUTAGE = 15.0  # of all sinks at once, early: what the queues take is taken then, and growth is a leak
CALM = 40.0  # the longest pause between two attempts to connect, and what then waits
GROWTH_ALLOWED_KB = 1024
KEY, AUTHENTICATION_KEY = bytes(range(16)), bytes(range(16, 32))

SETTINGS = """
[soak]
log_level = "WARNING"
[soak.mqtt]
host = "127.0.0.1"
port = {mqtt}
{meters}
[soak.meters.dummy]
client = "dummy"
interval = "100ms"
[soak.sinks.stdout]
[soak.sinks.mqtt_json]
history = true
value_topics = true
[soak.sinks.homie]
[soak.sinks.home_assistant]
[soak.sinks.home_assistant_rest]
url = "http://127.0.0.1:{http}"
token = "none"
check_interval = "1s"
"""
_KAMSTRUP = (
    'client = "kamstrup"\ninterval = "200ms"\nmains_powered = true\nanswer_timeout = "200ms"\nretries = 2'
)
_IEC = (
    'client = "iec62056_21"\nmodel = "multical_66c"\nbaud = 19200\ninterval = "200ms"\nmains_powered = true\n'
    'repeat_after = "300ms"'
)
_P1 = 'client = "dsmr"\nbaud = 115200\ninterval = "0s"\ntimeout = "3s"'
METERS = {
    "heat": _KAMSTRUP,
    "heat-tcp": _KAMSTRUP,
    "old-heat": _IEC,
    "old-heat-tcp": _IEC,
    "p1": _P1,
    "p1-tcp": f'{_P1}\nkey = "{KEY.hex()}"\nauthentication_key = "{AUTHENTICATION_KEY.hex()}"',
}


def make_meter(name: str, seed: int) -> EmulatedMeter:
    """The meter behind a name of METERS, with every fault of its kind at random."""
    if name.startswith("heat"):
        faults = parse_faults(
            ["crc:0.05,drop:0.02,noise:0.1,echo:0.1,late:0.01,omit:0.02,mute:0.1,stray:0.05"], kamstrup.FAULTS
        )
        return kamstrup.KamstrupMeter(faults=faults, seed=seed, reply_delay=0.0, rate=20.0)
    if name.startswith("old"):
        kinds = ["drop:0.03,noise:0.1,truncate:0.03,parity:0.03,digit:0.1,echo:0.1"]
        faults = parse_faults(kinds, iec62056_21.FAULTS)
        return iec62056_21.Iec62056Meter(faults=faults, seed=seed, reply_delay=0.0, rate=20.0)
    kinds = [
        "crc:0.05,drop:0.05,noise:0.1,cut:0.03,headless:0.03,lose:0.03,nul:0.03,replay:0.03,silence:0.01"
    ]
    return p1.P1Meter(
        faults=parse_faults(kinds, p1.FAULTS),
        seed=seed,
        interval=0.1,
        encryption=p1.Encryption(KEY, AUTHENTICATION_KEY) if name.endswith("tcp") else None,
    )


class Place:
    """One meter on its port; ``replug`` takes it away for a while."""

    def __init__(self, name: str, folder: Path, seed: int) -> None:
        self.name = name
        self._meter = make_meter(name, seed)
        self._link = folder / name
        self._port = 0
        self._stack = AsyncExitStack()

    @property
    def url(self) -> str:
        return f"socket://127.0.0.1:{self._port}" if self._port else str(self._link)

    async def plug_in(self) -> None:
        self._stack = AsyncExitStack()
        if self.name.endswith("tcp"):
            place = await self._stack.enter_async_context(on_tcp(self._meter, port=self._port))
            self._port = int(place.rpartition(":")[2])
        else:
            await self._stack.enter_async_context(on_pty(self._meter, link=self._link))

    async def replug(self, seconds: float) -> None:
        await self._stack.aclose()
        await asyncio.sleep(seconds)
        await self.plug_in()

    async def close(self) -> None:
        await self._stack.aclose()


class Soak:
    """One run and all that takes part in it."""

    def __init__(self, folder: Path, seconds: float, seed: int, calm: float = CALM) -> None:
        self.folder = folder
        self.seconds = seconds
        self.calm = calm
        self.random = random.Random(seed)
        self.places = [Place(name, folder, seed + number) for number, name in enumerate(METERS)]
        self.broker = Broker(folder)
        self.api = RestApi()
        self.hostile = HostilePeers()
        self.output = Output()
        self.samples: list[dict[str, Any]] = []
        self.trouble = 0

    async def run(self) -> bool:
        """Run it all; whether nothing was lost and nothing grew."""
        await self.broker.start()
        listener = Listener(self.broker.port)
        for place in self.places:
            await place.plug_in()
        await self.api.start()
        await self.hostile.start()
        self._write_settings()
        process, telling = await self._start_service()
        reading = asyncio.create_task(self.output.read(process))
        troubling = asyncio.create_task(self._make_trouble(process))
        ended = asyncio.create_task(process.wait())
        await asyncio.wait([ended], timeout=self.seconds)
        troubling.cancel()
        await asyncio.gather(troubling, return_exceptions=True)
        await self._calm_down(ended)
        if not ended.done():
            process.send_signal(signal.SIGTERM)
        await ended
        await asyncio.gather(reading, telling)
        await asyncio.sleep(2)  # the broker's last messages to the listener
        for place in self.places:
            await place.close()
        await self.hostile.stop()
        await self.api.stop()
        listener.close()
        await self.broker.stop()
        return self._report(listener, process.returncode)

    def _write_settings(self) -> None:
        meters = "\n".join(
            f'[soak.meters.{place.name}]\nport = "{place.url}"\n{METERS[place.name]}' for place in self.places
        )
        shutil.copy(ROOT / "config.py", self.folder)
        text = SETTINGS.format(mqtt=self.broker.port, http=self.api.port, meters=meters)
        text += self.hostile.settings
        (self.folder / "settings.toml").write_text(text)

    async def _start_service(self) -> tuple[asyncio.subprocess.Process, asyncio.Task[None]]:
        receiving, sending = os.pipe()
        with (self.folder / "service.log").open("w") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "benchmarks.soaked_service", str(sending)),
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(self.folder)},
                pass_fds=[sending],
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=1 << 20,
            )
        os.close(sending)
        return process, asyncio.create_task(self._take_samples(receiving))

    async def _take_samples(self, pipe: int) -> None:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(pipe, "rb"))
        while line := await reader.readline():
            self.samples.append(json.loads(line))
            if len(self.samples) % 12 == 1:
                print(f"{len(self.samples) * 5:5} s  {self._in_words(self.samples[-1])}", flush=True)

    async def _make_trouble(self, process: asyncio.subprocess.Process) -> None:
        await asyncio.sleep(self.seconds / 10)
        await self._hold_all_sinks(min(LONGEST_OUTAGE, self.seconds / 10))
        while True:
            await asyncio.sleep(self.random.uniform(1, 6))
            self.trouble += 1
            kind = self.random.choice(["port", "port", "broker", "pause", "api", "reader"])
            seconds = self.random.uniform(0.2, 4)
            if kind == "port":
                await self.random.choice(self.places).replug(seconds)
            elif kind == "broker":
                await self.broker.restart(seconds)
            elif kind == "pause":
                await self.broker.pause(seconds)
            elif kind == "api":
                self.api.fail_for(seconds)
            else:
                await self.output.pause(seconds)

    async def _hold_all_sinks(self, seconds: float) -> None:
        self.api.fail_for(seconds)
        await asyncio.gather(self.broker.pause(seconds), self.output.pause(seconds))

    async def _calm_down(self, ended: asyncio.Task[int]) -> None:
        """Let everything come back, so that what waits can be delivered."""
        for place in self.places:
            await place.replug(0)
        await self.broker.resume()
        await asyncio.wait([ended], timeout=self.calm)

    def _in_words(self, sample: dict[str, Any]) -> str:
        return (
            f"{sample.get('sent', 0)} readings, {sample['rss']} kB, {sample['descriptors']} descriptors, "
            f"{sample['tasks']} tasks, {self.trouble} faults"
        )

    def _undelivered(self, sink: str) -> int:
        """Readings of the history of which the log says that they were not delivered before the end."""
        log = (self.folder / "service.log").read_text()
        return sum(map(int, re.findall(rf"sink {sink}: (\d+) readings of the history were not", log)))

    def _report(self, listener: Listener, code: int | None) -> bool:
        last = self.samples[-1]
        steady = self.samples[int(len(self.samples) * WARM_UP) : -1] or self.samples
        passed = last["passed"]
        print(f"\nreadings sent by the clients {last['sent']}, passed by the guard {passed}")
        print(f"connections to hostile peers: {self.hostile.met}")
        print(f"rejected: {last['damaged']} frames by the clients, {last['rejected']} values by the guard")
        unaccounted = 0
        for name, received in (("stdout", self.output.readings), ("mqtt_json", listener.readings)):
            told = last["dropped"][name] + self._undelivered(name)
            lost = passed - received - told - last["left"][name]
            unaccounted += abs(lost)
            print(f"{name}: received {received}, dropped {told} (told), unaccounted {lost}")
        print(
            f"home_assistant_rest: {self.api.posts} posts; history: {listener.messages} messages with repeats"
        )
        for key in ("rss", "descriptors", "tasks"):
            values = [sample[key] for sample in steady]
            third = max(1, len(values) // 3)
            print(
                f"{key}: {values[0]} at the start, {values[-1]} at the end; "
                f"means {sum(values[:third]) / third:.0f} and {sum(values[-third:]) / third:.0f}, "
                f"{min(values)} to {max(values)}"
            )
        crashed = "Traceback" in (self.folder / "service.log").read_text()
        third = max(1, len(steady) // 3)
        grown = sum(s["rss"] for s in steady[-third:]) - sum(s["rss"] for s in steady[:third])
        print(f"exit code {code}{', with a traceback' if crashed else ''}")
        return not unaccounted and not crashed and code == 0 and grown / third < GROWTH_ALLOWED_KB


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        try:
            well = asyncio.run(Soak(Path(folder), seconds, seed).run())
        finally:
            shutil.copy(Path(folder) / "service.log", Path(tempfile.gettempdir()) / "soak-service.log")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
