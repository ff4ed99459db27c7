"""How many requests are answered in a second, by all together: the others wait, the meters do not.

A page and its files are some ten requests. Whoever leaves takes no turn; of those who ask without end
some wait, and the rest is dropped.
"""

from __future__ import annotations

import asyncio
from collections import deque

REQUESTS_A_SECOND = 50
MOST_AT_ONCE = 100
MOST_WAITING = 100


class Pace:
    """Gives turns, in the order in which they are asked for."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._free = float(MOST_AT_ONCE)
        self._counted = self._loop.time()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def turn(self) -> bool:
        """Wait for a turn; False, at once, when too many wait already."""
        if not self._waiting and self._take():
            return True
        if len(self._waiting) >= MOST_WAITING:
            return False
        mine: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(mine)
        self._plan()
        try:
            await mine
        except asyncio.CancelledError:
            if mine in self._waiting:
                self._waiting.remove(mine)
            raise
        return True

    def _take(self) -> bool:
        now = self._loop.time()
        self._free = min(MOST_AT_ONCE, self._free + (now - self._counted) * REQUESTS_A_SECOND)
        self._counted = now
        if self._free < 1:
            return False
        self._free -= 1
        return True

    def _plan(self) -> None:
        if self._timer is None and self._waiting:
            self._timer = self._loop.call_later(1 / REQUESTS_A_SECOND, self._give)

    def _give(self) -> None:
        self._timer = None
        while self._waiting and self._take():
            first = self._waiting.popleft()
            if not first.done():
                first.set_result(None)
        self._plan()
