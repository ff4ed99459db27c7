"""What the page costs: memory beside the same service without it, and CPU while others look on."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPResponse
from statistics import median

from benchmarks.measure import Row, alone
from benchmarks.processes import cpu_seconds, free_port, resident_mib, service

_LOOKERS = 5
_PATHS = ("/", "/history", "/heat", "/costs", "/meters", "/download", "/metrics", "/api/v1/now", "/health")
_HOME = """
[default]
log_level = "ERROR"
[one.meters.heat]
client = "dummy"
interval = "1s"
[one.sinks.history]
directory = "{folder}"
"""
_PAGE = """
[one.sinks.web]
port = {port}
"""


def rows(*, quick: bool) -> Iterator[Row]:
    """Memory and CPU; the page as it begins, and after all of it was looked at."""
    rounds, seconds = (1, 1.0) if quick else (3, 20.0)
    without, begun, looked_at, idle, watched = [], [], [], [], []
    for _ in range(rounds):
        memory, cpu = _without(seconds)
        without.append(memory)
        port = free_port()
        with (
            tempfile.TemporaryDirectory() as folder,
            service("one", _HOME.format(folder=folder) + _PAGE.format(port=port)) as process,
        ):
            _until_fresh(port)
            begun.append(resident_mib(process.pid))
            idle.append(_spent(process.pid, seconds) - cpu)
            for path in _PATHS:
                _get(port, path)
            looked_at.append(resident_mib(process.pid))
            with ExitStack() as stack:
                for _ in range(_LOOKERS):
                    stack.enter_context(_listening(port))
                watched.append(_spent(process.pid, seconds) * 100)
    yield alone("page: memory (RSS) more than without it", "MiB", _more(begun, without), 25.0)
    yield alone("... after all of it was looked at", "MiB", _more(looked_at, without), 25.0)
    yield alone("... idle, CPU in a second more than without it", "µs", [each * 1e6 for each in idle])
    yield alone("... with five who look on, a reading a second", "% of a core", watched, 1.0)


def _without(seconds: float) -> tuple[float, float]:
    """Memory, and CPU in a second, of the same service without the page."""
    with tempfile.TemporaryDirectory() as folder, service("one", _HOME.format(folder=folder)) as process:
        time.sleep(4)
        memory = resident_mib(process.pid)
        return memory, _spent(process.pid, seconds)


def _more(ours: list[float], without: list[float]) -> list[float]:
    return [each - median(without) for each in ours]


def _spent(pid: int, seconds: float) -> float:
    """CPU seconds in a second."""
    before = cpu_seconds(pid)
    time.sleep(seconds)
    return (cpu_seconds(pid) - before) / seconds


def _get(port: int, path: str) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    content = connection.getresponse().read()
    connection.close()
    return content


def _listening(port: int) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/api/v1/stream")
    return connection.getresponse()


def _until_fresh(port: int) -> None:
    until = time.monotonic() + 30
    while True:
        assert time.monotonic() < until, "no page"
        try:
            if json.loads(_get(port, "/health"))["fresh"]:
                return
        except OSError:
            pass  # it does not listen yet
        time.sleep(0.1)
