"""What the conversations with polled meters share: counts of the line, and what counts as no answer."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from smart_meter_reader.exceptions import ExplainedError
from smart_meter_reader.messages import Health

UNANSWERED = frozenset({"no_echo_no_answer", "echo_only", "damaged_answers", "strange_answers"})
"""How a request ends that the meter does not know: the reasons of its error."""

_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class LineCounters:
    """Counts since the start, shared by all connections to one meter."""

    requests: int = 0
    retries: int = 0
    damaged_frames: int = 0
    late_answers: int = 0
    skipped_bytes: int = 0
    wake_ups: int = 0
    latency: float = 0.0  # seconds from the last request to its complete answer

    def tell(self, health: Health) -> None:
        """Bring the meter's health up to date."""
        health["damaged_frames"] = self.damaged_frames
        health["retries"] = self.retries
        health["latency_ms"] = round(self.latency * 1000)


async def unless_unanswered(request: Awaitable[_Answer]) -> _Answer | None:
    """The answer; None when the meter leaves the request without a usable one."""
    try:
        return await request
    except ExplainedError as error:
        if error.reason not in UNANSWERED:
            raise
        return None
