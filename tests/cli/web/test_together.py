"""The command `web ENV...` at work: what it keeps beside the page outlives a fault, and ends with it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from pathlib import Path

import pytest

from smart_meter_reader.cli.web import together
from smart_meter_reader.cli.web.together import run_page
from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.files import write_whole
from smart_meter_reader.history.places import HistoryPlace
from smart_meter_reader.pipeline import sink_memory
from smart_meter_reader.pipeline.sink_memory import SinkMemory
from smart_meter_reader.sinks.web.together.page import TogetherPage
from smart_meter_reader.sinks.web.together.settings import PageSettings
from smart_meter_reader.sinks.web.together.stores import EnvironmentStore
from tests.peers.ports import free_port


def page_of(folder: Path, port: int) -> TogetherPage:
    """A page of an environment that has stored nothing, with somebody logged in."""
    place = HistoryPlace(folder / "home.history.sqlite", None, "Europe/Amsterdam")
    page = TogetherPage("page", PageSettings(port=port), [EnvironmentStore("home", place)])
    page.recall(
        {"password": hashlib.sha256(b"").hexdigest(), "sessions": {"of-somebody": time.time() + 3600}}, ()
    )
    assert page.memory
    return page


async def test_what_the_page_knows_is_kept_after_a_fault_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [RuntimeError("can't start new thread"), ZeroDivisionError()]

    def failing_at_first(path: Path, text: str) -> None:
        if failures:
            raise failures.pop()
        write_whole(path, text)

    monkeypatch.setattr(sink_memory, "SAVE_SECONDS", 0.01)
    monkeypatch.setattr(together, "KEEP_PAUSE", 0.01)
    monkeypatch.setattr(sink_memory, "write_whole", failing_at_first)
    page, stop = page_of(tmp_path, free_port()), asyncio.Event()
    memory = SinkMemory("page", {"STATE_DIRECTORY": str(tmp_path)}, [page])
    showing = asyncio.create_task(run_page(page, memory, stop))
    file = tmp_path / "page.sinks.json"
    async with asyncio.timeout(20):
        while not file.exists():
            await asyncio.sleep(0.01)
    # Not the save at the end has written it.
    assert not showing.done()
    assert "of-somebody" in json.loads(file.read_text())["sinks"]["page"]["sessions"]
    assert caplog.text.count("memory of the page: internal_error, a fault of this program") == 2
    stop.set()
    await showing
    assert not any("memory" in task.get_name() for task in asyncio.all_tasks())


async def test_a_page_that_cannot_begin_says_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    page = page_of(tmp_path, taken.sockets[0].getsockname()[1])
    memory = SinkMemory("page", {"STATE_DIRECTORY": str(tmp_path)}, [page])
    async with taken:
        # The error itself, of which the command makes its exit code, and no group around it.
        with pytest.raises(SinkError):
            await run_page(page, memory, asyncio.Event())
    assert not any("memory" in task.get_name() for task in asyncio.all_tasks())
    assert (tmp_path / "page.sinks.json").exists()
