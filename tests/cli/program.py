"""The program as its users start it: a process of its own, and an emulated meter beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from tests.peers.imported import STARTED

ROOT = Path(__file__).parents[2]
# A new interpreter; and the same program, begun where all is imported already.
PROGRAM = (sys.executable, "-m", "smart_meter_reader")
QUICKLY = (*STARTED, "smart_meter_reader")
# For lines at which nobody answers: no wait takes longer than to see that.
HURRIED = (*STARTED, "tests.peers.hurried")


def run(
    *arguments: str,
    cwd: Path = ROOT,
    feed: bytes = b"",
    program: Sequence[str] = QUICKLY,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> subprocess.CompletedProcess[str]:
    """Run to the end. Whatever a user does, there is no traceback."""
    done = subprocess.run(
        [*program, *arguments],
        input=feed,
        capture_output=True,
        timeout=60,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    errors = done.stderr.decode()
    assert "Traceback" not in errors, errors
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), errors)


@contextmanager
def emulated(*arguments: str, cwd: Path = ROOT) -> Iterator[str]:
    """The emulator as a process; gives the port it prints, and demands a clean end."""
    process = subprocess.Popen(
        [*QUICKLY, "emulate", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")
