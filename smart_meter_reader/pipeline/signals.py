"""What stops the service from outside, and what nobody else hears: signals, and exceptions of callbacks."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

from smart_meter_reader.rooms import Room

_log = logging.getLogger(__name__)


def answer_signals(stop: Callable[[], None], read_now: Callable[[], None]) -> None:
    """Answer to signals in the running loop: SIGTERM, SIGINT and SIGHUP stop, SIGUSR1 reads now.

    A second SIGTERM or SIGINT ends the process at once.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(partial(_on_loop_error, Room("a callback")))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, number, stop, [])
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
        # A terminal that is closed may send it twice.
        loop.add_signal_handler(signal.SIGHUP, stop)
    loop.add_signal_handler(signal.SIGUSR1, read_now)


def _on_loop_error(room: Room, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What a callback raises has no task to go to; asyncio would log it with all that it holds."""
    error = context.get("exception")
    if isinstance(error, BaseException):
        room.note(error, "the service goes on")
    else:
        _log.error("asyncio: %s", context.get("message"))


def _on_signal(number: signal.Signals, stop: Callable[[], None], seen: list[int]) -> None:
    if seen:
        # No clean-up: whoever asks twice wants the process gone, whatever hangs.
        os._exit(128 + number)
    seen.append(number)
    _log.info("%s: stopping; once more ends at once", number.name)
    stop()
