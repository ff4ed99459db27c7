"""A running sink `web`, and clients that ask it: over real connections, as browsers and programs do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import aiohttp
from yarl import URL

from smart_meter_reader.messages import Message, Reading, Status
from smart_meter_reader.settings.values import Secret
from smart_meter_reader.sinks.web.settings import WebSettings
from smart_meter_reader.sinks.web.sink import WebSink
from tests.peers.feed import Feed
from tests.peers.ports import free_port

PASSWORD = "correct horse battery"
# What `written` makes of it with the salt "a salt of tests!": making it takes each process 0.15 s.
KEPT = Secret("scrypt:YSBzYWx0IG9mIHRlc3RzIQ:ljFDNGIet3nKpA3dkjG-Zu0YDdjGYSUgEm6d55OnQ6g")
TOKEN = "a-token-of-some-length-1234"


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """Its body, numbers as Decimal."""
        return json.loads(self.text, parse_float=Decimal)


class Page(Feed):
    """The sink at work, and a browser before it."""

    def __init__(self, sink: WebSink, port: int, scheme: str, browser: aiohttp.ClientSession) -> None:
        self.sink = sink
        self.port = port
        self.browser = browser
        self.address = f"{scheme}://127.0.0.1:{port}"
        super().__init__()

    async def get(self, path: str, **more: Any) -> Answered:
        """Ask for an address; nothing is followed."""
        return await self.ask("GET", path, **more)

    async def post(self, path: str, **more: Any) -> Answered:
        """Send a form."""
        return await self.ask("POST", path, **more)

    async def ask(self, method: str, path: str, **more: Any) -> Answered:
        """Ask in any way."""
        url = URL(f"{self.address}{path}", encoded=True)
        async with self.browser.request(method, url, allow_redirects=False, **more) as answer:
            return Answered(answer.status, answer.headers, await answer.text())


@asynccontextmanager
async def page(
    *messages: Message, recalled: Mapping[str, Any] | None = None, meters: tuple[str, ...] = (), **more: Any
) -> AsyncIterator[Page]:
    """A page that knows these messages; ended in order."""
    port = free_port()
    settings = replace(WebSettings(port=port), **more)
    sink = WebSink("web", settings)
    sink.recall(recalled or {}, meters)
    # It keeps cookies of addresses too, as browsers do.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        running = Page(sink, port, "https" if settings.certificate else "http", browser)
        running.put(*messages)
        task = asyncio.create_task(sink.run(running.messages()))
        try:
            await listening(port, task)
            yield running
            running.end()
            async with asyncio.timeout(10):
                await task
        finally:
            task.cancel()


async def listening(port: int, task: asyncio.Task[None]) -> None:
    """Wait until somebody listens there, and the task is at work."""
    async with asyncio.timeout(30):
        while True:
            if task.done():
                task.result()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


def reading(meter: str = "heat", **values: str) -> Reading:
    """Quantities with their values, such as heat_energy="12.50 GJ"."""
    found = {key: text.split(" ", 1) for key, text in values.items()}
    return {
        "type": "reading",
        "meter": meter,
        "time": datetime.now(UTC),
        "measurements": {
            key: {"value": Decimal(value), "unit": "".join(unit)} for key, (value, *unit) in found.items()
        },
    }


def status(meter: str = "heat", state: str = "online", reason: str = "", **health: Any) -> Status:
    """A state of a meter."""
    return {
        "type": "status",
        "meter": meter,
        "time": datetime.now(UTC),
        "state": state,  # type: ignore[typeddict-item]
        "reason": reason,
        "detail": f"it is {reason or state}",
        "health": health,  # type: ignore[typeddict-item]
    }
