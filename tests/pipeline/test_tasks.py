"""Tasks that end are waited for, those that do not are named and left behind."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from smart_meter_reader.pipeline.tasks import cancel, start_task


async def test_who_does_not_stop_is_named(caplog: pytest.LogCaptureFixture) -> None:
    stubborn, ended = asyncio.Event(), []

    async def hang() -> None:
        while not stubborn.is_set():
            try:
                await stubborn.wait()
            except asyncio.CancelledError:
                continue

    async def obey() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("obeyed")

    async with asyncio.TaskGroup() as group:
        tasks = [start_task(group, "the meter heat", hang()), start_task(group, "the meter power", obey())]
        await asyncio.sleep(0)
        await cancel(tasks, 0.05)
        assert ended == ["obeyed"]
        assert caplog.messages == ["the meter heat takes long to stop"]
        stubborn.set()


async def test_nothing_to_cancel_takes_no_time() -> None:
    await cancel([], 3600.0)


def test_what_hangs_does_not_hold_the_process() -> None:
    code = (
        "import threading; from smart_meter_reader.pipeline.tasks import leave\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
        "leave()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "something does not stop; leaving it behind\n")
