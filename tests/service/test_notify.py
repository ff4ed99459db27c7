"""What systemd hears from us, on a socket that stands for its own, and when the watchdog is fed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.service import notify
from smart_meter_reader.service.notify import (
    Notifier,
    Pulse,
    WatchdogPolicy,
    report_to_manager,
    status_sentence,
)

FRESH = Pulse("heat", "online", "", rhythm=3600, since_reading=10, since_attempt=100_000)
FAULTY = replace(FRESH, state="alert", reason="internal_error")


@contextlib.contextmanager
def manager(address: str) -> Iterator[socket.socket]:
    """The service manager's end of the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        receiver.settimeout(30)
        yield receiver


@pytest.mark.parametrize("abstract", [True, False])
def test_states_are_sent_as_datagrams(abstract: bool, tmp_path: Path) -> None:
    address = f"@smart-meter-reader-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with manager(address) as receiver:
        variables = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"}
        notifier = Notifier.from_environment(variables)
        assert variables == {}, "a child of ours must not talk in our name"
        assert notifier.watchdog_seconds == 30.0
        notifier.ready("heat\nonline")
        notifier.status("heat online")
        notifier.status("water offline")
        notifier.status("water offline")
        notifier.alive()
        notifier.stopping()
        received = [receiver.recv(4096).decode() for _ in range(4)]
    assert received == [
        "READY=1\nSTATUS=heat online",
        "STATUS=water offline",
        "WATCHDOG=1",
        "STOPPING=1\nSTATUS=stopping",
    ]


def test_without_a_manager_nothing_happens() -> None:
    notifier = Notifier.from_environment({})
    assert not notifier.active
    notifier.ready("")
    notifier.stopping()


def test_the_watchdog_of_another_process_is_not_ours() -> None:
    variables = {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": str(os.getpid() + 1)}
    assert Notifier.from_environment(variables).watchdog_seconds is None


def test_an_unknown_kind_of_socket_is_told(caplog: pytest.LogCaptureFixture) -> None:
    assert not Notifier("vsock:2:1234").active
    assert "vsock:2:1234" in caplog.text


def test_a_manager_that_does_not_listen_never_blocks(tmp_path: Path) -> None:
    with manager(str(tmp_path / "notify")):
        notifier = Notifier(str(tmp_path / "notify"))
        for _ in range(10_000):
            notifier.alive()
    notifier.alive()


@pytest.mark.parametrize(
    ("pulse", "hangs"),
    [
        (FRESH, False),
        (replace(FRESH, since_reading=3 * 3600), False),
        (replace(FRESH, since_reading=4 * 3600), True),
        (replace(FRESH, since_reading=4 * 3600, required=False), False),
        (replace(FRESH, rhythm=1, since_reading=100), False),
        (replace(FRESH, rhythm=1, since_reading=130), True),
        # A meter that sleeps for a week is no reason for a restart, as long as somebody tries to wake it.
        (replace(FRESH, state="offline", since_reading=604_800, since_attempt=400), False),
        (replace(FRESH, state="offline", since_reading=604_800, since_attempt=4 * 3600), True),
        (replace(FRESH, state="offline", rhythm=1, since_reading=604_800, since_attempt=1000), False),
        (replace(FRESH, state="offline", rhythm=1, since_reading=604_800, since_attempt=1300), True),
        # A readout at 300 Bd lasts minutes, and is no hang before the client itself gives it up.
        (replace(FRESH, rhythm=30, since_reading=500, longest_attempt=300), False),
        (replace(FRESH, rhythm=30, since_reading=520, longest_attempt=300), True),
        (replace(FRESH, state="offline", rhythm=30, since_attempt=2900, longest_attempt=1800), False),
        (replace(FRESH, state="offline", rhythm=30, since_attempt=3100, longest_attempt=1800), True),
        (replace(FRESH, state="alert", since_reading=604_800), False),
        # A fault of this program that never gives way to a reading: that it is tried again proves nothing.
        (replace(FAULTY, rhythm=1, since_reading=1000, since_attempt=1), False),
        (replace(FAULTY, rhythm=1, since_reading=1300, since_attempt=1), True),
        (replace(FAULTY, since_reading=3 * 3600, since_attempt=1), False),
        (replace(FAULTY, since_reading=4 * 3600, since_attempt=1), True),
        (replace(FRESH, state="starting", rhythm=86_400, since_reading=7200, since_attempt=7200), False),
    ],
)
def test_when_a_meter_hangs(pulse: Pulse, hangs: bool) -> None:
    assert WatchdogPolicy().hanging([FRESH, pulse]) == ([pulse] if hangs else [])


@given(st.floats(min_value=1, max_value=1e6), st.floats(min_value=0, max_value=1e6))
def test_a_meter_within_its_rhythm_never_hangs(rhythm: float, attempt: float) -> None:
    for share in (0.0, 0.5, 1.0):
        pulse = replace(FRESH, rhythm=rhythm, since_reading=rhythm * share, since_attempt=attempt)
        assert not WatchdogPolicy().hangs(pulse)


@pytest.mark.parametrize(
    ("pulses", "sentence"),
    [
        ([], "no meters"),
        ([FRESH], "heat online"),
        ([FRESH, replace(FRESH, meter="p1")], "2 of 2 meters online"),
        ([replace(FRESH, state="starting")], "waiting for the first reading of heat"),
        (
            [FRESH, replace(FRESH, meter="p1", state="offline", reason="no_answer")],
            "p1 is offline (no_answer); 1 of 2 meters online",
        ),
        ([replace(FRESH, state="alert", reason="wrong_key")], "heat is alert (wrong_key)"),
    ],
)
def test_the_status_is_a_sentence(pulses: list[Pulse], sentence: str) -> None:
    assert status_sentence(pulses) == sentence


async def test_a_change_is_told_soon(tmp_path: Path) -> None:
    with manager(str(tmp_path / "notify")) as receiver:
        receiver.setblocking(False)
        loop = asyncio.get_running_loop()
        current, changed = [replace(FRESH, state="starting")], asyncio.Event()
        # Without a watchdog the status is looked at once a minute.
        task = asyncio.create_task(
            report_to_manager(Notifier(str(tmp_path / "notify")), lambda: list(current), changed)
        )
        async with asyncio.timeout(30):
            first = await loop.sock_recv(receiver, 4096)
            assert first == b"READY=1\nSTATUS=waiting for the first reading of heat"
            assert await loop.sock_recv(receiver, 4096) == b"WATCHDOG=1"
            current[:] = [FRESH]
            changed.set()
            assert await loop.sock_recv(receiver, 4096) == b"STATUS=heat online"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_hanging_meter_stops_the_feeding_and_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    with manager(str(tmp_path / "notify")) as receiver:
        receiver.setblocking(False)
        loop = asyncio.get_running_loop()
        current = [FRESH]
        notifier = Notifier(str(tmp_path / "notify"), watchdog_seconds=0.003)
        task = asyncio.create_task(report_to_manager(notifier, lambda: list(current), asyncio.Event()))
        async with asyncio.timeout(30):
            assert await loop.sock_recv(receiver, 4096) == b"READY=1\nSTATUS=heat online"
            assert await loop.sock_recv(receiver, 4096) == b"WATCHDOG=1"
            current[:] = [replace(FRESH, since_reading=100_000)]
            while not caplog.records:
                await asyncio.sleep(0.001)
            with contextlib.suppress(BlockingIOError):
                while receiver.recv(4096):
                    pass
            await asyncio.sleep(0.02)
            with pytest.raises(BlockingIOError):
                receiver.recv(4096)
            current[:] = [FRESH]
            assert await loop.sock_recv(receiver, 4096) == b"WATCHDOG=1"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (record,) = caplog.records
    assert record.getMessage() == "meter heat hangs: neither a reading nor an error for 1d 3h 46min 40s"


_FED_PROCESS = """
import asyncio
from smart_meter_reader.service import notify
from smart_meter_reader.service.notify import Notifier, Pulse, report_to_manager
pulse = Pulse("heat", "online", "", rhythm=1, since_reading=0, since_attempt=0)
asyncio.run(report_to_manager(Notifier.from_environment(), lambda: [pulse], asyncio.Event()))
"""


def test_a_stopped_process_feeds_nothing_until_it_goes_on(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with manager(address) as receiver:
        variables = {**os.environ, "NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000"}
        process = subprocess.Popen([sys.executable, "-c", _FED_PROCESS], env=variables)
        try:
            assert receiver.recv(4096).startswith(b"READY=1")
            assert receiver.recv(4096) == b"WATCHDOG=1"
            process.send_signal(signal.SIGSTOP)
            os.waitpid(process.pid, os.WUNTRACED)
            receiver.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while receiver.recv(4096):
                    pass
            receiver.settimeout(0.3)  # ten times the watchdog's patience
            with pytest.raises(TimeoutError):
                receiver.recv(4096)
            receiver.settimeout(30)
            process.send_signal(signal.SIGCONT)
            assert receiver.recv(4096) == b"WATCHDOG=1"
        finally:
            process.kill()
            process.wait()


async def test_ages_that_contain_a_stall_say_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(notify, "STALL_SECONDS", 0.2)
    loop = asyncio.get_running_loop()
    address = str(tmp_path / "notify")
    old = replace(FRESH, rhythm=1, since_reading=560)
    pulses = [FRESH]

    def fed(receiver: socket.socket) -> int:
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                count += receiver.recv(100) == b"WATCHDOG=1"
        return count

    with manager(address) as receiver:
        receiver.setblocking(False)
        work = report_to_manager(
            Notifier(address, 0.3), lambda: pulses, asyncio.Event(), WatchdogPolicy(grace=0.3)
        )
        task = asyncio.ensure_future(work)
        await asyncio.sleep(0.05)
        assert fed(receiver) == 1
        pulses[:] = [old]
        stalled_until = loop.time() + 0.6
        while loop.time() < stalled_until:
            pass  # nothing else runs, as in a process that was stopped
        await asyncio.sleep(0.05)
        assert fed(receiver) == 1
        assert "hangs" not in caplog.text
        async with asyncio.timeout(30):
            while "hangs" not in caplog.text:
                await asyncio.sleep(0.05)  # a meter that has hung ever since is found out
        task.cancel()
