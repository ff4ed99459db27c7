"""What the guard adds to a meter's status: its counter, and what it holds back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smart_meter_reader.messages import Status
from smart_meter_reader.text import printable


def own_status(meter: str, upstream: Status | None, now: datetime, reason: str) -> Status:
    """A status of the guard's own: as others told the state last (``upstream``); online with ``reason``."""
    if upstream is not None and upstream["state"] != "online":
        return {**upstream, "time": now}
    if upstream is not None:
        return {**upstream, "time": now, "reason": reason}
    return {
        "type": "status",
        "meter": meter,
        "time": now,
        "state": "online",
        "reason": reason,
        "detail": "readings arrive",
    }


def amended(status: Status, sentences: Sequence[str], rejected: int, doubts: Sequence[str]) -> Status:
    """A status with how many values were ``rejected``, and with its reason while there are ``doubts``."""
    told: Status = {**status}
    if rejected:
        health = status.get("health", {})
        counted = health.get("rejected_values", 0) + rejected  # a client may reject values too
        told["health"] = {**health, "rejected_values": counted}
    if doubts and status["state"] == "online":
        # Not an alert: the meter is read, and what is published of it is right.
        told["reason"], told["detail"] = "implausible_value", ""
        sentences = [*sentences, *doubts]
    if sentences:
        told["detail"] = printable("; ".join(filter(None, [told["detail"], *sentences])))
    return told
