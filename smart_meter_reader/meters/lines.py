"""Lines that several meters share: one port open for all of them, and one meter's turn at a time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from smart_meter_reader.exceptions import MeterSilentError, TransportError

if TYPE_CHECKING:
    from smart_meter_reader.transport import LineSettings, Transport


class SharedLine:
    """One port with meters that are asked in turns. It is open while any of them is being read.

    A port that fails is closed, and opened again for whoever has the next turn.
    """

    def __init__(self, port: str, line: LineSettings) -> None:
        self.users = 0
        self._port = port
        self._line = line
        self._turn = asyncio.Lock()  # whoever waits longest is next
        self._transport: Transport | None = None

    @property
    def is_taken(self) -> bool:
        """Whether it is some meter's turn."""
        return self._turn.locked()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Transport]:
        """The open port, for one meter alone. Raises TransportError."""
        async with self._turn:
            if self._transport is None:
                # Imported only now: the service has these lines at hand in homes without a port, too.
                from smart_meter_reader.transport import open_transport

                self._transport = await open_transport(self._port, self._line)
            try:
                yield self._transport
            except MeterSilentError:
                raise  # the port is well
            except TransportError:
                await self.close()
                raise

    async def close(self) -> None:
        """Close the port, if it is open."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()


# Of the service, for all clients that it runs; a command that reads one meter has its line for itself.
_lines: ContextVar[dict[str, SharedLine] | None] = ContextVar("lines", default=None)


@contextmanager
def sharing_lines() -> Iterator[None]:
    """Tasks that are made inside share the lines that they have in common."""
    token = _lines.set({})
    try:
        yield
    finally:
        _lines.reset(token)


@asynccontextmanager
async def shared_line(port: str, line: LineSettings) -> AsyncIterator[SharedLine]:
    """The line at a port, with whoever else uses it; it is closed behind the last one."""
    lines = _lines.get()
    if lines is None:
        lines = {}
    key = _name_of(port)
    shared = lines.setdefault(key, SharedLine(port, line))
    shared.users += 1
    try:
        yield shared
    finally:
        shared.users -= 1
        if not shared.users:
            lines.pop(key, None)
            await shared.close()


def _name_of(port: str) -> str:
    """One name for a port, whichever of its links it is called by."""
    return port if "://" in port else os.path.realpath(port)
