"""The command line: one file per command, `run` by default, exit codes that mean something.

A plain run is what stays in memory for months, so it goes straight to ``start`` and never imports the
command-line library.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from smart_meter_reader.console import (
    COMPLETION_VARIABLE,
    EXIT_FAULT,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_SETTINGS,
    EXIT_UNAVAILABLE,
)

# What a full disk, or a file of a limited size, says to whoever redirects our output there.
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the exit code of the process. Nothing a user can cause gives a traceback."""
    from smart_meter_reader.exceptions import ExplainedError, SettingsError

    _prepare_output()
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except SettingsError as error:
        _tell(*error.problems)
        return EXIT_SETTINGS
    except ExplainedError as error:
        _tell(error.by_hand)
        return EXIT_UNAVAILABLE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (head, less) has seen enough.
        _forget_output()
        return EXIT_OK
    except OSError as error:
        return _explain(error)
    except Exception as error:  # noqa: BLE001 - its text may quote a key or a number of the household
        return _tell_fault(error)


def _run(arguments: Sequence[str]) -> int:
    if COMPLETION_VARIABLE in os.environ:
        from smart_meter_reader.cli.commands import complete

        return complete()
    if list(arguments) in ([], ["run"]):  # as the systemd unit has it
        from smart_meter_reader.cli.start import start

        return start()
    from smart_meter_reader.cli.commands import invoke

    return invoke(arguments)


def _tell(*sentences: str) -> None:
    from smart_meter_reader.console.wrapping import tell

    for sentence in sentences:
        tell(sentence)


def _prepare_output() -> None:
    """Make sure that printing works whatever the caller has done to our outputs."""
    # Closed ones (`2>&-`): to None print would take the other one, and a port could get the number.
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open until the end
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open until the end
    # m³ becomes m? where the terminal or file has no such character.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _forget_output() -> None:
    """Drop what could not be written; Python would try, and complain, once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell_fault(error: Exception) -> int:
    from smart_meter_reader.rooms import fault_of

    fault = fault_of(error)
    print(f"a fault of this program ({fault}); please report it with this line:", file=sys.stderr)
    print("; caused by ".join(fault.trace), file=sys.stderr)
    return EXIT_FAULT


def _explain(error: OSError) -> int:
    """The exit code for what the system refused because of the user's surroundings; the rest is a bug."""
    if error.errno in _NO_ROOM:
        _forget_output()
        print(f"the output could not be written: {error.strerror}", file=sys.stderr)
        return EXIT_UNAVAILABLE
    try:
        Path.cwd()
    except FileNotFoundError:
        print("the working directory does not exist any more: change into another one", file=sys.stderr)
        return EXIT_UNAVAILABLE
    if error.filename is None or error.strerror is None:
        return _tell_fault(error)
    print(f"{error.filename}: {error.strerror}", file=sys.stderr)
    return EXIT_UNAVAILABLE
