"""The hourly line about meters and sinks."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from smart_meter_reader.messages import Message
from smart_meter_reader.meters.dummy import DummyClient, DummySettings
from smart_meter_reader.pipeline.health_report import REPORT_SECONDS, meter_line, report_hourly, sink_line
from smart_meter_reader.pipeline.router import SinkQueue
from smart_meter_reader.pipeline.sink_supervisor import SinkSupervisor
from smart_meter_reader.pipeline.supervisor import MeterSupervisor
from smart_meter_reader.sinks.stdout import StdoutSettings, StdoutSink
from tests.peers.loop import FairLoop

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("read_before", "words"),
    [
        (timedelta(seconds=9.6), "the last 10s ago"),
        # The clock was put back since, as on a Pi without one.
        (timedelta(hours=-25), "the last 0s ago"),
    ],
)
def test_a_line_tells_the_age_of_the_last_reading(read_before: timedelta, words: str) -> None:
    line = meter_line("heat", "online", {"valid_readings": 3, "last_valid": NOW - read_before}, NOW)
    assert line == f"heat online, 3 readings, {words}"


def test_every_use_of_a_request_is_told() -> None:
    line = meter_line("heat", "online", {"valid_readings": 3, "read_now_used": 1, "read_now_refused": 9}, NOW)
    assert line == "heat online, 3 readings, 1 read on request, 9 requests refused"


async def test_what_this_program_did_wrong_is_told() -> None:
    line = meter_line("heat", "alert", {"left_out": 7, "internal_errors": 2}, NOW)
    assert line == "heat alert, 0 readings, 7 left out for want of time, 2 internal errors"
    assert sink_line(SinkQueue("homie", 10), 3) == "homie 0 messages, 3 internal errors"
    away = sink_line(SinkQueue("influxdb", 10), backlog=(120, 3660))
    assert away == "influxdb 0 messages, 120 kept, the oldest of 1h 1min ago"


async def test_an_hour_later_all_meters_and_sinks_stand_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    async def nobody(message: Message) -> None:
        raise AssertionError(message)

    client = DummyClient("heat", DummySettings())
    client.health |= {"valid_readings": 7, "rejected_values": 1}
    queue = SinkQueue("screen", 10)
    queue.put({"type": "info", "meter": "heat", "time": NOW})
    sinks = [SinkSupervisor(StdoutSink("screen", StdoutSettings()), queue)]
    reports = report_hourly([MeterSupervisor(client, nobody)], [queue], {"heat": 2}.__getitem__, sinks)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FairLoop)
    with caplog.at_level(logging.INFO):
        reporting = asyncio.create_task(reports)
        for hours in (1, 2):
            await asyncio.sleep(0)  # it falls asleep for an hour, which then is over
            loop.skip(REPORT_SECONDS)
            for _ in range(10):  # turns of the loop, of which it needs two or three
                await asyncio.sleep(0)
            assert len(caplog.messages) == hours
        reporting.cancel()
    assert caplog.messages == ["heat starting, 7 readings, 3 held back; screen 1 messages, 1 waiting"] * 2
