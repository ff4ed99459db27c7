"""Lines without a meter of ours: silence with a record of what was asked, noise, heads that only echo."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from smart_meter_reader.emulators.stream import EmulatedLine


class Silent:
    """Nothing answers; what is asked is kept."""

    def __init__(self) -> None:
        self.heard = b""

    async def serve(self, line: EmulatedLine) -> None:
        while received := await line.read():
            self.heard += received


class Echo:
    """A head that returns what it sends, with no meter below it."""

    async def serve(self, line: EmulatedLine) -> None:
        while received := await line.read():
            await line.write(received)


class Noise:
    """Light that the head takes for bytes."""

    def __init__(self, noise: bytes = b"\xff\xfe\x00\xf7") -> None:
        self._noise = noise

    async def serve(self, line: EmulatedLine) -> None:
        while True:
            await line.write(self._noise)
            await asyncio.sleep(0.05)


@contextmanager
def silent_terminal() -> Iterator[str]:
    """The path of a pseudo-terminal with nobody at the other end."""
    master, slave = os.openpty()
    tty.setraw(slave)
    try:
        yield os.ttyname(slave)
    finally:
        os.close(slave)
        os.close(master)
