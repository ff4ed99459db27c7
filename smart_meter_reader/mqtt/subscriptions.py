"""What we have asked the broker to pass on to us, and what it says to that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.network import stalls

# An answer later than this never comes.
SUBACK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Asked:
    topics: tuple[str, ...]
    refused: asyncio.Future[list[str]]
    late: asyncio.TimerHandle


class Subscriptions:
    """The SUBSCRIBEs on their way, by packet identifier. ``on_silence``: one has stayed unanswered."""

    def __init__(self, on_silence: Callable[[], None]) -> None:
        self._on_silence = on_silence
        self._loop = asyncio.get_running_loop()
        self._asked: dict[int, _Asked] = {}

    def settled(self) -> asyncio.Future[list[str]]:
        """The answer to nothing: nothing is refused."""
        answer = self._future()
        answer.set_result([])
        return answer

    def asked(self, identifier: int, topics: Sequence[str]) -> asyncio.Future[list[str]]:
        """A SUBSCRIBE is on its way; the future is for the filters that are refused, or raises SinkError."""
        self._asked[identifier] = _Asked(tuple(topics), self._future(), self._timer(identifier))
        return self._asked[identifier].refused

    def answered(self, identifier: int, refusals: Sequence[bool]) -> None:
        """SUBACK, with a word for each filter."""
        asked = self._asked.pop(identifier, None)
        if asked is None:
            return
        asked.late.cancel()
        if not asked.refused.done():
            asked.refused.set_result([t for t, no in zip(asked.topics, refusals, strict=False) if no])

    def end(self, failure: SinkError) -> None:
        """No answer will come any more."""
        for asked in self._asked.values():
            asked.late.cancel()
            if not asked.refused.done():
                asked.refused.set_exception(failure)
        self._asked.clear()

    def _timer(self, identifier: int) -> asyncio.TimerHandle:
        due = self._loop.time() + SUBACK_SECONDS
        return self._loop.call_at(due, self._expire, identifier, due)

    def _expire(self, identifier: int, due: float) -> None:
        if self._loop.time() - due > stalls.LATE_SECONDS:
            # This process stood still, and the answer may lie unread in the socket.
            self._asked[identifier] = replace(self._asked[identifier], late=self._timer(identifier))
        else:
            self._on_silence()

    def _future(self) -> asyncio.Future[list[str]]:
        future: asyncio.Future[list[str]] = self._loop.create_future()
        # Nobody has to wait for it: the link tells its end by itself.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future
