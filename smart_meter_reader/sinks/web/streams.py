"""The stream of changes that a page listens to (server-sent events): the newest of each meter, never a queue.

Source: the HTML standard, section "Server-sent events".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from smart_meter_reader.sinks.web.live import Changes, Live

MOST_STREAMS = 16
# A comment, so that proxies and clients see that there still is somebody.
COMMENT_SECONDS = 15.0
# A meter that is read ten times a second is shown five times.
PAUSE_SECONDS = 0.2
# Then the browser comes again by itself, and is asked again who it is.
LONGEST_SECONDS = 3600.0


class Streams:
    """The open streams. Each takes what is new when it can; what came meanwhile is told once."""

    def __init__(self, live: Live, event: Callable[[str], bytes]) -> None:
        """``event``: the newest of one meter as JSON text."""
        self._live = live
        self._event = event
        self._wakes: set[asyncio.Event] = set()
        self._ended = False

    def changed(self) -> None:
        """Something is new of a meter."""
        for wake in self._wakes:
            wake.set()

    def end(self) -> None:
        """Let all of them end."""
        self._ended = True
        self.changed()

    @property
    def is_full(self) -> bool:
        """Whether one more would be too many."""
        return len(self._wakes) >= MOST_STREAMS

    async def run(self, request: web.Request, response: web.StreamResponse) -> None:
        """Write to ``response`` until the client leaves or the service stops. Raises ConnectionError."""
        wake, changes = asyncio.Event(), Changes(each.meter for each in self._live.meters)
        self._wakes.add(wake)
        self._live.listen(changes)
        try:
            await response.prepare(request)
            await response.write(b"retry: 3000\n\n")
            await self._write(response, wake, changes)
        finally:
            self._live.leave(changes)
            self._wakes.discard(wake)

    async def _write(self, response: web.StreamResponse, wake: asyncio.Event, changes: Changes) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + LONGEST_SECONDS
        while not self._ended and loop.time() < until:
            events = [b"event: meter\ndata: %b\n\n" % self._event(name) for name in changes.take()]
            await response.write(b"".join(events) or b": \n\n")
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                async with asyncio.timeout(COMMENT_SECONDS):
                    await wake.wait()
            except TimeoutError:
                pass  # nothing is new: a comment says that we are there
            wake.clear()
