"""Turns: meters that send unasked are worked for one after another, and overload takes from each alike.

A thousand telegrams that lie ready would otherwise all be read, and handed on, before any sink or timer has
its turn again; what they cost is then thrown away in the sinks' full queues, and the more there is to read
the less arrives.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_log = logging.getLogger(__name__)

# So many lines are read in one turn of the event loop: as many readings as a sink takes in one.
AT_A_TIME = 16
# What waited during a stall is worked off whole; only who is behind for longer has too much to do.
PATIENCE = 5.0
# Over such a time the share is counted that was read, and then told.
TELL_SECONDS = 30.0
_NEVER = float("inf")


class Turns:
    """Lets whoever has received something go on, few at a time, in the order in which they came."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._passed = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._planned = False
        self._behind_since = _NEVER
        self._read = 0
        self._left_out = 0
        self._counted_since = 0.0

    @property
    def overloaded(self) -> bool:
        """Whether there has been more to read than time for longer than a stall explains."""
        since = self._behind_since  # most calls need no look at the clock
        return since != _NEVER and self._loop.time() - since > PATIENCE

    async def take(self) -> None:
        """Wait for one's turn; at once while there is time for all."""
        self._plan()
        if self._passed < AT_A_TIME and not self._waiting:
            self._passed += 1
            return
        turn: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(turn)
        await turn

    def count(self, read: int, left_out: int) -> None:
        """So many telegrams were read and so many left out for want of time, which is told now and then."""
        if not left_out and not self._left_out:
            return  # what was read counts from the first on that was not
        now = self._loop.time()
        if not self._left_out:
            self._read, self._counted_since = 0, now
        self._read += read
        self._left_out += left_out
        if now - self._counted_since >= TELL_SECONDS:
            self.tell()

    def tell(self) -> None:
        """Log the share that was read since it was last told, when that was not all."""
        if not self._left_out:
            return
        _log.warning(
            "this computer is too slow for so many telegrams: of the last %d it has read %d (%.0f %%), of "
            "each meter the newest; spread the meters over more computers",
            self._read + self._left_out,
            self._read,
            100 * self._read / (self._read + self._left_out),
        )
        self._read = self._left_out = 0

    def _plan(self) -> None:
        if not self._planned:
            self._planned = True
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        """In each turn of the loop in which anything was to be read."""
        self._planned = False
        self._passed = 0
        while self._waiting and self._passed < AT_A_TIME:
            turn = self._waiting.popleft()
            if not turn.done():  # whoever was cancelled meanwhile
                turn.set_result(None)
                self._passed += 1
        if self._passed:
            self._plan()
        if not self._waiting:
            self._behind_since = _NEVER
        elif self._behind_since == _NEVER:
            self._behind_since = self._loop.time()


# Of the service, for all clients that it runs.
_turns: ContextVar[Turns | None] = ContextVar("turns", default=None)


@contextmanager
def taking_turns() -> Iterator[None]:
    """Tasks that are made inside share their turns."""
    turns = Turns()
    token = _turns.set(turns)
    try:
        yield
    finally:
        _turns.reset(token)
        turns.tell()


def current_turns() -> Turns:
    """The turns of this task's service; of its own where there is none."""
    return _turns.get() or Turns()
