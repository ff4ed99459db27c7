"""Records what passes a client's transport: ``with opening_by(tape.open): await client.run(...)``."""

from __future__ import annotations

import asyncio

from smart_meter_reader.recordings.text import (
    FROM_METER,
    TO_METER,
    Burst,
    Direction,
    LineChange,
    RecordedEvent,
)
from smart_meter_reader.transport import open_transport
from smart_meter_reader.transport.line import LineSettings
from smart_meter_reader.transport.stream import Transport

# Bytes that arrive within this time of those before belong to the same burst; in seconds.
_SAME_BURST = 0.05
# A line without a pause is cut into bursts of about so many bytes, so that the limit is met in time.
_LONGEST_BURST = 64 * 1024


class Tape:
    """Notes every byte in either direction with its time, over all connections of one client.

    ``line`` is how the first connection was opened, "" before. The first ``limit`` bytes are kept;
    ``full`` says that there were more.
    """

    def __init__(self, limit: int = 16 * 1024 * 1024) -> None:
        self.line = ""
        self.full = False
        self._space = limit
        self._events: list[RecordedEvent] = []
        self._arriving = bytearray()
        self._arriving_since = 0.0
        self._arrived_last = 0.0
        self._began: float | None = None

    async def open(self, url: str, line: LineSettings, connect_timeout: float) -> Transport:
        """Open a port the usual way and listen in. Raises as ``open_transport``."""
        transport = await open_transport(url, line, connect_timeout=connect_timeout)
        self.line = self.line or str(line)
        self._now()
        transport.tap = self
        return transport

    def events(self) -> tuple[RecordedEvent, ...]:
        """What was noted so far."""
        self._end_burst()
        return tuple(self._events)

    def sent(self, payload: bytes) -> None:
        """Part of ``Tap``."""
        self._end_burst()
        self._note(TO_METER, payload, self._now())

    def received(self, payload: bytes) -> None:
        """Part of ``Tap``."""
        now = self._now()
        if now - self._arrived_last > _SAME_BURST or len(self._arriving) >= _LONGEST_BURST:
            self._end_burst()
        if not self._arriving:
            self._arriving_since = now
        self._arrived_last = now
        self._arriving += payload

    def line_changed(self, line: LineSettings) -> None:
        """Part of ``Tap``."""
        self._end_burst()
        self._events.append(LineChange(round(self._now() * 1000), str(line)))

    def _now(self) -> float:
        """Seconds since the first connection was opened."""
        now = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = now
        return now - self._began

    def _end_burst(self) -> None:
        if self._arriving:
            payload = bytes(self._arriving)
            self._arriving.clear()
            self._note(FROM_METER, payload, self._arriving_since)

    def _note(self, direction: Direction, payload: bytes, at: float) -> None:
        kept = payload[: self._space]
        self.full = self.full or len(kept) < len(payload)
        self._space -= len(kept)
        if kept:
            self._events.append(Burst(round(at * 1000), direction, kept))
