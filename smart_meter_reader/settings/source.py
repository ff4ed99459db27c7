"""Runs the working directory's config.py in a short-lived child and brings its tables back as plain dicts.

dynaconf takes 6 MiB of memory on top of a running service, for tables that are read once. The child is
forked, loads config.py by its path, sends what dynaconf found through a pipe as JSON, and is gone: the
service never holds dynaconf, and nothing that config.py imports or changes reaches it. A fork and not a
fresh interpreter, since that costs a second start-up, which is felt on a small computer.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any, NoReturn

from smart_meter_reader.exceptions import ExplainedError, SettingsError


class SettingsSource:
    """config.py, run in its child from the making of this object on; ``read`` fetches what it found."""

    def __init__(self, directory: Path, environment: str | None) -> None:
        """``environment``: None for the one that ENV_FOR_DYNACONF names."""
        sys.stdout.flush()
        sys.stderr.flush()
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            # Python warns when other threads run, since they may hold locks that the child would wait for.
            # The service has no thread yet; elsewhere the child takes no lock that outlives the fork.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            os.close(reading)
            _answer(writing, directory, environment)
        os.close(writing)
        self._child = child
        self._pipe = os.fdopen(reading, "rb")

    def read(self) -> dict[str, Any]:
        """What config.py loaded; to be asked for once.

        Returns ``environment`` (its name), ``tables`` (each with ``source``, the path of a file, ``table``,
        and ``values``; later ones win), ``variables`` (each with ``name``, ``path``, ``value``, ``text``) and
        ``warnings`` (lines). Raises SettingsError when there is nothing usable, and ExplainedError when a
        signal has ended config.py: a machine short of memory sends those too, and it may work the next time.
        """
        try:
            with self._pipe:
                answer = self._pipe.read()
        finally:
            _, status = os.waitpid(self._child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            detail = f"config.py: the process that ran it was ended by signal {-code}"
            raise ExplainedError("config_ended", f"{detail}; is there enough memory?")
        if code:
            raise SettingsError([f"config.py: the process that ran it ended with exit code {code}"])
        source: dict[str, Any] = json.loads(answer)
        if "problems" in source:
            raise SettingsError(source["problems"])
        return source


def begin_source(directory: Path | None = None, environment: str | None = None) -> SettingsSource:
    """Begin to load the settings in ``directory`` (default: the working directory), beside what follows."""
    return SettingsSource((directory or Path.cwd()).absolute(), environment)


def _answer(writing: int, directory: Path, environment: str | None) -> NoReturn:
    """The child's whole life; it leaves without the parent's exit handlers and buffers."""
    code = 1
    try:
        # What config.py prints, and programs that it runs, must not get between the readings on stdout.
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        # Imported on this side of the fork only.
        from smart_meter_reader.settings.child import load_tables

        try:
            answer = load_tables(directory, environment)
        except SettingsError as error:
            answer = {"problems": error.problems}
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(answer, default=_plain).encode())
        sys.stderr.flush()
        code = 0
    except (KeyboardInterrupt, BrokenPipeError):
        pass  # the parent gets it too, or has gone
    except BaseException:  # noqa: BLE001 - a forked child must never return into the parent's code
        traceback.print_exc()
    finally:
        os._exit(code)


def _plain(value: object) -> str:
    """Times and dates of TOML as text; what else JSON does not know is no setting and refused as text is."""
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return f"a {type(value).__name__}"
