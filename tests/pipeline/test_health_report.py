"""The hourly line about a meter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smart_meter_reader.pipeline.health_report import meter_line, sink_line
from smart_meter_reader.pipeline.router import SinkQueue

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("read_before", "words"),
    [
        (timedelta(seconds=9.6), "the last 10s ago"),
        # The clock was put back since, as on a Pi without one.
        (timedelta(hours=-25), "the last 0s ago"),
    ],
)
def test_a_line_tells_the_age_of_the_last_reading(read_before: timedelta, words: str) -> None:
    line = meter_line("heat", "online", {"valid_readings": 3, "last_valid": NOW - read_before}, NOW)
    assert line == f"heat online, 3 readings, {words}"


async def test_what_this_program_did_wrong_is_told() -> None:
    line = meter_line("heat", "alert", {"left_out": 7, "internal_errors": 2}, NOW)
    assert line == "heat alert, 0 readings, 7 left out for want of time, 2 internal errors"
    assert sink_line(SinkQueue("homie", 10), 3) == "homie 0 messages, 3 internal errors"
