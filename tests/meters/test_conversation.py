"""What a line with a polled meter counts is told in the meter's health."""

from __future__ import annotations

from smart_meter_reader.messages import Health
from smart_meter_reader.meters.conversation import LineCounters


def test_whatever_was_heard_beside_the_answers_is_told() -> None:
    health: Health = {}
    LineCounters(damaged_frames=1, retries=2, latency=0.25).tell(health)
    assert health == {"damaged_frames": 1, "retries": 2, "latency_ms": 250}
    LineCounters(late_answers=3, skipped_bytes=40).tell(health)
    assert (health["late_answers"], health["skipped_bytes"]) == (3, 40)
