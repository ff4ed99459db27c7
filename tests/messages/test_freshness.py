"""When readings of a meter count as fresh."""

from __future__ import annotations

import pytest

from smart_meter_reader.messages import STANDBY
from smart_meter_reader.messages.freshness import freshness, health_of


@pytest.mark.parametrize(
    ("state", "age", "interval", "fresh"),
    [
        ("online", 60, 10, True),
        ("online", 61, 10, False),
        ("online", 300, 0, True),  # of a meter that does not say how often it is read
        ("online", 301, 0, False),
        ("alert", 0, 10, True),  # it has something to tell, and is read
        ("offline", 0, 10, False),
        ("online", None, 10, False),
    ],
)
def test_two_readings_may_be_missed_and_the_third_late(
    state: str, age: int | None, interval: int, fresh: bool
) -> None:
    assert freshness(state, "", age, interval).fresh is fresh


def test_one_that_another_machine_reads_is_not_missed_here() -> None:
    assert freshness("offline", STANDBY, None, 10).fresh
    assert not freshness("offline", "lease_lost", 5, 10).fresh


def test_one_that_is_not_makes_all_of_it_not() -> None:
    found = {"heat": freshness("offline", "silence", 9, 1), "p1": freshness("online", "", 1, 1)}
    fresh, told = health_of(found)
    assert not fresh
    assert told["not_fresh"] == ["heat"]
    assert told["meters"]["heat"] == {
        "fresh": False,
        "state": "offline",
        "reason": "silence",
        "age_seconds": 9,
    }
