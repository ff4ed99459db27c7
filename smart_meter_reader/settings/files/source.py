"""Runs the working directory's config.py, and lets nothing of it but its tables into the service.

It is the user's program, and runs in this process: what it prints goes to stderr, and working directory,
variables, signals and what else it may have changed are afterwards as they were. A thread that it starts, or
an ``os._exit``, is its own affair.
"""

from __future__ import annotations

import datetime
import json
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.settings.files.dynaconf_tables import load_tables

# What a program may want for itself; each is as it was when config.py has run.
_SIGNALS = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
    signal.SIGCHLD,
    signal.SIGPIPE,
)


def read_source(directory: Path | None = None, environment: str | None = None) -> dict[str, Any]:
    """What config.py in ``directory`` (default: the working directory) loads.

    ``environment``: None for the one that ENV_FOR_DYNACONF names. Blocks while dynaconf is imported: not for
    the event loop.

    Returns ``environment`` (its name), ``tables`` (each with ``source``, the path of a file, ``table``,
    and ``values``; later ones win), ``variables`` (each with ``name``, ``path``, ``value``, ``text``) and
    ``warnings`` (lines), all in the types that JSON knows. Raises SettingsError when there is nothing usable.
    """
    directory = (directory or Path.cwd()).absolute()
    with ExitStack() as kept:
        asked = kept.enter_context(_signals_kept())
        for keep in (
            _stdout_kept,
            _directory_kept,
            _variables_kept,
            _python_kept,
            warnings.catch_warnings,
        ):
            kept.enter_context(keep())
        try:
            found = load_tables(directory, environment)
            # What is no setting (a time of TOML, a set) becomes a text, and is refused as that.
            plain: dict[str, Any] = json.loads(json.dumps(found, default=_text))
        except SettingsError:
            raise
        except KeyboardInterrupt:
            if asked:
                raise
            raise SettingsError(["config.py: KeyboardInterrupt"]) from None
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's program; its tables can be anything
            raise SettingsError(
                [f"config.py: what it loads is no settings ({type(error).__name__})"]
            ) from None
    return plain


def _text(value: object) -> str:
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return f"a {type(value).__name__}"


@contextmanager
def _stdout_kept() -> Iterator[None]:
    """What config.py prints, and programs that it runs, must not get between the readings on stdout."""
    stdout = sys.stdout
    if stdout is not None:
        stdout.flush()
    try:
        saved = os.dup(1)
    except OSError:  # closed by whoever started us
        saved = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(2, 1)
    except OSError:
        pass  # no stderr either
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        if sys.stderr is not None:
            sys.stderr.flush()
        sys.stdout = stdout
        os.dup2(saved, 1)
        os.close(saved)


@contextmanager
def _directory_kept() -> Iterator[None]:
    here = os.open(".", os.O_PATH | os.O_DIRECTORY)
    mask = os.umask(0o077)
    os.umask(mask)
    try:
        yield
    finally:
        os.umask(mask)
        os.fchdir(here)
        os.close(here)


@contextmanager
def _variables_kept() -> Iterator[None]:
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in [name for name in os.environ if name not in before]:
            del os.environ[name]
        os.environ.update({name: text for name, text in before.items() if os.environ.get(name) != text})


@contextmanager
def _python_kept() -> Iterator[None]:
    """No __pycache__ is written into the user's directory, which may be read-only."""
    bytecode, path, hook = sys.dont_write_bytecode, list(sys.path), sys.excepthook
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode, sys.path[:], sys.excepthook = bytecode, path, hook


@contextmanager
def _signals_kept() -> Iterator[list[int]]:
    """Gives a list in which there is something once a person has pressed Ctrl-C; it ends config.py then."""
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield asked  # where handlers can be neither set nor changed by config.py
        return

    def interrupt(number: int, _: FrameType | None) -> None:
        asked.append(number)
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    if before[signal.SIGINT] is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield asked
    finally:
        signal.alarm(0)
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
