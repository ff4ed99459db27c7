"""What sinks say in the same words: the name of a meter, what is counted about its line, and times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from smart_meter_reader.messages import Status


@dataclass(frozen=True, slots=True)
class Count:
    """One count of a meter's line health. ``total``: it only grows, until the service starts again."""

    name: str
    total: bool = True
    unit: str = ""


# By key of ``messages.Health``; what is missing here (a time) is no count.
HEALTH: Mapping[str, Count] = MappingProxyType(
    {
        "valid_readings": Count("Valid readings"),
        "damaged_frames": Count("Damaged frames"),
        "retries": Count("Retries"),
        "late_answers": Count("Late answers"),
        "skipped_bytes": Count("Skipped bytes"),
        "rejected_values": Count("Rejected values"),
        "reconnects": Count("Reconnects"),
        "left_out": Count("Telegrams left out"),
        "internal_errors": Count("Internal errors"),
        "latency_ms": Count("Latency", total=False, unit="ms"),
        "requests_24h": Count("Requests in 24 hours", total=False),
        "wake_ups_24h": Count("Wake-ups in 24 hours", total=False),
        "read_now_used": Count("Readings on request"),
        "read_now_refused": Count("Requests refused"),
        "logger_rows": Count("Logger entries read back"),
        "logger_rows_missing": Count("Logger entries to be read", total=False),
        "clock_drift": Count("Clock drift", total=False, unit="s"),
    }
)


def counted(status: Status) -> Iterator[tuple[str, Count, int]]:
    """What a status tells of the line: key, what it is, how many."""
    for key, count in status.get("health", {}).items():
        if key in HEALTH and isinstance(count, int):
            yield key, HEALTH[key], count


def meter_title(meter: str) -> str:
    """'heat' becomes "Heat meter", 'p1-gas' becomes "P1 gas meter", 'water-meter' stays "Water meter"."""
    words = " ".join(meter.replace("-", " ").split())
    title = words[:1].upper() + words[1:]
    return title if title.lower().endswith("meter") else f"{title} meter"


def utc_text(time: datetime) -> str:
    """A time in UTC, to the second, with ``Z``."""
    return time.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"
