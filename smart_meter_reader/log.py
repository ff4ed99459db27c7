"""Logging to stderr: readable in a terminal, with priorities in the journal. No files: SD cards wear out."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import textwrap
from collections import deque
from collections.abc import Hashable
from typing import Any

from smart_meter_reader.text import LONGEST_TEXT, printable

# sd-daemon(3): a line that begins with <N> gets that syslog priority.
_PRIORITIES = ((logging.ERROR, "<3>"), (logging.WARNING, "<4>"), (logging.INFO, "<6>"), (0, "<7>"))


_LONGEST_MESSAGE = 2 * LONGEST_TEXT
_TERMINAL_INDENT = " " * len("12:34:56 ")
# After so long there is room in the log for other things than those that filled it.
_NEW_THINGS_SECONDS = 3600.0


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


class _TerminalFormatter(_Formatter):
    """Lines that end between two words, what goes on set in behind the time: for people who look on."""

    def format(self, record: logging.LogRecord) -> str:
        columns = max(shutil.get_terminal_size().columns, 40)
        return "\n".join(_broken(line, columns) for line in super().format(record).split("\n"))


def _broken(line: str, columns: int) -> str:
    return textwrap.fill(
        line,
        columns,
        subsequent_indent=_TERMINAL_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def set_up_logging(level: str) -> None:
    """Send log lines of ``level`` (DEBUG, INFO, WARNING, ERROR) and above to stderr."""
    output = logging.StreamHandler(sys.stderr)
    if os.environ.get("JOURNAL_STREAM"):
        # The journal adds the time itself.
        output.setFormatter(_JournalFormatter("%(message)s"))
    else:
        # A file and a pipe get each message unbroken: whoever searches them looks for whole sentences.
        formatter = _TerminalFormatter if sys.stderr.isatty() else _Formatter
        output.setFormatter(formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=level, handlers=[output], force=True)
    # asyncio logs its selector at DEBUG; that says nothing about a meter.
    logging.getLogger("asyncio").setLevel(logging.WARNING)


class Seldom:
    """What is worth a line in the log, of what comes again and again. Pure: the time is an argument.

    ``more`` and ``again`` let the same be said ``most`` times in ``seconds``, ``first`` once for ever. Of
    ever new things so many ``different`` ones are said, and as many once more when an hour has passed.
    """

    def __init__(self, most: int = 1, seconds: float = 3600.0, *, different: int = 1000) -> None:
        self._most = most
        self._seconds = seconds
        self._different = different
        self._said: dict[Hashable, deque[float]] = {}
        self._unsaid: dict[Hashable, int] = {}
        self._since = 0.0  # when the first of the things in ``_said`` was said

    def first(self, what: Hashable, now: float = 0.0) -> bool:
        """Whether it was never said. ``now`` is in seconds of any clock, here as everywhere."""
        if what in self._said:
            return False
        return self._times_of(what, now) is not None

    def again(self, what: Hashable, now: float) -> bool:
        """Whether it may be said now."""
        times = self._times_of(what, now)
        if times is None or (len(times) == self._most and abs(now - times[0]) < self._seconds):
            return False
        times.append(now)
        return True

    def more(self, what: Hashable, now: float, times: int = 1) -> str | None:
        """It came ``times`` times again: "" or "; 3 more since it was last said", the end of the line.

        None when nothing is to be logged: too soon, or it did not come since.
        """
        unsaid = self._unsaid.get(what, 0) + times
        if not unsaid or not self.again(what, now):
            if what in self._said:
                self._unsaid[what] = unsaid
            return None
        self._unsaid.pop(what, None)
        return f"; {unsaid - 1} more since it was last said" if unsaid > 1 else ""

    def forget(self) -> bool:
        """It is over, and news when it comes again. Whether anything was said of it."""
        said = bool(self._said)
        self._said.clear()
        self._unsaid.clear()
        return said

    def _times_of(self, what: Hashable, now: float) -> deque[float] | None:
        """When it was said last, to be added to; None while too many others were."""
        if what not in self._said:
            if len(self._said) >= self._different:
                if abs(now - self._since) < _NEW_THINGS_SECONDS:
                    return None
                self.forget()
            if not self._said:
                self._since = now
            self._said[what] = deque(maxlen=self._most)
        return self._said[what]
