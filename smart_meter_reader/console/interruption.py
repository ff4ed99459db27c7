"""Lets work on a line end early and keep what there is: Ctrl-C, or whoever ends the program politely."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

_Result = TypeVar("_Result")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def interruptible(work: Callable[[asyncio.Event], Awaitable[_Result]]) -> _Result:
    """Run ``work``, whose event the first SIGINT or SIGTERM sets; a second one ends the program as usual."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        stop.set()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    for number in _SIGNALS:
        loop.add_signal_handler(number, interrupt)
    return await work(stop)
