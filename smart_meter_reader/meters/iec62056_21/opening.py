"""The line to an IEC 62056-21 meter as its settings want it."""

from __future__ import annotations

from smart_meter_reader.meters.conversation import LineCounters
from smart_meter_reader.meters.iec62056_21.line import LineTiming
from smart_meter_reader.meters.iec62056_21.log.line import LoggerLine
from smart_meter_reader.meters.iec62056_21.settings import LANDIS_GYR, Iec62056_21Settings

_WAKE_UPS = {"auto": b"", "none": b"", "nul": b"\x00", "0x55": b"\x55"}


def line_of(settings: Iec62056_21Settings, counters: LineCounters) -> LoggerLine:
    """The line, not open yet."""
    wakes_itself = settings.wake_up == "auto" and settings.model in LANDIS_GYR
    return LoggerLine(
        settings.port,
        settings.line,
        timing=LineTiming.repeating_after(settings.repeat_after.total_seconds()),
        retries=settings.retries,
        wake_up=b"\x00" if wakes_itself else _WAKE_UPS[settings.wake_up],
        wakes_when_silent=settings.wake_up == "auto",
        address=settings.address,
        assumed=settings.assumed_units,
        counters=counters,
    )
