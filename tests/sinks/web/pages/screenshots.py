"""Takes the pictures of docs/screenshots: python -m tests.sinks.web.pages.screenshots [FOLDER]."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.sinks.web.pages.looking import DESKTOP, PHONE, launched, looking
from tests.sinks.web.pages.neighbours import everyday
from tests.sinks.web.pages.serving import Home, served, stored

FOLDER = Path(__file__).parents[4] / "docs" / "screenshots"
_TALLEST = 1150
_SHOTS = {
    "now": "",
    "history-month": "history?meter=p1&view=month",
    "history-compare": "history?meter=heat&view=year&compare=year",
    "heat": "heat",
    "costs": "costs",
    "meters": "meters",
    "download": "download",
}


def _height(page: Page) -> int:
    """Of the whole page, unless that is very long."""
    height: int = page.evaluate("document.documentElement.scrollHeight")
    return min(height, _TALLEST)


def main(folder: Path) -> None:
    """Each page on a telephone in the light and on a desk in the dark."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        browser = launched(playwright)
        with served(Home(stored(Path(place)), everyday())) as home:
            for kind, size, scheme in (("phone", PHONE, "light"), ("desktop", DESKTOP, "dark")):
                for name, path in _SHOTS.items():
                    with looking(browser, size, color_scheme=scheme, reduced_motion="reduce") as looked:
                        looked.open(home.address + path)
                        looked.page.screenshot(
                            path=folder / f"{name}-{kind}.png",
                            full_page=True,
                            clip={"x": 0, "y": 0, "width": size[0], "height": _height(looked.page)},
                        )
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
