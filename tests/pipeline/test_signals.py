"""Signals and exceptions of callbacks: what stops, what reads now, and what is only logged."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from smart_meter_reader.pipeline.signals import answer_signals

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture
def heard() -> Iterator[asyncio.Queue[str]]:
    """What the signals called; their handlers are those of before in the end."""
    before = {number: signal.getsignal(number) for number in (*STOPPING, signal.SIGUSR1)}
    yield asyncio.Queue()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOPPING)
async def test_a_signal_stops_and_another_one_reads_now(
    number: signal.Signals, heard: asyncio.Queue[str]
) -> None:
    answer_signals(lambda: heard.put_nowait("stop"), lambda: heard.put_nowait("read"))
    os.kill(os.getpid(), signal.SIGUSR1)
    assert await heard.get() == "read"
    os.kill(os.getpid(), number)
    assert await heard.get() == "stop"


async def test_a_terminal_may_be_closed_twice(heard: asyncio.Queue[str]) -> None:
    answer_signals(lambda: heard.put_nowait("stop"), lambda: None)
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGHUP)
        assert await heard.get() == "stop"


async def test_under_nohup_the_end_of_the_terminal_is_none(heard: asyncio.Queue[str]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    answer_signals(lambda: heard.put_nowait("stop"), lambda: heard.put_nowait("read"))
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGUSR1)
    assert await heard.get() == "read"


_STOPS_NEVER = """
import asyncio
from smart_meter_reader.pipeline.signals import answer_signals

async def main():
    answer_signals(lambda: print("stopping", flush=True), lambda: None)
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_second_signal_ends_at_once(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", _STOPS_NEVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == "stopping\n"
        process.send_signal(number)
        assert process.wait() == 128 + number


def fails() -> None:
    raise ValueError("of a callback")


async def test_what_a_callback_raises_is_logged_and_the_service_goes_on(
    heard: asyncio.Queue[str], caplog: pytest.LogCaptureFixture
) -> None:
    answer_signals(lambda: None, lambda: None)
    loop = asyncio.get_running_loop()
    loop.call_soon(fails)
    loop.call_soon(heard.put_nowait, "went on")
    assert await heard.get() == "went on"
    assert "the service goes on" in caplog.text
    assert "ValueError" in caplog.text
    caplog.clear()
    loop.call_exception_handler({"message": "something is odd", "task": "with its secrets"})
    assert [each.getMessage() for each in caplog.records] == ["asyncio: something is odd"]
