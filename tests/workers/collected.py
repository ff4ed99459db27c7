"""A process that collects the tests once, and forks for each of those of pytest-xdist that run them.

Each fork has files, number and folder of its own, and does what ``xdist.remote`` does once it has collected.
"""

from __future__ import annotations

import atexit
import functools
import os
import selectors
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

# No plugin of pytest here, as xdist is: it would warn that it cannot rewrite what is imported already.
import pytest
from _pytest.config import _prepareconfig
from execnet.gateway_base import get_execmodel, init_popen_io, serve

if TYPE_CHECKING:
    import execnet

# What ``remote`` calls in a fork, where xdist.remote would have collected.
take_part: Callable[[execnet.Channel], None] | None = None


class _Told:
    """Whether collecting has anything to tell: then each process collects, and tells it as usual."""

    def __init__(self) -> None:
        self.anything = False

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.anything |= not report.passed

    @pytest.hookimpl
    def pytest_warning_recorded(self) -> None:
        self.anything = True


class _Server:
    """Forks for each that asks; who asked is told the end by that of the connection."""

    def __init__(self, listener: socket.socket, life: int) -> None:
        self._listener = listener
        self._life = life
        self._files = selectors.DefaultSelector()
        self._files.register(listener, selectors.EVENT_READ)
        self._files.register(life, selectors.EVENT_READ)

    def serve(self, forks: bool) -> None:
        """Serve until the tests are over, and then exit. It returns in each fork."""
        while True:
            for key, _ in self._files.select():
                if key.fileobj == self._life:
                    os._exit(0)
                elif key.fileobj is self._listener:
                    if self._begin(self._listener.accept()[0], forks):
                        return
                elif isinstance(key.fileobj, socket.socket):
                    # Whoever asked was killed, as its fork does not end.
                    self._files.unregister(key.fileobj)
                    signal.pidfd_send_signal(key.data, signal.SIGKILL)
                else:
                    self._ended(key.fd, *key.data)

    def _begin(self, connection: socket.socket, forks: bool) -> bool:
        """Fork, where that is wanted; whether this is the fork."""
        _, files, _, _ = socket.recv_fds(connection, 8, 3)
        begins = forks and len(files) == 3
        number = os.fork() if begins else -1
        if number == 0:
            self._forget_all()
            for place, file in enumerate(files):
                os.dup2(file, place)
            connection.send(b"begun")
        for file in files:
            os.close(file)
        if begins and number:
            process = os.pidfd_open(number)
            self._files.register(connection, selectors.EVENT_READ, process)
            self._files.register(process, selectors.EVENT_READ, (connection, number))
        else:
            connection.close()
        return number == 0

    def _forget_all(self) -> None:
        """In a fork: what belongs to the server, and to other forks."""
        for key in list(self._files.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
            else:
                os.close(key.fd)
        self._files.close()

    def _ended(self, process: int, connection: socket.socket, number: int) -> None:
        os.waitpid(number, 0)
        self._files.unregister(process)
        with suppress(KeyError):
            self._files.unregister(connection)
        os.close(process)
        connection.close()


def main(listener: int, life: int, workers: int, program: str, arguments: list[str]) -> NoReturn:
    """Collect, and fork at ``listener`` for each that asks, until the pipe ``life`` is closed."""
    global take_part  # what execnet executes finds it by the name of this module
    session = _collected(workers, program, arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Server(socket.socket(fileno=listener), life).serve(forks=session is not None)
    # From here on in each fork.
    assert session is not None
    take_part = functools.partial(_take_part, session)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # What a new interpreter would execute, in one line.
    while (read := os.read(0, 1 << 16)) and not read.endswith(b"\n"):
        pass
    execmodel = get_execmodel("main_thread_only")
    connection = init_popen_io(execmodel)
    connection.write(b"1")
    serve(connection, id="fork")  # type: ignore[arg-type]  # as execnet itself calls it
    # As an interpreter ends, but for taking all that is imported apart.
    threading._shutdown()  # type: ignore[attr-defined]  # as multiprocessing ends its processes
    atexit._run_exitfuncs()
    os._exit(0)


def _collected(workers: int, program: str, arguments: list[str]) -> pytest.Session | None:
    """What ``xdist.remote`` and pytest do first; None where each process is to do it for itself."""
    os.environ["PYTEST_XDIST_WORKER"] = "collecting"
    os.environ["PYTEST_XDIST_WORKER_COUNT"] = str(workers)
    told = _Told()
    try:
        config = _prepareconfig(arguments, [told])
        import xdist.remote

        xdist.remote.setup_config(config, None)
        config._parser.prog = os.path.basename(program)  # noqa: PTH119 - as xdist does
        config.workerinput = {"workerid": "collecting"}  # type: ignore[attr-defined]
        config.workeroutput = {}  # type: ignore[attr-defined]
        session = pytest.Session.from_config(config)
        config._do_configure()
        config.hook.pytest_sessionstart(session=session)
        config.hook.pytest_collection(session=session)
        config.pluginmanager.unregister(told)
        # Groups in the names of their tests. It is a method that looks at nothing of its object.
        xdist.remote.WorkerInteractor.pytest_collection_modifyitems(None, config, session.items)
        # Each fork captures what is written to its own files.
        config.pluginmanager.getplugin("capturemanager").stop_global_capturing()
    except (Exception, SystemExit):  # noqa: BLE001 - whatever it is, each process meets and tells it
        return None
    return None if told.anything or threading.active_count() > 1 else session


def _take_part(session: pytest.Session, channel: execnet.Channel) -> None:
    """What ``xdist.remote`` does with what is collected, in a fork."""
    import xdist.remote

    from tests.sharing_out import stand_back

    config = session.config
    workerinput, _, options, sys.path[:] = channel.receive()
    os.environ["PYTEST_XDIST_TESTRUNUID"] = workerinput["testrunuid"]
    os.environ["PYTEST_XDIST_WORKER"] = workerinput["workerid"]
    os.environ["PYTEST_XDIST_WORKER_COUNT"] = str(workerinput["workercount"])
    # See tests/conftest.py, which was imported once.
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="smart-meter-reader-tests-")
    stand_back(workerinput["workerid"])
    config.workerinput = workerinput  # type: ignore[attr-defined]
    config.option.basetemp = options["basetemp"]
    config._tmp_path_factory._given_basetemp = Path(options["basetemp"])  # type: ignore[attr-defined]
    capture = config.pluginmanager.getplugin("capturemanager")
    capture.start_global_capturing()
    capture.suspend_global_capture()
    interactor = xdist.remote.WorkerInteractor(config, channel)
    xdist.remote.interactor = interactor  # one of its methods looks there
    interactor.pytest_sessionstart(session)
    interactor.pytest_collection()
    interactor.pytest_collection_finish(session)
    _run(session)


def _run(session: pytest.Session) -> None:
    """The second half of ``_pytest.main.wrap_session``."""
    config = session.config
    session.exitstatus = pytest.ExitCode.OK
    try:
        config.hook.pytest_runtestloop(session=session)
        if session.testsfailed:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
    except pytest.Session.Failed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    except (KeyboardInterrupt, pytest.exit.Exception):
        session.exitstatus = pytest.ExitCode.INTERRUPTED
        config.hook.pytest_keyboard_interrupt(excinfo=pytest.ExceptionInfo.from_current())
    except BaseException:  # noqa: BLE001 - pytest tells it
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        config.notify_exception(pytest.ExceptionInfo.from_current(), config.option)
    finally:
        os.chdir(session.startpath)
        config.hook.pytest_sessionfinish(session=session, exitstatus=session.exitstatus)
        config._ensure_unconfigure()
