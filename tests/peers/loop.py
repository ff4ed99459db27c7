"""An event loop whose clock stands still while the process waits for a processor.

Clients and the emulated meters they talk to run in one loop. On a busy machine they are late together; by
this clock they are not late at all, so a pause of 20 ms stays shorter than a wait of 60 ms.
"""

from __future__ import annotations

import asyncio
import os
import selectors
from functools import cache


@cache
def _schedstat() -> int:
    """The main thread's account with the kernel; -1 where the kernel keeps none."""
    try:
        return os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def waited() -> float:
    """Seconds that the main thread was ready to run and had no processor (sched-stats.rst of the kernel)."""
    account = _schedstat()
    return 0.0 if account < 0 else int(os.pread(account, 64, 0).split()[1]) / 1e9


# Bytes between two ends in one process are there at once; at a pseudo-terminal the kernel brings them.
_QUIET = 0.1


class _Selector(selectors.DefaultSelector):
    """Waits for files as usual, or cuts it short."""

    def __init__(self, loop: FairLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= _QUIET or not self._loop.hurries:
            return super().select(timeout)
        ready = super().select(_QUIET)
        if not ready:
            self._loop.skip(timeout - _QUIET)
        return ready


class FairLoop(asyncio.SelectorEventLoop):
    """The usual loop; ``time`` leaves out what others took. Only for the thread that asks first.

    While it ``hurries``, what is left of a wait has passed once nothing has come for a tenth of a second: for
    tests whose every peer lives in this loop, none in a thread or process of its own.
    """

    def __init__(self) -> None:
        self._latest = 0.0
        self._skipped = 0.0
        self.hurries = False
        super().__init__(_Selector(self))

    def skip(self, seconds: float) -> None:
        """Let so much time have passed at once."""
        self._skipped += seconds

    def time(self) -> float:
        # Never back: a wait that is seen late was already told as time once.
        self._latest = max(self._latest, super().time() - waited() + self._skipped)
        return self._latest
