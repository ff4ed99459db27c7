"""Blocking work off the loop: a result that nobody takes any more is given up, whenever it comes."""

from __future__ import annotations

import asyncio
import threading

import pytest

from smart_meter_reader.network.off_loop import in_daemon_thread


async def test_a_result_that_comes_with_the_cancellation_is_given_up() -> None:
    go, abandoned = threading.Event(), list[str]()

    def work() -> str:
        go.wait(10)
        return "a connection"

    task = asyncio.create_task(in_daemon_thread(work, abandoned.append))
    await asyncio.sleep(0)
    go.set()
    # The thread hands its result to the loop; in the same turn the one who waited for it is cancelled.
    for thread in threading.enumerate():
        if thread.name == "off the loop":
            thread.join(10)
    asyncio.get_running_loop().call_soon(task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert abandoned == ["a connection"]


async def test_a_result_that_comes_after_the_cancellation_is_given_up() -> None:
    go, abandoned = threading.Event(), asyncio.Queue[str]()

    def work() -> str:
        go.wait(10)
        return "a connection"

    task = asyncio.create_task(in_daemon_thread(work, abandoned.put_nowait))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    async with asyncio.timeout(10):
        assert await abandoned.get() == "a connection"
