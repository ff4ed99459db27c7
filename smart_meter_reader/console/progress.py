"""One line on a terminal that says how far long work is, and is gone at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_line(what: str) -> Iterator[Callable[[float], bool]]:
    """What hears the share that is done, from 0 to 1; on stderr, and only where that is a terminal.

    It answers false: go on. Ctrl-C is heard by whoever does the work.
    """
    shows = sys.stderr.isatty()
    last = -1

    def told(share: float) -> bool:
        nonlocal last
        percent = int(share * 100)
        if shows and percent != last:
            last = percent
            sys.stderr.write(f"\r{what}: {percent} % ")
            sys.stderr.flush()
        return False

    told(0.0)
    try:
        yield told
    finally:
        if shows:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
