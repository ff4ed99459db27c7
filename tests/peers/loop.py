"""An event loop whose clock stands still while the process waits for a processor.

Clients and the emulated meters they talk to run in one loop. On a busy machine they are late together; by
this clock they are not late at all, so a pause of 20 ms stays shorter than a wait of 60 ms.
"""

from __future__ import annotations

import asyncio
import os
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


class FairLoop(asyncio.SelectorEventLoop):
    """The usual loop; ``time`` leaves out what others took. Only for the thread that asks first."""

    def __init__(self) -> None:
        super().__init__()
        self._latest = 0.0
        self._skipped = 0.0

    def skip(self, seconds: float) -> None:
        """Let so much time have passed at once."""
        self._skipped += seconds

    def time(self) -> float:
        # Never back: a wait that is seen late was already told as time once.
        self._latest = max(self._latest, super().time() - waited() + self._skipped)
        return self._latest
