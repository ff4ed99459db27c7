"""For all tests: no time that a busy machine takes is measured, since it would fail tests that are right.

Variables that change how Python or the program works are removed, for the processes that tests start as well.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.peers.imported import start_server
from tests.peers.loop import FairLoop
from tests.sharing_out import FromBothEnds, arrange, stand_back

if TYPE_CHECKING:
    from tests.peers.postgresql import PostgresServer

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# PYTHONUNBUFFERED, for one, hides what a full buffer does to the end of a process.
for name in list(os.environ):
    if (name.startswith("PYTHON") and name != "PYTHONPATH") or "DYNACONF" in name:
        del os.environ[name]

# What is remembered, and locked, belongs to the tests of one process, and not to whoever starts them.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="smart-meter-reader-tests-")

# A shell ignores Ctrl-C for what it runs in the background, and nohup the end of the terminal; and so would
# all that tests start there.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

start_server()


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of every asynchronous test."""
    return {"fair": FairLoop}


@pytest.fixture
async def hurrying_loop() -> None:
    """Waits pass at once, in tests whose every peer lives in the loop of the test."""
    loop = asyncio.get_running_loop()
    # Not that of a test which is no coroutine.
    if isinstance(loop, FairLoop):
        loop.hurries = True


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A database server that all tests of a process share."""
    from tests.peers.postgresql import postgres_server, programs  # asyncpg is not for everybody

    try:
        programs()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    with postgres_server() as server:
        yield server


def pytest_configure() -> None:
    """Where tests run in several processes, those that compute leave the others their time."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        stand_back(worker)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end: no search for garbage goes through it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    arrange(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FromBothEnds | None:
    return FromBothEnds(config, log) if config.getoption("dist") == "loadgroup" else None


# So many characters or bytes of a value are in the name of its test.
_NAMED = 60


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Names of tests without a backslash: escaped once more, scripts/mutate would not find them.

    Nor longer than a program takes in its environment, where pytest puts them; equal ones it numbers.
    """
    if isinstance(val, bytes):
        return val[:_NAMED].hex()
    if isinstance(val, str) and not (val.isascii() and val.isprintable() and "\\" not in val):
        return val[:_NAMED].encode("unicode_escape").decode("ascii").replace("\\", "/")
    return None
