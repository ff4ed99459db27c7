"""Whether readings of meters still come: one answer for the page, metrics, containers and commands. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smart_meter_reader.messages import STANDBY

# Of a meter that does not say how often it is read.
_UNKNOWN_INTERVAL = 300


@dataclass(frozen=True, slots=True)
class Freshness:
    """Whether readings of a meter still come, and its status. ``age_seconds`` is None before the first."""

    fresh: bool
    state: str
    age_seconds: int | None
    reason: str = ""


def freshness(state: str, reason: str, age: int | None, interval: int) -> Freshness:
    """Of a meter whose last reading is ``age`` seconds old; ``interval``: in seconds, 0 if unknown."""
    # One that another machine reads is not missed here.
    fresh = reason == STANDBY or (age is not None and age <= stays_fresh(interval) and state != "offline")
    return Freshness(fresh, state, age, reason)


def stays_fresh(interval: int) -> int:
    """After how many seconds without a reading the last one is nothing to go by any more."""
    return expire_after(interval) if interval else _UNKNOWN_INTERVAL


def expire_after(interval: int) -> int:
    """After how many seconds without a reading the values of a meter that is read so often count no more.

    Two missed readings and the third late; whole minutes, so that a measured interval does not flutter.
    """
    return -(-(3 * interval + 30) // 60) * 60


def health_of(meters: Mapping[str, Freshness]) -> tuple[bool, dict[str, Any]]:
    """Whether all are fresh, and of each whether it is, its state and the age of its reading in seconds."""
    stale = [name for name, each in meters.items() if not each.fresh]
    return not stale, {
        "fresh": not stale,
        "not_fresh": stale,
        "meters": {
            name: {
                "fresh": each.fresh,
                "state": each.state,
                "reason": each.reason,
                "age_seconds": each.age_seconds,
            }
            for name, each in meters.items()
        },
    }
