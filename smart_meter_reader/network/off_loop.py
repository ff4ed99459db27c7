"""Blocking work in a thread that nobody waits for at the end of the process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from smart_meter_reader.exceptions import SinkError

_Result = TypeVar("_Result")


async def in_daemon_thread(
    work: Callable[[], _Result],
    abandon: Callable[[_Result], object] = lambda _: None,
    ended: Callable[[], object] = lambda: None,
) -> _Result:
    """Run ``work`` off the loop; returns and raises what it does.

    Raises SinkError when there is no thread for it. Unlike the loop's executor, a thread that hangs (a name
    server that does not answer, say) delays neither others nor the exit. A result that nobody waits for any
    more is given to ``abandon``. ``ended`` is called on the loop when the thread is over, which may be long
    after the wait for it was.
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
        finally:
            _call(loop, ended)

    try:
        _start(run)
    except SinkError:
        ended()
        raise
    return await _taken(done, abandon)


async def _taken(done: asyncio.Future[_Result], abandon: Callable[[_Result], object]) -> _Result:
    try:
        return await done
    except asyncio.CancelledError:
        # The result may have come in the same turn of the loop, and then goes to nobody.
        if done.done() and not done.cancelled() and done.exception() is None:
            abandon(done.result())
        raise


def _start(run: Callable[[], None]) -> None:
    try:
        threading.Thread(target=run, name="off the loop", daemon=True).start()
    except RuntimeError as error:
        raise SinkError(
            "no_thread",
            f"the system gives no thread to connect with ({error}): allow the service more tasks (TasksMax)",
        ) from error


def _call(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *arguments: object) -> bool:
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:
        return False  # the loop has ended meanwhile
    return True
