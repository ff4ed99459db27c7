"""When this process stood still: stopped, swapped out, frozen with its container, or drowned in work.

All its timers are then overdue at once, while what came meanwhile lies unread in the buffers of the system.
Whoever waits for the outside world must look there first, and not count the time in which he did not listen.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from smart_meter_reader.log import Seldom

_log = logging.getLogger(__name__)

# A timer that comes later than this was not late by chance: nobody was there to see it pass.
LATE_SECONDS = 1.0
# How often a stall is looked for, and from when on it is told.
LOOK_SECONDS = 5.0
_TOLD_IN_AN_HOUR = 5


@asynccontextmanager
async def timeout(seconds: float) -> AsyncIterator[None]:
    """As ``asyncio.timeout``, but after a stall the time begins anew, once. Raises TimeoutError."""
    async with asyncio.timeout(None) as limit:
        timer = _Timer(limit, seconds)
        try:
            yield
        finally:
            timer.cancel()


class _Timer:
    """Ends ``limit`` after ``seconds``, or after as many once more when it comes too late itself."""

    def __init__(self, limit: asyncio.Timeout, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._excused = False
        self._loop = asyncio.get_running_loop()
        self._start()

    def cancel(self) -> None:
        self._handle.cancel()

    def _start(self) -> None:
        self._due = self._loop.time() + self._seconds
        self._handle = self._loop.call_at(self._due, self._expire)

    def _expire(self) -> None:
        now = self._loop.time()
        if now - self._due > LATE_SECONDS and not self._excused:
            self._excused = True
            self._start()
        else:
            self._limit.reschedule(now)


async def let_in() -> None:
    """Let the event loop read once from everything that is ready.

    The loop looks at its files first and then runs what waits; whoever sleeps for one turn only may come
    before the reading that this turn has found.
    """
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def watch_stalls() -> None:
    """Tell in the log, for ever, when this process stood still for seconds: data may have a gap then."""
    loop = asyncio.get_running_loop()
    seldom = Seldom(_TOLD_IN_AN_HOUR)
    while True:
        due = loop.time() + LOOK_SECONDS
        await asyncio.sleep(LOOK_SECONDS)
        now = loop.time()
        if now - due < LOOK_SECONDS:
            continue
        more = seldom.more("stall", now)
        if more is not None:
            _log.warning(
                "this process stood still for %.0f s or more: it was stopped, or the computer was too busy; "
                "what the meters sent meanwhile is read now, as far as the system has kept it%s",
                now - due,
                more,
            )
