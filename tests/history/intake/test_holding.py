"""What is held while the clock is not believed: bounded, dated when it is, and what was lost is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smart_meter_reader.history.intake import holding
from smart_meter_reader.history.intake.holding import Held
from tests.history.homes import energy

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_of_too_many_the_oldest_are_lost_and_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "_MOST", 2)
    held = Held()
    for number in range(5):
        held.hold(energy(0, str(number)), 60.0 * number)
    assert (len(held), held.dropped) == (2, 3)
    messages, dropped = held.release(NOW, 250.0)
    assert [NOW - message["time"] for message in messages] == [timedelta(seconds=70), timedelta(seconds=10)]
    assert dropped == 3
    assert held.release(NOW, 260.0) == ([], 0)
