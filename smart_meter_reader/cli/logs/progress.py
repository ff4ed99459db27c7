"""How far reading a logger is: one line that changes on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

# Nobody reads a line each second in a file.
_TOLD_EVERY = 10.0
# As short as that, nobody waits.
_SOON = 2.0


class EntriesShown:
    """Told by whoever reads; writes to standard error. ``seconds``: what all of it takes, about."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._now = now
        self._begun = self._told_at = now()
        self._live = sys.stderr.isatty()
        self._shown = False

    def __call__(self, logger: str, entries: int, most: int) -> None:
        """So many of so many entries of a logger have come."""
        now = self._now()
        passed = now - self._begun
        text = f"{logger}: {entries} of {most} entries"
        if self._seconds > _SOON:
            text += f", {passed:.0f} s of about {max(self._seconds, passed):.0f} s"
        if self._live:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
            self._shown = True
        elif now - self._told_at >= _TOLD_EVERY:
            print(text, file=sys.stderr, flush=True)
            self._told_at = now

    def end(self) -> None:
        """Take the line away that changes."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False
