"""The writer's page of all meters in a real browser, on a telephone and on a desk, by day and by night."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.sync_api import Browser, expect

from smart_meter_reader.writer.figures import Figures
from smart_meter_reader.writer.page_text import POLICY, page_of
from tests.peers.ports import free_port
from tests.sinks.web.pages.conftest import browser
from tests.sinks.web.pages.looking import DESKTOP, PHONE, looking

__all__ = ["browser"]

pytestmark = pytest.mark.xdist_group("browser")
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
LATE = timedelta(hours=2)


def row(meter: str, minutes: float | None, **more: str | None) -> dict[str, Any]:
    newest = None if minutes is None else NOW - timedelta(minutes=minutes)
    told = {"tenant": "housing-association", "site": "site-1", "model": "MULTICAL 403", "state": "online"}
    return {"meter": meter, "newest": newest, "reason": None, "mixed": False, **told, **more}


ROWS = [
    row("heat", 1),
    row("water-of-the-third-floor-left", 300, state="offline", reason="no_answer"),
    row("w" * 64, 1.5, site="x" * 64, tenant="y" * 64, model="<script>alert(1)</script>" + "z" * 90),
    row("new", None, model=None, state=None),
]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The page as the writer sends it, in a thread of its own; without the database behind it."""
    port, stop, ready = free_port(), threading.Event(), threading.Event()

    async def show(_: web.Request) -> web.Response:
        text = page_of(ROWS, NOW, LATE, Figures())
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": POLICY})

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/", show)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        ready.set()
        await asyncio.to_thread(stop.wait)
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(30)
    yield f"http://127.0.0.1:{port}/"
    stop.set()
    thread.join(10)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_the_page_bars_nobody_and_fits(
    browser: Browser, address: str, size: tuple[int, int], scheme: str, tmp_path: Path
) -> None:
    with looking(browser, size, color_scheme=scheme) as looked:
        looked.page.goto(address, wait_until="load")
        expect(looked.page.locator("tbody tr")).to_have_count(4)
        looked.page.screenshot(path=tmp_path / f"{scheme}{size[0]}.png", full_page=True)
        assert looked.overflow() <= 0
        assert looked.complaints == []
        dark = looked.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 22, 27)"
        assert dark == (scheme == "dark")
        for name in ("heat", "water-of-the-third-floor-left", "5h ago, late", "none yet"):
            expect(looked.page.get_by_text(name, exact=True)).to_be_visible()
        # Its own script aside nothing runs, axe neither: it is looked at without the policy.
    with looking(browser, size, color_scheme=scheme, bypass_csp=True) as looked:
        looked.page.goto(address, wait_until="load")
        assert looked.barriers() == []


def test_it_tells_how_many_are_late_and_that_there_are_more() -> None:
    figures = Figures()
    figures.counts = {"meters": 70_000, "late": 1}
    assert "the first 4 of 70000 meters, 2 late: no reading for 2h" in page_of(ROWS, NOW, LATE, figures)
    assert "No meter has told anything yet." in page_of([], NOW, LATE, Figures())


def test_it_tells_of_a_name_that_two_devices_have() -> None:
    shown = page_of([{**row("heat", 1), "mixed": True}], NOW, LATE, Figures())
    assert "online (two devices of this name)" in shown
