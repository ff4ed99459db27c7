"""The service as a process of its own: its messages as they come, its log, and signals to it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.peers.imported import NEW, STARTED, number_of, send

ROOT = Path(__file__).parents[2]
PATIENCE = 40.0


class ServiceProcess:
    """A running service with the sink `stdout`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.messages: list[dict[str, Any]] = []
        self.log = ""
        self._process = process
        self._more = asyncio.Event()
        self._reading = [
            asyncio.ensure_future(self._read_messages()),
            asyncio.ensure_future(self._read_log()),
        ]

    @property
    def process_id(self) -> int:
        return number_of(self._process.pid)

    @property
    def readings(self) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == "reading"]

    @property
    def states(self) -> list[str]:
        """The states one after the other with their reasons, without repeats."""
        states: list[str] = []
        for message in self.messages:
            if message["type"] == "status":
                state = f"{message['state']} {message['reason']}".strip()
                if states[-1:] != [state]:
                    states.append(state)
        return states

    @property
    def health(self) -> dict[str, Any]:
        """The counters of the last status."""
        found: dict[str, Any] = {}
        for message in self.messages:
            found = message.get("health", found)
        return found

    def values(self, quantity: str) -> list[Any]:
        """What the readings say of one quantity."""
        return [each["measurements"][quantity]["value"] for each in self.readings]

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until the messages so far fulfil a condition."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(
                f"no {what}: {self.states}, {len(self.readings)} readings, {self.log}"
            ) from None

    async def more_readings(self, count: int) -> None:
        """Wait for readings."""
        enough = len(self.readings) + count
        await self.until(lambda: len(self.readings) >= enough, f"{count} more readings")

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process, and to nobody else."""
        send(self._process.pid, number)

    async def stop(self) -> None:
        """End in order, and with exit code 0."""
        self._process.terminate()
        async with asyncio.timeout(PATIENCE):
            assert await self._process.wait() == 0, self.log
            await asyncio.gather(*self._reading)

    async def kill(self) -> None:
        """End without any order, whatever it is at."""
        if self._process.returncode is None:
            self.send(signal.SIGKILL)
        await self._process.wait()
        await asyncio.gather(*self._reading)

    async def _read_messages(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.messages.append(json.loads(line, parse_float=Decimal))
            self._more.set()

    async def _read_log(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.log += line.decode()


@asynccontextmanager
async def service_process(
    folder: Path,
    settings: str,
    environment: str,
    *,
    module: tuple[str, ...] = ("smart_meter_reader",),
    anew: bool = False,
) -> AsyncIterator[ServiceProcess]:
    """`run` in ``folder``, where its state is kept too; killed at the end if it still runs.

    ``module``: the module to run and its own first arguments; ``anew``: in an interpreter that has imported
    no more than it needs, for what its memory shows.
    """
    shutil.copy(ROOT / "config.py", folder)
    (folder / "settings.toml").write_text(settings)
    process = await asyncio.create_subprocess_exec(
        *(*(NEW if anew else STARTED), *module, "run", environment),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    running = ServiceProcess(process)
    try:
        yield running
    finally:
        await running.kill()
