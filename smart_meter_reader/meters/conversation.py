"""What the conversations with polled meters share: the open line, its counts, what counts as no answer."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from smart_meter_reader.exceptions import (
    MeterSilentError,
    TransportError,
    UnusableAnswersError,
)
from smart_meter_reader.messages import Health
from smart_meter_reader.transport import LineSettings, Transport, open_transport

UNANSWERED = (MeterSilentError, UnusableAnswersError)
"""How a request ends that the meter does not know."""

_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class LineCounters:
    """Counts since the start, shared by all connections to one meter."""

    requests: int = 0
    retries: int = 0
    damaged_frames: int = 0
    late_answers: int = 0  # to another request than the last one, or of another reader
    skipped_bytes: int = 0
    wake_ups: int = 0
    latency: float = 0.0  # seconds from the last request to its complete answer
    doing: str = ""  # in words for a person who waits: waking the meter, waiting for the answer to ...

    def tell(self, health: Health) -> None:
        """Bring the meter's health up to date."""
        health["damaged_frames"] = self.damaged_frames
        health["retries"] = self.retries
        if self.late_answers:
            health["late_answers"] = self.late_answers
        if self.skipped_bytes:
            health["skipped_bytes"] = self.skipped_bytes
        health["latency_ms"] = round(self.latency * 1000)


class Conversation:
    """One open line to one meter. Requests follow one another; a line is not shared between tasks."""

    def __init__(self, port: str, line: LineSettings, retries: int, counters: LineCounters | None) -> None:
        self.port = port
        self.counters = counters if counters is not None else LineCounters()
        self._line = line
        self._retries = retries
        self._transport: Transport | None = None

    async def __aenter__(self) -> Self:
        """Open the port. Raises TransportError."""
        self._transport = await open_transport(self.port, self._line)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._transport is not None:
            await self._transport.close()
            self._transport = None

    async def listen_idle(self) -> None:
        """Discard what arrives between polls, for ever. Raises TransportError when the port goes."""
        while True:
            received = await self._open().read()
            self.counters.skipped_bytes += len(received)

    def _open(self) -> Transport:
        if self._transport is None:
            raise TransportError(
                "closed", f"{self.port} is not open: use `async with {type(self).__name__}(...)`"
            )
        return self._transport


async def unless_unanswered(request: Awaitable[_Answer]) -> _Answer | None:
    """The answer; None when the meter leaves the request without a usable one."""
    try:
        return await request
    except UNANSWERED:
        return None
