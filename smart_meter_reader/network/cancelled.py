"""Ends a task whose cancellation a library has lost."""

from __future__ import annotations

import asyncio


def raise_if_cancelled() -> None:
    """Raise CancelledError in a task that was cancelled and goes on all the same.

    Before Python 3.12 ``asyncio.wait_for`` gives an answer that comes in the turn of the loop in which its
    task is cancelled, and the cancellation is gone (python/cpython#86296). nats-py waits with it: who asks
    again and again looks here before the next time, or the stop of the service would wait for it for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
