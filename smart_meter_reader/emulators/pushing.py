"""An emulated meter that sends by itself: a telegram at every tick, to any number of listeners, with faults.

What it sends is the same for all listeners, as on one line with several readers.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from random import Random
from typing import Final

from smart_meter_reader.emulators.faults import Fault, Faults
from smart_meter_reader.emulators.stream import EmulatedLine

LOAD_CHANGES: Final = 0.04  # in one telegram: somebody boils water, or stops doing so
_SILENT_TICKS: Final = 3


class PushingMeter(ABC):
    """What sends. ``interval``: seconds between telegrams; ``recording``: what is sent in a circle instead.

    Faults that all of them have: silence, drop, crc, lose, cut, noise.
    """

    def __init__(
        self, interval: float, *, recording: Sequence[bytes] = (), faults: Sequence[Fault] = (), seed: int = 0
    ) -> None:
        self._interval = interval
        self._recording = list(recording)
        self._faults = Faults(faults, seed)
        self._random = Random(seed)  # noqa: S311 - a household, not a secret
        self._count = 0
        self._silent = 0
        self._listeners: list[asyncio.Queue[bytes]] = []

    @abstractmethod
    def next_telegram(self) -> bytes:
        """What goes over the line at the next tick; b"" for nothing."""

    async def serve(self, line: EmulatedLine) -> None:
        """Send telegrams to this listener until it goes; whatever it sends is ignored."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(maxsize=16)
        self._listeners.append(queue)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(_send(queue, line), name="telegrams to one listener"),
                    group.create_task(self._tick_while_first(queue), name="clock of the emulated meter"),
                ]
                while await line.read():
                    pass  # it has no ear
                for task in tasks:
                    task.cancel()
        except* ConnectionError:
            pass  # the listener has gone; the others do not mind
        finally:
            self._listeners.remove(queue)

    async def _tick_while_first(self, queue: asyncio.Queue[bytes]) -> None:
        """The first listener keeps the clock; when it goes the next one takes over."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if self._listeners[0] is queue:
                telegram = self.next_telegram()
                for listener in self._listeners:
                    # A listener that does not read misses telegrams; the others do not wait for it.
                    if telegram and not listener.full():
                        listener.put_nowait(telegram)
            due = max(due + self._interval, loop.time() - self._interval)
            await asyncio.sleep(due - loop.time())

    def _recorded(self) -> bytes:
        return self._recording[self._count % len(self._recording)]

    # --- faults, in the order in which they are asked ---

    def _is_kept_back(self) -> bool:
        """Whether nothing is sent at this tick."""
        if self._faults.strike("silence"):
            self._silent = _SILENT_TICKS
        if self._silent:
            self._silent -= 1
            return True
        return self._faults.strike("drop")

    def _damaged(self, telegram: bytes, middle: int) -> bytes:
        """With a bit turned over, and without the byte at ``middle``."""
        if self._faults.strike("crc"):
            telegram = self._faults.flip_bit(telegram)
        if self._faults.strike("lose"):
            telegram = telegram[:middle] + telegram[middle + 1 :]
        return telegram

    def _cut(self, telegram: bytes) -> bytes:
        return telegram[: len(telegram) // 2] if self._faults.strike("cut") else telegram

    def _behind_noise(self, telegram: bytes) -> bytes:
        return (self._faults.noise() if self._faults.strike("noise") else b"") + telegram


async def _send(queue: asyncio.Queue[bytes], line: EmulatedLine) -> None:
    while True:
        await line.write(await queue.get())
