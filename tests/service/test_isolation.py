"""One thing in trouble, all others unharmed: the running service beside what hangs, is gone, or floods.

What the healthy meters read arrives complete and in order; no time is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.meters.p1.emulator import P1Meter
from tests.peers.imported import STARTED
from tests.peers.mosquitto import MakeBroker
from tests.peers.ports import free_port

ROOT = Path(__file__).parents[2]
READINGS = 30
SETTINGS = """
[isolation]
# More than the healthy meter sends: whatever is dropped, however slow the machine, was not its own fault.
queue_size = 200

# Ten a second: of a sink that a flood keeps busy, each meter has its share, and no more.
[isolation.meters.healthy]
client = "dummy"
interval = "100ms"
quantities = ["heat_energy"]
count = {readings}

# Keeps the service running when the other has come to its end.
[isolation.meters.lasting]
client = "dummy"
interval = "1h"

[isolation.sinks.stdout]
{trouble}
"""

Trouble = Callable[[], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def listening(talk: Callable[[asyncio.StreamWriter], Any]) -> AsyncIterator[int]:
    """A TCP port whose connections are left to ``talk``."""
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(talk(writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def say_nothing(writer: asyncio.StreamWriter) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        writer.transport.abort()


async def flood(writer: asyncio.StreamWriter) -> None:
    """Telegrams as fast as they are taken, the same hundred again and again."""
    meter = P1Meter(interval=1.0)
    telegrams = b"".join(meter.next_telegram() for _ in range(100))
    try:
        while True:
            writer.write(telegrams)
            await writer.drain()
    finally:
        writer.transport.abort()


async def babble(writer: asyncio.StreamWriter) -> None:
    """Bytes of no protocol, as fast as they are taken."""
    junk = bytes(range(256)) * 64
    try:
        while True:
            writer.write(junk)
            await writer.drain()
    finally:
        writer.transport.abort()


def sinks_at(port: int) -> str:
    return "\n".join(
        f'[isolation.sinks.{name}]\nhost = "127.0.0.1"\nport = {port}'
        for name in ("mqtt_json", "homie", "home_assistant")
    ) + (f'\n[isolation.sinks.home_assistant_rest]\nurl = "http://127.0.0.1:{port}"\ntoken = "none"')


def meter_at(client: str, port: int) -> str:
    return f'[isolation.meters.trouble]\nclient = "{client}"\nport = "socket://127.0.0.1:{port}"\n'


@asynccontextmanager
async def hanging_sinks() -> AsyncIterator[str]:
    async with listening(say_nothing) as port:
        yield sinks_at(port)


@asynccontextmanager
async def missing_peers() -> AsyncIterator[str]:
    yield sinks_at(free_port())


@asynccontextmanager
async def dead_ports() -> AsyncIterator[str]:
    yield "\n".join(
        f'[isolation.meters.{name}]\nclient = "{name}"\nport = "/nowhere/{name}"'
        for name in ("kamstrup", "dsmr")
    )


@asynccontextmanager
async def silent_meter() -> AsyncIterator[str]:
    async with listening(say_nothing) as port:
        yield meter_at("kamstrup", port)


@asynccontextmanager
async def flooding_p1() -> AsyncIterator[str]:
    async with listening(flood) as port:
        yield meter_at("dsmr", port) + 'interval = "0s"\n'


@asynccontextmanager
async def babbling_meters() -> AsyncIterator[str]:
    async with listening(babble) as one, listening(babble) as other:
        yield meter_at("dsmr", one) + meter_at("kamstrup", other).replace("trouble", "more-trouble")


@asynccontextmanager
async def service(directory: Path, trouble: str) -> AsyncIterator[asyncio.subprocess.Process]:
    shutil.copy(ROOT / "config.py", directory)
    (directory / "settings.toml").write_text(SETTINGS.format(readings=READINGS, trouble=trouble))
    with (directory / "log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            *(*STARTED, "smart_meter_reader", "run", "isolation"),
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(directory)},
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            limit=1 << 20,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def healthy_totals(process: asyncio.subprocess.Process, count: int) -> list[Decimal]:
    assert process.stdout is not None
    totals: list[Decimal] = []
    async with asyncio.timeout(60):
        while len(totals) < count:
            line = await process.stdout.readline()
            assert line, "the service has ended"
            message = json.loads(line, parse_float=Decimal)
            if message["type"] == "reading" and message["meter"] == "healthy":
                totals.append(message["measurements"]["heat_energy"]["value"])
    return totals


@pytest.mark.parametrize(
    "trouble",
    [hanging_sinks, missing_peers, dead_ports, silent_meter, flooding_p1, babbling_meters],
    ids=lambda trouble: trouble.__name__,
)
async def test_what_the_others_read_arrives_complete_and_in_order(trouble: Trouble, tmp_path: Path) -> None:
    async with trouble() as settings, service(tmp_path, settings) as process:
        totals = await healthy_totals(process, READINGS)
        assert totals == sorted(totals)
        process.terminate()
        async with asyncio.timeout(20):
            assert process.stdout is not None
            await process.stdout.read()
            assert await process.wait() == 0
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert "sink stdout" not in log or trouble is flooding_p1


async def test_a_broker_that_stops_answering_stops_nobody(make_broker: MakeBroker, tmp_path: Path) -> None:
    broker = make_broker()
    async with service(tmp_path, sinks_at(broker.port)) as process:
        totals = await healthy_totals(process, READINGS // 3)
        broker.pause()
        try:
            totals += await healthy_totals(process, READINGS - READINGS // 3)
            process.terminate()
            async with asyncio.timeout(20):
                assert process.stdout is not None
                await process.stdout.read()
                assert await process.wait() == 0
        finally:
            broker.resume()
    assert totals == sorted(totals)
    assert len(totals) == READINGS
