"""Logging to stderr: readable in a terminal, with priorities in the journal. No files: SD cards wear out."""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter, deque
from typing import Any

from smart_meter_reader.text import LONGEST_TEXT, printable

# sd-daemon(3): a line that begins with <N> gets that syslog priority.
_PRIORITIES = ((logging.ERROR, "<3>"), (logging.WARNING, "<4>"), (logging.INFO, "<6>"), (0, "<7>"))


_LONGEST_MESSAGE = 2 * LONGEST_TEXT


class _Formatter(logging.Formatter):
    """One line for each message, whatever is in it: nothing hides a line, and none passes for another."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name of logging
        record.message = printable(record.message, _LONGEST_MESSAGE)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name of logging
        # What was raised may say what was received; the frames before it are lines of their own.
        return "\n".join(map(printable, super().formatException(ei).split("\n")))


class _JournalFormatter(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        prefix = next(text for level, text in _PRIORITIES if record.levelno >= level)
        return prefix + super().format(record)


def set_up_logging(level: str) -> None:
    """Send log lines of ``level`` (DEBUG, INFO, WARNING, ERROR) and above to stderr."""
    output = logging.StreamHandler(sys.stderr)
    if os.environ.get("JOURNAL_STREAM"):
        # The journal adds the time itself.
        output.setFormatter(_JournalFormatter("%(message)s"))
    else:
        output.setFormatter(_Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=level, handlers=[output], force=True)
    # asyncio logs its selector at DEBUG; that says nothing about a meter.
    logging.getLogger("asyncio").setLevel(logging.WARNING)


class Repeats:
    """Lets the same be logged ``most`` times in an hour: what comes and goes would fill the log."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._said: dict[str, deque[float]] = {}
        self._unsaid: Counter[str] = Counter()

    def more(self, what: str, now: float, times: int = 1) -> str | None:
        """It came ``times`` times again: "" or "; 3 more since it was last said", the end of the line.

        None when nothing is to be logged: too soon, or it did not come since. ``now`` is in seconds.
        """
        self._unsaid[what] += times
        said = self._said.setdefault(what, deque(maxlen=self._most))
        if not self._unsaid[what] or (len(said) == self._most and abs(now - said[0]) < 3600):
            return None
        said.append(now)
        before = self._unsaid.pop(what) - 1
        return f"; {before} more since it was last said" if before else ""
