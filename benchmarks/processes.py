"""Processes of a benchmark: a broker, our service, a program of meters; what they take of CPU and memory."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).parent.parent


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process, to the nanosecond; ``ps`` counts in hundredths."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            pass  # a thread that has ended since
    return total / 1e9


def resident_mib(pid: int) -> float:
    """Resident memory (RSS)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} has ended")


@contextmanager
def child(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Ends the process with the block, and waits for it."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextmanager
def mosquitto() -> Iterator[int]:
    """A broker on a free port of loopback, with room for a subscriber that falls behind; gives the port."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert program, "the benchmarks need Mosquitto: apt install mosquitto"
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        configuration = Path(folder, "mosquitto.conf")
        configuration.write_text(
            f"listener {port} 127.0.0.1\n"
            "allow_anonymous true\n"
            f"user {pwd.getpwuid(os.getuid()).pw_name}\n"
            "max_queued_messages 100000\n"
            "set_tcp_nodelay true\n"
        )
        with child(
            subprocess.Popen([program, "-c", str(configuration)], stderr=subprocess.DEVNULL, text=True)
        ):
            _wait_for(port)
            yield port


@contextmanager
def service(
    environment: str, settings: str, output: BinaryIO | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Our service, on settings of its own, as a plain user starts it. What it logs is shown.

    ``output`` is where it writes to.
    """
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "config.py", folder)
        Path(folder, "settings.toml").write_text(settings)
        with child(start_service(folder, environment, output)) as process:
            yield process


def start_service(folder: str, environment: str, output: BinaryIO | None = None) -> subprocess.Popen[str]:
    """``python -m smart_meter_reader`` in a folder with settings."""
    return subprocess.Popen(
        [sys.executable, "-m", "smart_meter_reader"],
        cwd=folder,
        # A state directory of its own: what earlier runs have shown must not make the guard doubt this one.
        env={
            # As installed: compiled once, not at every start.
            **{name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "ENV_FOR_DYNACONF": environment,
            "PYTHONPATH": str(ROOT),
            "STATE_DIRECTORY": folder,
        },
        stdout=output,
        text=True,
    )


def start_meters(module: str, *arguments: str) -> subprocess.Popen[str]:
    """A program of this directory that emulates meters; it says on stdout where they are."""
    return subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    """What a program of meters says first."""
    assert process.stdout
    return process.stdout.readline().strip()


def last_words(process: subprocess.Popen[str]) -> str:
    """Ask a program of meters to end; what it says then."""
    words, _ = process.communicate(timeout=20)
    return words


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < until, "Mosquitto does not start"
            time.sleep(0.05)
