"""A relay between services and an emulated KMP meter: who asks when, and whether two asked at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from smart_meter_reader.emulators.stream import on_tcp
from smart_meter_reader.meters.kmp.emulator import KamstrupMeter
from tests.peers.ports import free_port


@dataclass(slots=True)
class Relay:
    """Between the services and the meter: ``asked`` are (time, connection) of all requests."""

    upstream: int
    asked: list[tuple[float, int]] = field(default_factory=list)
    answered: dict[int, float] = field(default_factory=dict)
    overlaps: int = 0
    _number: int = 0
    _open: dict[int, float] = field(default_factory=dict)  # connections with a request under way

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a service."""
        self._number += 1
        number = self._number
        meter_reader, meter_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._requests(number, reader, meter_writer))
                group.create_task(self._answers(number, meter_reader, writer))
        except* OSError:
            pass  # one of both went
        finally:
            self._open.pop(number, None)
            for each in (writer, meter_writer):
                each.close()

    async def _requests(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while received := await reader.read(1024):
            now = time.monotonic()
            if any(other != number for other in self._open):
                self.overlaps += 1
            self._open[number] = now
            self.asked.append((now, number))
            writer.write(received)
            await writer.drain()
        writer.close()
        raise ConnectionResetError

    async def _answers(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while received := await reader.read(1024):
            if received.endswith(b"\r"):  # the last byte of a KMP frame
                self._open.pop(number, None)
            writer.write(received)
            await writer.drain()
        raise ConnectionResetError

    def longest_silence(self, since: float) -> float:
        """The longest time without a request since then, in seconds."""
        times = [since, *(at for at, _ in self.asked if at > since), time.monotonic()]
        return max(later - earlier for earlier, later in pairwise(times))


@asynccontextmanager
async def relayed_meter() -> AsyncIterator[tuple[Relay, int]]:
    """An emulated MULTICAL behind a relay; the relay and the port at which services find it."""
    relay, port = Relay(free_port()), free_port()
    async with on_tcp(KamstrupMeter(), port=relay.upstream):
        server = await asyncio.start_server(relay.serve, "127.0.0.1", port)
        async with server:
            yield relay, port
