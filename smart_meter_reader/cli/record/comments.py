"""The comments in recordings, where the bytes do not speak for themselves."""

from __future__ import annotations

from collections.abc import Callable

from smart_meter_reader.drivers import imported
from smart_meter_reader.meters.registry import METERS, meter_driver
from smart_meter_reader.recordings.text import Burst


def comment_for(client: str) -> Callable[[Burst], str]:
    """The comments for recordings of a client; "": nobody knows which client."""
    path = meter_driver(client).comment if client in METERS else ""
    comment: Callable[[Burst], str] = imported(path) if path else _none
    return comment


def _none(burst: Burst) -> str:
    return ""
