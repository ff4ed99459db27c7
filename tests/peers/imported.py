"""A process that has imported the whole package, and forks for each program that a test starts.

Importing takes ten times the processor of what most commands then do. Each fork is a process of its own, with
the files, directory and variables of whoever started it (``start_imported``), and ends as Python would. What
only a new interpreter shows (imports, memory, closed files, its very end) is shown by tests that start one.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import importlib
import marshal
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from os import fdopen
from pathlib import Path
from typing import NamedTuple, NoReturn

from tests.peers.start_imported import ADDRESS

ROOT = Path(__file__).parents[2]
# Before a module and its arguments: for a new interpreter, and for a fork of what is imported.
NEW = (sys.executable, "-m")
STARTED = (sys.executable, "-I", "-S", str(Path(__file__).with_name("start_imported.py")))
_LONGEST = 1 << 17


def start_server() -> None:
    """Start it for this process and all that this one starts; it imports when first asked."""
    # One that came from a tree of other files is not ours; a fork would not be measured by coverage.py.
    if os.environ.get(ADDRESS, "").endswith(f" {ROOT}") or "COVERAGE_PROCESS_CONFIG" in os.environ:
        return
    address = f"smart-meter-reader-tests-{os.getpid()}"
    life, ours = os.pipe()  # nothing is written to it: it is closed when this process ends
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"\0{address}")
        listener.listen(64)
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.peers.imported", str(listener.fileno()), str(life)],
            cwd=ROOT,
            pass_fds=(listener.fileno(), life),
            start_new_session=True,  # Ctrl-C is for the tests, which end what they have started
        )
    os.close(life)
    os.environ[ADDRESS] = f"{address} {ROOT}"

    def stop() -> None:
        os.close(ours)
        server.wait()

    atexit.register(stop)


def number_of(process: int) -> int:
    """The number of the program that ``process`` was started as: of its fork, or its own."""
    folder = Path(f"/proc/{process}")
    while not (name := (folder / "comm").read_text().strip()).isdecimal():
        told = (folder / "cmdline").read_bytes()  # empty before it has begun, and once it has ended
        state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        if state == "Z" or (told and STARTED[-1].encode() not in told):
            return process
        time.sleep(0.005)
    return int(name)


def send(process: int, number: signal.Signals) -> None:
    """A signal to the program that ``process`` was started as, unless it has ended.

    One that is killed so has ended before ``process`` does; killed by way of that, a moment later.
    """
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(number_of(process), number)


class Asked(NamedTuple):
    """What a fork is to be: as ``start_imported`` sends it."""

    arguments: list[str]
    directory: str
    environment: dict[str, str]
    umask: int
    ignored: list[int]


class _Server:
    """Forks for each that asks, passes signals on to the fork, and tells how it ended."""

    def __init__(self, listener: socket.socket, life: int) -> None:
        self._listener = listener
        self._life = life
        self._files = selectors.DefaultSelector()
        self._files.register(listener, selectors.EVENT_READ)
        self._files.register(life, selectors.EVENT_READ)
        self._of_the_interpreter = _of_the_interpreter(os.environ)

    def wait_for_the_first(self) -> None:
        """Wait until somebody asks; the tests may be over without that."""
        if any(key.fileobj == self._life for key, _ in self._files.select()):
            sys.exit()

    def serve(self) -> Asked:
        """Serve until the tests are over, and then exit. It returns in each fork."""
        while True:
            for key, _ in self._files.select():
                asked = None
                if key.fileobj == self._life:
                    self._stop()
                elif key.fileobj is self._listener:
                    self._files.register(self._listener.accept()[0], selectors.EVENT_READ)
                elif isinstance(key.fileobj, socket.socket):
                    asked = self._hear(key.fileobj, key.data)
                else:
                    self._tell_its_end(key.fd, *key.data)
                if asked is not None:
                    return asked

    def _stop(self) -> NoReturn:
        for key in self._files.get_map().values():
            if isinstance(key.data, tuple):
                signal.pidfd_send_signal(key.fd, signal.SIGKILL)
        sys.exit()

    def _hear(self, connection: socket.socket, process: int | None) -> Asked | None:
        """What is asked, and then signals; what started it was killed when the connection ends."""
        if connection.fileno() < 0:
            return None  # its program ended just now
        try:
            data, files, _, _ = socket.recv_fds(connection, _LONGEST, 3)
        except ConnectionResetError:
            data, files = b"", []
        if process is not None:
            signal.pidfd_send_signal(process, data[0] if data else signal.SIGKILL)
        elif data:
            return self._begin(connection, Asked(*marshal.loads(data)), files)  # noqa: S302 - from start_imported
        if not data:
            self._files.unregister(connection)
            connection.close()
        return None

    def _begin(self, connection: socket.socket, asked: Asked, files: list[int]) -> Asked | None:
        """Fork, unless it takes an interpreter of its own."""
        begins = _of_the_interpreter(asked.environment) == self._of_the_interpreter
        number = os.fork() if begins else -1
        if number == 0:
            for place, file in enumerate(files):
                os.dup2(file, place)
            self._files.close()
            os.closerange(3, 1 << 16)
            return asked
        for file in files:
            os.close(file)
        if begins:
            process = os.pidfd_open(number)
            self._files.modify(connection, selectors.EVENT_READ, process)
            self._files.register(process, selectors.EVENT_READ, (connection, number))
        _send(connection, b"begun %d" % number if begins else b"anew")
        return None

    def _tell_its_end(self, process: int, connection: socket.socket, number: int) -> None:
        _, status = os.waitpid(number, 0)
        self._files.unregister(process)
        os.close(process)
        if connection.fileno() >= 0:
            self._files.unregister(connection)
            _send(connection, str(os.waitstatus_to_exitcode(status)).encode())
            connection.close()


def _of_the_interpreter(environment: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The locale by which it encodes, and its own variables: what it looks at before anything of ours."""
    locale = next(filter(None, map(environment.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "")
    return locale, {
        name: value
        for name, value in environment.items()
        if name.startswith("PYTHON") and name != "PYTHONPATH"
    }


def _send(connection: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # it was killed meanwhile: its end is seen next
        connection.send(data)


def _import_all() -> None:
    package = importlib.import_module("smart_meter_reader")
    for module in pkgutil.walk_packages(package.__path__, "smart_meter_reader."):
        if not module.name.endswith("__main__") and ".templates" not in module.name:
            importlib.import_module(module.name)
    importlib.import_module("dynaconf")
    gc.collect()
    gc.freeze()


def _become(asked: Asked) -> None:
    """What the kernel and the interpreter give to a new process."""
    os.environ.clear()
    os.environ.update(asked.environment)
    time.tzset()
    os.chdir(asked.directory)
    os.umask(asked.umask)
    sys.path[:1] = [asked.directory, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    sys.argv = asked.arguments[:]
    for number in asked.ignored:
        signal.signal(number, signal.SIG_IGN)
    if os.isatty(0):
        os.setsid()
        with suppress(OSError):  # that of somebody else already
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    sys.stdin = fdopen(0, "r", encoding=sys.stdin.encoding, errors=sys.stdin.errors)
    sys.stdout = fdopen(1, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors)
    sys.stderr = fdopen(2, "w", 1, encoding=sys.stderr.encoding, errors=sys.stderr.errors)


def _run(module: str) -> int:
    """Run it as ``python -m`` does; its exit code, or what ended it, negative."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        sys.stderr.write(f"{error.code}\n")
        return 1
    except BaseException as error:  # noqa: BLE001 - what nobody has caught is shown, as by an interpreter
        sys.excepthook(type(error), error, error.__traceback__)
        return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _end(code: int) -> NoReturn:
    """What an interpreter does at its end, but for taking a thousand modules apart one by one."""
    threading._shutdown()  # type: ignore[attr-defined]  # as multiprocessing ends its processes
    atexit._run_exitfuncs()
    gc.collect()
    try:
        sys.stdout.flush()
    except OSError as error:
        sys.excepthook(type(error), error, error.__traceback__)
        code = 120
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code & 0xFF)


def main() -> None:
    """Serve at the socket of the first argument, until the pipe of the second one is closed."""
    server = _Server(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
    server.wait_for_the_first()
    _import_all()
    asked = server.serve()
    _become(asked)
    _end(_run(asked.arguments[0]))


if __name__ == "__main__":
    main()
