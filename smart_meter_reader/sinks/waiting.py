"""How a sink waits for its next attempt, and for the stop."""

from __future__ import annotations

import asyncio


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event is set before so many seconds have passed."""
    # Not cancelled at the stop: what is being written is not to be given up half way.
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
