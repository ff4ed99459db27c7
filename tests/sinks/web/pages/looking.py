"""How a browser is started, and what is looked for on every page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, expect

# The one without windows draws the same with a quarter of the processor.
CHROMIUM = next(
    filter(Path.exists, map(Path, ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium"))),
    Path("/usr/bin/chromium"),
)
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_AXE = Path(__file__).parents[3] / "data" / "axe-core" / "axe.min.js"
PHONE, DESKTOP = (360, 740), (1200, 800)


def launched(playwright: Playwright) -> Browser:
    """Debian's browser, which asks nobody for anything."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(_ARGUMENTS))


class Looked:
    """A page in a browser, and all that the browser had to complain of it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requested: list[str] = []
        page.on("console", lambda told: self._told(told.type, told.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requested.append(request.url))

    def _told(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def open(self, address: str) -> Looked:
        """Go there, and wait until it is drawn."""
        self.page.goto(address, wait_until="load")
        expect(self.page.locator("html.js")).to_have_count(1)
        return self

    def barriers(self) -> list[str]:
        """What axe finds serious or critical, with the place."""
        self.page.evaluate(_axe())
        found: Any = self.page.evaluate(
            "axe.run({resultTypes: ['violations']}).then((told) => told.violations"
            ".filter((each) => ['serious', 'critical'].includes(each.impact))"
            ".map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(' | ').slice(0, 400)}`))"
        )
        return list(found)

    def overflow(self) -> int:
        """By how many pixels it is wider than the screen."""
        found: int = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return found


@contextmanager
def looking(browser: Browser, size: tuple[int, int] = DESKTOP, **more: Any) -> Iterator[Looked]:
    """A fresh page: nothing remembered."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, **{"locale": "en-GB", **more}
    )
    try:
        yield Looked(context.new_page())
    finally:
        context.close()


@cache
def _axe() -> str:
    return _AXE.read_text(encoding="utf-8")
