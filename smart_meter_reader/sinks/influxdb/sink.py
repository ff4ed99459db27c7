"""Writes rows as lines, and finds out which of them the server refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from smart_meter_reader.sinks.influxdb.lines import LineWriter
from smart_meter_reader.sinks.influxdb.server import Server, connected
from smart_meter_reader.sinks.influxdb.settings import InfluxDbSettings
from smart_meter_reader.sinks.spooled.destination import Destination
from smart_meter_reader.sinks.spooled.rows import MessageRows
from smart_meter_reader.sinks.spooled.sink import SpooledSink


class InfluxDbSink(SpooledSink):
    """One database or bucket."""

    def __init__(self, name: str, settings: InfluxDbSettings) -> None:
        super().__init__(name, settings)
        self._influx = settings

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Destination]:
        async with connected(self._influx) as server:
            yield InfluxDb(self._influx, server)


class InfluxDb(Destination):
    """What a sink, or a command, writes to."""

    def __init__(self, settings: InfluxDbSettings, server: Server) -> None:
        self._writer = LineWriter(settings.measurement, settings.tags)
        self._server = server

    async def store(self, batch: Sequence[MessageRows]) -> Mapping[int, str]:
        """A point that is written again takes the place of itself: same tags, same time."""
        lines: list[str] = []
        places: list[int] = []  # by line
        for place, rows in enumerate(batch):
            new = list(self._writer.lines(rows))
            lines += new
            places += [place] * len(new)
        refused: dict[int, str] = {}
        async for number, words in self._refused(lines):
            refused.setdefault(places[number], words)
        return refused

    async def _refused(self, lines: Sequence[str], begin: int = 0) -> AsyncIterator[tuple[int, str]]:
        """Write lines; of those that are refused the number and the server's words.

        Where the server says that the rest is written, but not which line it means, the first stands for
        all. Where it has written nothing, halves are written, until the line is found that is at fault.
        """
        if not lines:
            return
        refusal = await self._server.write(lines)
        if refusal is None:
            return
        if refusal.lines:
            for number, words in refusal.lines.items():
                if number < len(lines):
                    yield begin + number, f"{words} in {lines[number]}"
        elif refusal.rest_is_written or len(lines) == 1:
            line = f" in {lines[0]}" if len(lines) == 1 else f", in {len(lines)} lines"
            yield begin, f"{refusal.words}{line}"
        else:
            middle = len(lines) // 2
            for half, first in ((lines[:middle], begin), (lines[middle:], begin + middle)):
                async for each in self._refused(half, first):
                    yield each
