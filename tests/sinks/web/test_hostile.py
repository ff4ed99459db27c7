"""Clients that mean harm: refused or dropped, others are answered, and no reading comes late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from resource import RLIMIT_NOFILE, getrlimit, setrlimit

import aiohttp
import pytest

from smart_meter_reader.sinks.web import listener
from tests.peers.ports import free_port
from tests.peers.service_process import ServiceProcess, service_process
from tests.service.test_hostile_peers import LONGEST_GAP, MOST_MEBIBYTES, peak_of
from tests.sinks.web.running import page, reading

CONNECTIONS = 1000
READINGS = 100
HEAD = b"GET /api/v1/now HTTP/1.1\r\nHost: localhost\r\n"
MANY_HEADERS = HEAD + b"".join(b"X-%d: x\r\n" % number for number in range(100_000)) + b"\r\n"
SETTINGS = """
[home.meters.heat]
client = "dummy"
interval = "100ms"
[home.sinks.stdout]
[home.sinks.history]
[home.sinks.web]
port = {port}
"""

Attack = Callable[[int], Awaitable[None]]


@pytest.fixture(autouse=True)
def many_files() -> Iterator[None]:
    """A thousand connections are as many files here."""
    soft, hard = getrlimit(RLIMIT_NOFILE)
    setrlimit(RLIMIT_NOFILE, (max(soft, min(hard, 4 * CONNECTIONS)), hard))
    yield
    setrlimit(RLIMIT_NOFILE, (soft, hard))


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def slow(port: int) -> None:
    """A head that comes letter by letter."""
    async with connected(port) as (_, writer):
        for letter in HEAD * 1000:
            writer.write(bytes([letter]))
            await writer.drain()
            await asyncio.sleep(1)


async def silent(port: int) -> None:
    """Says nothing at all."""
    async with connected(port) as (reader, _):
        await reader.read()


async def never_reading(port: int) -> None:
    """Asks again and again, and takes no answer."""
    async with connected(port) as (_, writer):
        while True:
            writer.write((HEAD + b"\r\n") * 10)
            await writer.drain()


async def never_reading_the_stream(port: int) -> None:
    async with connected(port) as (_, writer):
        writer.write(b"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asyncio.sleep(3600)


async def large_head(port: int) -> None:
    """A header of a megabyte."""
    async with connected(port) as (reader, writer):
        writer.write(HEAD + b"X-Long: " + b"x" * 1_000_000 + b"\r\n\r\n")
        await reader.read()


async def many_headers(port: int) -> None:
    async with connected(port) as (reader, writer):
        writer.write(MANY_HEADERS)
        await reader.read()


async def endless_body(port: int) -> None:
    async with connected(port) as (_, writer):
        writer.write(b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            await writer.drain()


async def rubbish(port: int) -> None:
    async with connected(port) as (reader, writer):
        writer.write(bytes(range(256)) * 64)
        await reader.read()


async def climbing(port: int) -> None:
    """Paths that lead out of the folder."""
    async with connected(port) as (reader, writer):
        for path in (
            b"/../../etc/passwd",
            b"/static/../../sink.py",
            b"/static/%2e%2e/sink.py",
            b"//etc/passwd",
        ):
            writer.write(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path)
        while line := await reader.readline():
            assert b"root:" not in line
            assert b"import" not in line


async def hasty(port: int) -> None:
    """Asks, leaves, and comes again."""
    while True:
        async with connected(port) as (_, writer):
            writer.write(HEAD + b"\r\n")
            await writer.drain()


ATTACKS: dict[str, tuple[Attack, int]] = {
    "slow": (slow, CONNECTIONS),
    "silent": (silent, CONNECTIONS),
    "never reading": (never_reading, 50),
    "never reading the stream": (never_reading_the_stream, 50),
    "large heads": (large_head, 20),
    "many headers": (many_headers, 20),
    "endless bodies": (endless_body, 20),
    "rubbish": (rubbish, 50),
    "climbing": (climbing, 20),
    "hasty": (hasty, 20),
}


async def again_and_again(attack: Attack, port: int) -> None:
    """Whoever is dropped comes again."""
    while True:
        with suppress(OSError):
            await attack(port)
        await asyncio.sleep(0.2)


@asynccontextmanager
async def attacked(attack: Attack, count: int, port: int) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(again_and_again(attack, port)) for _ in range(count)]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def answered(port: int) -> None:
    """A browser beside them has its answer, perhaps not at the first try."""
    async with aiohttp.ClientSession() as browser, asyncio.timeout(60):
        while True:
            with suppress(aiohttp.ClientError):
                async with browser.get(f"http://127.0.0.1:{port}/api/v1/now") as answer:
                    assert answer.status == 200
                    assert (await answer.json())["meters"][0]["meter"] == "heat"
                    return
            await asyncio.sleep(0.1)


def gaps(service: ServiceProcess, first: int) -> list[float]:
    times = [datetime.fromisoformat(each["time"]) for each in service.readings[first:]]
    return [(later - earlier).total_seconds() for earlier, later in pairwise(times)]


@pytest.mark.parametrize("name", ATTACKS)
async def test_no_reading_is_late(tmp_path: Path, name: str) -> None:
    attack, count = ATTACKS[name]
    port = free_port()
    async with service_process(tmp_path, SETTINGS.format(port=port), "home", anew=True) as service:
        await service.more_readings(3)
        await answered(port)
        first = len(service.readings)
        async with attacked(attack, count, port):
            await service.more_readings(READINGS)
            await answered(port)
        assert max(gaps(service, first)) < LONGEST_GAP, service.log
        assert peak_of(service.process_id) < MOST_MEBIBYTES
        await service.stop()
    assert "Traceback" not in service.log
    assert len(service.log.splitlines()) < 15, service.log


async def test_a_client_that_never_reads_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "STUCK_SECONDS", 0.3)
    async with page(reading(power="1 kW")) as running:
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(30):
                await never_reading(running.port)


async def test_who_says_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "IDLE_SECONDS", 0.3)
    async with page(reading(power="1 kW")) as running:
        async with asyncio.timeout(30):
            with suppress(ConnectionError):
                await silent(running.port)
            with pytest.raises(ConnectionError):
                await slow(running.port)


async def test_a_large_head_gets_no_answer_of_ours() -> None:
    async with page(reading(power="1 kW")) as running, connected(running.port) as (reader, writer):
        writer.write(HEAD + b"X-Long: " + b"x" * 60_000 + b"\r\n\r\n")
        async with asyncio.timeout(30):
            line = await reader.readline()
        assert line.split()[1:2] == [b"400"]
