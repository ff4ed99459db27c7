"""Has one process collect the tests for all that run them, where pytest-xdist would have each of them do so.

Collecting fifteen thousand tests takes three seconds of a processor: ten processes on two cores began with
fifteen seconds of nothing else.
"""

from __future__ import annotations

import atexit
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import execnet
    import pytest

START = Path(__file__).with_name("start.py")
_CODE = (
    "import ast, sys; sys.path, *asked = ast.literal_eval(sys.stdin.readline()); "
    "from tests.workers.collected import main; main(*asked)"
)


def collect_once(config: pytest.Config, specs: Sequence[execnet.XSpec]) -> None:
    """Start the process that collects, and tell pytest-xdist to have it fork where it would start others."""
    # coverage.py measures no fork.
    if "COVERAGE_PROCESS_CONFIG" in os.environ or any(
        not spec.popen or spec.python or spec.chdir for spec in specs
    ):
        return
    address = f"smart-meter-reader-collected-{os.getpid()}"
    life, ours = os.pipe()  # nothing is written to it: it is closed when this process ends
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"\0{address}")
        listener.listen(64)
        server = subprocess.Popen(
            [sys.executable, "-c", _CODE],
            pass_fds=(listener.fileno(), life),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        arguments = [str(argument) for argument in config.invocation_params.args]
        assert server.stdin is not None
        with server.stdin as asked:
            asked.write(f"{(sys.path, listener.fileno(), life, len(specs), sys.argv[0], arguments)!r}\n")
    os.close(life)

    def stop() -> None:
        os.close(ours)
        server.wait()

    atexit.register(stop)
    for spec in specs:
        spec.python = shlex.join([sys.executable, "-I", "-S", str(START), address])
