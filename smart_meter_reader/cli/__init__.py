"""The command line: one file per command, `run` by default, exit codes that mean something.

A plain run is what stays in memory for months, so it goes straight to ``run`` and never imports the
command-line library.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

EXIT_OK = 0
EXIT_USAGE = 64
EXIT_DATA = 65
EXIT_UNAVAILABLE = 69
EXIT_SETTINGS = 78
EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the exit code of the process. Nothing a user can cause gives a traceback."""
    from smart_meter_reader.exceptions import ExplainedError, SettingsError

    try:
        if not arguments:
            from smart_meter_reader.cli.start import start

            return start()
        from smart_meter_reader.cli.commands import invoke

        return invoke(arguments)
    except SettingsError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return EXIT_SETTINGS
    except ExplainedError as error:
        print(error.detail, file=sys.stderr)
        return EXIT_UNAVAILABLE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (head, less) has seen enough. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
