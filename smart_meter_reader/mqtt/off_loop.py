"""Blocking work in a thread that nobody waits for at the end of the process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

_Result = TypeVar("_Result")


async def in_daemon_thread(work: Callable[[], _Result], abandon: Callable[[_Result], object]) -> _Result:
    """Run ``work`` off the loop; returns and raises what it does.

    Unlike the loop's executor, a thread that hangs (a name server that does not answer, say) delays
    neither others nor the exit. A result that nobody waits for any more is given to ``abandon``.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Result] = loop.create_future()

    def settle(result: _Result) -> None:
        if done.done():
            abandon(result)
        else:
            done.set_result(result)

    def fail(error: Exception) -> None:
        if not done.done():
            done.set_exception(error)

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - raised again where the work is awaited
            _call(loop, fail, error)
        else:
            if not _call(loop, settle, result):
                abandon(result)

    threading.Thread(target=run, name="mqtt connect", daemon=True).start()
    return await done


def _call(loop: asyncio.AbstractEventLoop, function: Callable[..., None], argument: object) -> bool:
    try:
        loop.call_soon_threadsafe(function, argument)
    except RuntimeError:
        return False  # the loop has ended meanwhile
    return True
