"""The line that says once an hour that all is well, or what is not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from smart_meter_reader.messages import Health
from smart_meter_reader.pipeline.router import SinkQueue
from smart_meter_reader.pipeline.sink_supervisor import SinkSupervisor
from smart_meter_reader.pipeline.supervisor import MeterSupervisor
from smart_meter_reader.settings.durations import format_duration

_log = logging.getLogger(__name__)

REPORT_SECONDS = 3600.0


async def report_hourly(
    meters: Iterable[MeterSupervisor],
    queues: Iterable[SinkQueue],
    rejected: Callable[[str], int],
    sinks: Iterable[SinkSupervisor] = (),
) -> None:
    """Log one line an hour, for ever; ``rejected`` says how many values of a meter the guard held back."""
    while True:
        await asyncio.sleep(REPORT_SECONDS)
        now = datetime.now(UTC)
        parts = [
            meter_line(meter.meter, meter.state, _with_rejected(meter, rejected(meter.meter)), now)
            for meter in meters
        ]
        failed = {each.sink.name: each.internal_errors for each in sinks}
        backlogs = {each.sink.name: each.sink.backlog for each in sinks}
        parts += [
            sink_line(queue, failed.get(queue.sink, 0), backlogs.get(queue.sink, (0, 0))) for queue in queues
        ]
        _log.info("%s", "; ".join(parts))


def _with_rejected(meter: MeterSupervisor, rejected: int) -> Health:
    """The client's counters with the guard's rejections, as the statuses have them."""
    health = meter.client.health
    return {**health, "rejected_values": health.get("rejected_values", 0) + rejected}


def meter_line(meter: str, state: str, health: Health, now: datetime) -> str:
    """One meter in words: state, readings, age of the last one, and what went wrong, if anything did."""
    words = [f"{meter} {state}, {health.get('valid_readings', 0)} readings"]
    if (last := health.get("last_valid")) is not None:
        # To the second: nobody wants the microseconds of an age. The clock may have been put back since.
        age = timedelta(seconds=max(0, round((now - last).total_seconds())))
        words.append(f"the last {format_duration(age)} ago")
    for count, what in (
        (health.get("damaged_frames", 0), "damaged"),
        (health.get("retries", 0), "retried"),
        (health.get("late_answers", 0), "answers late"),
        (health.get("skipped_bytes", 0), "bytes skipped"),
        (health.get("rejected_values", 0), "held back"),
        (health.get("reconnects", 0), "reconnects"),
        (health.get("left_out", 0), "left out for want of time"),
        (health.get("read_now_used", 0), "read on request"),
        (health.get("read_now_refused", 0), "requests refused"),
        (health.get("internal_errors", 0), "internal errors"),
    ):
        if count:
            words.append(f"{count} {what}")
    return ", ".join(words)


def sink_line(queue: SinkQueue, internal_errors: int = 0, backlog: tuple[int, int] = (0, 0)) -> str:
    """One sink in words: messages taken, waiting and dropped, and how often this program failed in it.

    ``backlog``: entries that it keeps for a destination that is away, and the age of the oldest in seconds.
    """
    words = [f"{queue.sink} {queue.accepted} messages"]
    if len(queue):
        words.append(f"{len(queue)} waiting")
    if backlog[0]:
        words.append(f"{backlog[0]} kept, the oldest of {format_duration(timedelta(seconds=backlog[1]))} ago")
    if queue.dropped:
        words.append(f"{queue.dropped} dropped")
    if internal_errors:
        words.append(f"{internal_errors} internal errors")
    return ", ".join(words)
