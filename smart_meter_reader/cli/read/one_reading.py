"""One reading of one meter for a person who waits: what it is at meanwhile, and why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from smart_meter_reader.exceptions import ExplainedError, ProtocolError, TransportError
from smart_meter_reader.messages import Message, Publish
from smart_meter_reader.meters.base import Client
from smart_meter_reader.rooms import LastReceived, hearing

_TOLD_EVERY = 5.0
# The same words again only after so long: a readout at 300 Bd takes minutes.
_SAME_WORDS = 15.0


@dataclass(frozen=True, slots=True)
class Missed:
    """Why there is no reading, and the bytes that came last, 4 KiB at most."""

    error: ExplainedError
    heard: bytes


async def one_reading(
    client: Client, publish: Publish, patience: float, tell: Callable[[str], None]
) -> Missed | None:
    """Have the client take one reading, for ``patience`` seconds at most; None when it did.

    ``tell`` gets every few seconds what the client is at.
    """

    async def note(message: Message) -> None:
        await publish(message)
        if message["type"] == "status" and message["state"] == "alert":
            # The service goes on to listen; a wrong key will not become right while somebody waits.
            raise ProtocolError(message["reason"], message["detail"])

    heard, loop, at_last = LastReceived(), asyncio.get_running_loop(), ""
    try:
        with hearing(heard), _Progress(lambda: client.doing, tell):
            async with asyncio.timeout(None) as limit:

                def end() -> None:
                    nonlocal at_last
                    at_last = client.doing  # while it is still at it
                    limit.reschedule(loop.time())

                timer = loop.call_later(patience, end)
                try:
                    await client.run(note, once=True)
                finally:
                    timer.cancel()
    except ExplainedError as error:
        return Missed(error, heard.last())
    except TimeoutError:
        detail = f"nothing complete came within {patience:g} s; at last: {at_last}"
        return Missed(TransportError("timeout", detail), heard.last())
    return None


class _Progress:
    """Tells now and then what is being done, while it is entered."""

    def __init__(self, doing: Callable[[], str], tell: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._doing = doing
        self._tell = tell
        self._told = ""
        self._told_at = self._begun = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._timer = self._loop.call_later(_TOLD_EVERY, self._look)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        now, text = self._loop.time(), self._doing()
        if text != self._told or now - self._told_at >= _SAME_WORDS:
            self._tell(f"  {now - self._begun:3.0f} s: {text}")
            self._told, self._told_at = text, now
        self._timer = self._loop.call_later(_TOLD_EVERY, self._look)
