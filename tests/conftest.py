"""For all tests: no time that a busy machine takes is measured, since it would fail tests that are right.

Variables that change how Python or the program works are removed, for the processes that tests start as well.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping

from hypothesis import settings

from tests.peers.loop import FairLoop

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# PYTHONUNBUFFERED, for one, hides what a full buffer does to the end of a process.
for name in list(os.environ):
    if (name.startswith("PYTHON") and name != "PYTHONPATH") or "DYNACONF" in name:
        del os.environ[name]

# A shell ignores Ctrl-C for what it runs in the background, and so would all that tests start there.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of every asynchronous test."""
    return {"fair": FairLoop}
