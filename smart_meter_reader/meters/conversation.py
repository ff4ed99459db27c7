"""What happened on the line of one polled meter, counted by its connections."""

from __future__ import annotations

from dataclasses import dataclass

from smart_meter_reader.messages import Health


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
