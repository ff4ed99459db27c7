"""Questions to the history, one at a time in a thread of its own, each with a limit of time and size.

While a question is answered the event loop reads on. When the limit is over the database is interrupted; the
next question waits until the thread is really free, so that there is never more than one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from smart_meter_reader.exceptions import WordedError
from smart_meter_reader.network.off_loop import in_daemon_thread

_Result = TypeVar("_Result")

QUESTION_SECONDS = 2.0
# How long one waits for its turn, and how many may.
TURN_SECONDS = 10.0
MOST_WAITING = 16
LARGEST_ANSWER = 1024 * 1024


class TooMuchError(WordedError):
    """The question takes longer, or its answer is larger, than one may: ask for less."""


class BusyError(WordedError):
    """Others ask too; later it will do."""


class Asking:
    """Lets one question after the other be answered."""

    def __init__(self) -> None:
        self._waiting = 0
        self._free = asyncio.Event()
        self._free.set()

    async def in_turn(self, work: Callable[[], _Result], interrupt: Callable[[], None]) -> _Result:
        """What ``work`` gives, which blocks, and raises what it does; ``interrupt`` ends it.

        Raises BusyError and TooMuchError.
        """
        await self._turn()
        try:
            async with asyncio.timeout(QUESTION_SECONDS):
                return await in_daemon_thread(work, lambda _: None, self._free.set)
        except TimeoutError:
            interrupt()
            raise TooMuchError(
                "too_slow",
                "too_slow",
                "no answer within {seconds} s: ask for a shorter time",
                seconds=round(QUESTION_SECONDS),
            ) from None
        except asyncio.CancelledError:
            interrupt()  # nobody waits for it any more
            raise

    async def _turn(self) -> None:
        if self._waiting >= MOST_WAITING:
            raise BusyError(
                "busy", "too_many_questions", "too many questions at once: ask again in a few seconds"
            )
        self._waiting += 1
        try:
            async with asyncio.timeout(TURN_SECONDS):
                while not self._free.is_set():
                    await self._free.wait()
        except TimeoutError:
            raise BusyError(
                "busy", "question_before", "the question before this one takes long: ask again later"
            ) from None
        finally:
            self._waiting -= 1
        self._free.clear()


def within_limit(answer: bytes) -> bytes:
    """The same answer. Raises TooMuchError when it is too large."""
    if len(answer) > LARGEST_ANSWER:
        raise TooMuchError(
            "too_large",
            "too_large",
            "the answer has {size} KiB, and {most} are the most: ask for a shorter time",
            size=-(-len(answer) >> 10),
            most=LARGEST_ANSWER >> 10,
        )
    return answer
