"""One browser for all tests of the page, and a made-up home to look at.

Of a module and not of the session: while playwright is there no other test can have a loop of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.sinks.web.pages.looking import CHROMIUM, launched
from tests.sinks.web.pages.neighbours import everyday
from tests.sinks.web.pages.serving import Home, served, stored


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}: scripts/browser installs one")
    with sync_playwright() as playwright:
        browser = launched(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder: Path = tmp_path_factory.mktemp("home")
    with served(Home(stored(folder), everyday())) as home:
        yield home
