"""A real browser in the house: over plain HTTP, by a name, where it sends less of itself than to loopback."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import async_playwright

from smart_meter_reader.messages import Reply
from smart_meter_reader.sinks.requests import Requests
from tests.sinks.web.pages.looking import CHROMIUM
from tests.sinks.web.running import KEPT, PASSWORD, page, reading


async def test_one_logs_in_asks_for_a_reading_and_leaves() -> None:
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}: scripts/browser installs one")
    asked, complaints = asyncio.Event(), list[str]()

    def read() -> Reply:
        asked.set()
        return Reply(taken=True)

    async with page(reading(power="1 kW"), password=KEPT) as running, async_playwright() as playwright:
        running.sink.take_requests_to(Requests({"heat": read}))
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--headless", "--no-sandbox", "--host-resolver-rules=MAP meters.local 127.0.0.1"],
        )
        look = await browser.new_page()
        look.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
        await look.goto(f"http://meters.local:{running.port}/")
        await look.fill("input[name=password]", PASSWORD)
        await look.press("input[name=password]", "Enter")
        await look.wait_for_url(f"http://meters.local:{running.port}/")
        await look.goto(f"http://meters.local:{running.port}/meters")
        await look.click("form[action*=read] button")
        async with asyncio.timeout(30):
            await asked.wait()
        await look.click("form[action=logout] button")
        await look.wait_for_url("**/login")
        await browser.close()
    assert complaints == []
