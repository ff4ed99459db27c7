"""The forms in which messages are told as JSON objects, by the sink `mqtt_json` and in fleets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smart_meter_reader.messages import Past, PastRow, Reading

# Topic or subject say which meter it is, and a header of the latter the lease.
_NOT_TOLD = frozenset({"type", "meter", "lease_revision"})


def nested(reading: Reading) -> dict[str, Any]:
    """{"time": ..., "measurements": {"power": {"value": 1.2, "unit": "kW"}}}."""
    return {key: value for key, value in reading.items() if key not in _NOT_TOLD}


def flat(reading: Reading) -> dict[str, Any]:
    """{"time": ..., "power": 1.2}."""
    told: dict[str, Any] = {"time": reading["time"]}
    if "measured_at" in reading:
        told["measured_at"] = reading["measured_at"]
    for key, measurement in reading["measurements"].items():
        told[key] = measurement["value"]
        if "measured_at" in measurement:
            told[f"{key}_measured_at"] = measurement["measured_at"]
    if "authentication" in reading:
        told["authentication"] = reading["authentication"]
    return told


def told_later(past: Past, row: PastRow, form: str) -> dict[str, Any]:
    """A row like a reading of that time, and with what tells it from one; ``form``: nested or flat."""
    reading: Reading = {
        "type": "reading",
        "meter": past["meter"],
        "time": row["measured_at"],
        "measurements": row["measurements"],
    }
    told = nested(reading) if form == "nested" else flat(reading)
    told["read_at"], told["logger"] = past["time"], past["logger"]
    if "log_id" in row:
        told["log_id"] = row["log_id"]
    return told


def without_address(message: Mapping[str, Any]) -> dict[str, Any]:
    """Of a status or an info: topic or subject say already what it is and of which meter."""
    return {key: value for key, value in message.items() if key not in ("type", "meter")}
