"""The page below a path of another web server: whatever it leads to is below that path, and there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import aiohttp
import pytest
from aiohttp import web

from smart_meter_reader.history.places import HistoryPlace
from smart_meter_reader.messages import Reply
from smart_meter_reader.sinks.requests import Requests
from smart_meter_reader.sinks.web.access import security
from tests.history.homes import energy, keep
from tests.peers.ports import free_port
from tests.sinks.web.running import KEPT, PASSWORD, page, reading

PREFIX = "/some/where"


class Addresses(HTMLParser):
    """What a page leads to and is made of; forms by themselves."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.forms: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is not None and name in ("href", "src"):
                self.links.add(value)
            if value is not None and name == "action":
                self.forms.add(value)


@asynccontextmanager
async def proxied(port: int, headers: dict[str, str]) -> AsyncIterator[str]:
    """A proxy that takes the prefix away and tells of it; what is elsewhere on it is 418."""

    async def answer(request: web.Request) -> web.StreamResponse:
        rest = request.raw_path.removeprefix(PREFIX)
        if rest == request.raw_path:
            return web.Response(status=418)
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(
                request.method,
                f"http://127.0.0.1:{port}{rest}",
                data=await request.read(),
                headers={**request.headers, **headers},
                allow_redirects=False,
            ) as found,
        ):
            kept = {key: value for key, value in found.headers.items() if key != "Content-Length"}
            return web.Response(status=found.status, body=await found.read(), headers=kept)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    own = free_port()
    await web.TCPSite(runner, "127.0.0.1", own).start()
    yield f"http://127.0.0.1:{own}"
    await runner.cleanup()


@pytest.fixture
def kept(tmp_path: Path) -> HistoryPlace:
    path = tmp_path / "home.history.sqlite"
    keep(path, [energy(1_790_000_000 + 900 * number, str(number)) for number in range(96)])
    return HistoryPlace(path, None, "Europe/Amsterdam")


async def everywhere(browser: aiohttp.ClientSession, address: str) -> set[str]:
    """Follow all links as far as they go on that server, some hundred of them; ask each form of meters."""
    todo, seen = [f"{address}{PREFIX}/"], set[str]()
    while todo and len(seen) < 150:
        url = todo.pop(0)
        seen.add(url)
        async with browser.get(url) as answer:
            assert (answer.status, url) == (200, url)
            assert urlsplit(str(answer.url)).path.startswith(f"{PREFIX}/")
            if answer.content_type != "text/html":
                continue
            found = Addresses(await answer.text())
        for link in {urljoin(url, each) for each in found.links}:
            plain = link.partition("#")[0]
            if urlsplit(plain).scheme == "data" or "api/v1/download" in plain:
                continue
            assert plain.startswith(f"{address}{PREFIX}/"), f"{url} leads to {link}"
            # Of the many days and languages one of each page will do.
            if not urlsplit(plain).query and plain not in seen and plain not in todo:
                todo.append(plain)
        for form in {urljoin(url, each) for each in found.forms}:
            assert form.startswith(f"{address}{PREFIX}/")
            if form.endswith("/read"):
                async with browser.post(form, headers={"Accept": "text/html"}) as answer:
                    assert (answer.status, answer.url.path) == (200, f"{PREFIX}/meters")
    return {urlsplit(url).path.removeprefix(PREFIX) for url in seen}


async def test_below_a_proxy(kept: HistoryPlace) -> None:
    told = {"X-Forwarded-Prefix": PREFIX, "Host": "meters.example.org"}
    async with (
        page(
            reading(power="1 kW"), password=KEPT, proxies=("127.0.0.1",), names=("meters.example.org",)
        ) as running,
        proxied(running.port, told) as address,
    ):
        running.sink.share_history(kept)
        running.sink.take_requests_to(Requests({"heat": lambda: Reply(taken=True)}))
        async with running.browser.post(f"{address}{PREFIX}/login", data={"password": PASSWORD}) as answer:
            assert (answer.status, answer.url.path) == (200, f"{PREFIX}/")
        seen = await everywhere(running.browser, address)
    assert {"/", "/history", "/heat", "/meters", "/download"} <= seen
    assert [path for path in seen if path.startswith("/static/")]


async def test_in_home_assistant(kept: HistoryPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "SUPERVISOR", "127.0.0.1")
    told = {"X-Ingress-Path": PREFIX, "Host": "homeassistant.example"}
    async with (
        page(reading(power="1 kW"), home_assistant_ingress=True) as running,
        proxied(running.port, told) as address,
    ):
        running.sink.share_history(kept)
        assert {"/", "/history", "/meters"} <= await everywhere(running.browser, address)
