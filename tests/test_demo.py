"""scripts/demo: both of its ways start, show something, and end by themselves."""

from __future__ import annotations

import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# One after the other: each may bring the packages up to date first.
pytestmark = pytest.mark.xdist_group("the demo")
# A slow computer makes three years in it.
PATIENCE = 240


@pytest.fixture
def demo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The script with these arguments, in a session of its own, which does not outlive the test."""
    variables = {**os.environ, "DEMO_SECONDS": "20", "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [str(ROOT / "scripts/demo"), *request.param],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=variables,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(30)


@pytest.mark.parametrize("demo", [()], indirect=True, ids=["browser"])
def test_the_demo_shows_a_page_and_ends_by_itself(demo: subprocess.Popen[str]) -> None:
    assert demo.stdout is not None
    said, until = "", time.monotonic() + PATIENCE
    while not (found := re.search(r"Open +(http://127\.0\.0\.1:\d+/)", said)):
        line = demo.stdout.readline()
        assert line, said
        assert time.monotonic() < until, said
        said += line
    with urllib.request.urlopen(  # noqa: S310 - our own page
        f"{found[1]}history?view=year&lang=en", timeout=30
    ) as answer:
        body = answer.read().decode()
    assert answer.status == 200
    assert "heat" in body
    assert "<table" in body
    said += demo.stdout.read()
    assert demo.wait(60) == 0, said
    assert "That was the demo." in said
    # The service is gone with it.
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(found[1], timeout=5)  # noqa: S310 - as above


@pytest.mark.parametrize("demo", [("--terminal",)], indirect=True, ids=["terminal"])
def test_the_demo_in_the_terminal_reads_a_meter_and_ends_by_itself(demo: subprocess.Popen[str]) -> None:
    said, _ = demo.communicate(timeout=PATIENCE)
    assert demo.returncode == 0, said
    assert said.count("Kamstrup MULTICAL 403") >= 2
    assert "Heat energy" in said
    assert "That was the demo." in said
