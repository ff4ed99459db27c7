"""Spends the line time that the plan allows: reserved and on disk before it is spent, and never more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from smart_meter_reader.meters.backfill.budget import UNLIMITED
from smart_meter_reader.meters.backfill.plan import Planner
from smart_meter_reader.network import stalls

# What is computed does without repeats; so much more is reserved, and then given up.
_MARGIN, _MORE = 1.5, 1.0

_Answer = TypeVar("_Answer")
KeepMemory = Callable[[], Awaitable[None]]
"""Puts on disk what is to be remembered; done when it is there."""


async def keep_nothing() -> None:
    """Where nothing is kept on disk."""


class LineTime:
    """That of one meter; ``keep`` puts on disk what the plan remembers."""

    def __init__(self, planner: Planner, keep: KeepMemory) -> None:
        self._planner = planner
        self._keep = keep

    def allows(self, seconds: float) -> bool:
        """Whether so much is left today."""
        return self._planner.budget.left(datetime.now(UTC), self._planner.daily) >= seconds

    async def spend(self, seconds: float, ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """Ask, for a little longer than computed at most, and not longer than the budget has left.

        Raises TimeoutError.
        """
        planner, now = self._planner, datetime.now(UTC)
        limit = min(seconds * _MARGIN + _MORE, planner.budget.left(now, planner.daily))
        planner.reserve(now, limit)
        if planner.daily != UNLIMITED:
            await self._keep()
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with stalls.timeout(limit):
                return await ask()
        finally:
            planner.give_back(now.date(), limit - (loop.time() - started))
