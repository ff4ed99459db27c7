"""Blocking work in a thread that nobody waits for at the end of the process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable


async def in_daemon_thread(work: Callable[[], None], abandoned: Callable[[], None]) -> None:
    """Run ``work`` off the loop; raises what it raises.

    Unlike the loop's executor, a thread that hangs (a name server that does not answer, say) delays
    neither others nor the exit. When the waiting is cancelled, ``abandoned`` runs after the work.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: Exception | None) -> None:
        if done.done():
            abandoned()
        elif error:
            done.set_exception(error)
        else:
            done.set_result(None)

    def run() -> None:
        error: Exception | None = None
        try:
            work()
        except Exception as caught:  # noqa: BLE001 - raised again where the work is awaited
            error = caught
        try:
            loop.call_soon_threadsafe(settle, error)
        except RuntimeError:
            abandoned()  # the loop has ended meanwhile

    threading.Thread(target=run, name="mqtt connect", daemon=True).start()
    await done
