"""What an edge's event says is wrong: what a person can still mend, before what is lost already."""

from __future__ import annotations

import pytest

from smart_meter_reader.sinks.nats.edge_report import alert_of
from smart_meter_reader.spool.entries import SpoolState


@pytest.mark.parametrize(
    ("size", "age", "dropped", "full", "reason"),
    [
        (900, None, 0, False, ""),
        (900, 10, 3, False, "spool_dropped"),
        (900, 10, 3, True, "stream_full"),
        (901, 10, 3, False, "spool_nearly_full"),
        (900, 86400, 3, False, "spool_old"),
        (901, 86400, 3, True, "stream_full"),
    ],
)
def test_the_reason_of_an_alert(size: int, age: int | None, dropped: int, full: bool, reason: str) -> None:
    state = SpoolState(depth=1, waiting=1, sent=0, bytes=size, age_seconds=age, dropped=dropped)
    assert alert_of(state, 1000, full=full) == reason
