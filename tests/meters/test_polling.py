"""When a polled meter takes a request for a reading, and when it refuses: the times alone, without a line."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from smart_meter_reader.meters import polling
from smart_meter_reader.meters.poll_plan import Group
from smart_meter_reader.meters.polling import BATTERY_DISTANCE, PollTimes
from smart_meter_reader.settings.schedule import Schedule

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def times(*intervals: str, distance: timedelta = BATTERY_DISTANCE) -> PollTimes:
    """Of a meter whose groups have all been read a second ago, with a register each: 0, 1, ..."""
    polled = PollTimes([Group((number,), Schedule.parse(text)) for number, text in enumerate(intervals)])
    polled.spacing.least = distance
    polled.registers_due(START - SECOND)
    polled.mark_read(START - SECOND)
    return polled


def test_a_request_makes_the_first_group_due() -> None:
    polled = times("1h", "1d")
    assert polled.registers_due(START) == []
    assert polled.request(START).taken
    assert polled.registers_due(START) == [0]
    polled.mark_read(START)
    assert polled.registers_due(START + MINUTE) == []


def test_one_within_the_distance_is_refused_and_told_when_it_is_possible() -> None:
    polled = times("1h")
    assert polled.request(START).taken
    polled.registers_due(START)
    polled.mark_read(START + SECOND)
    refused = polled.request(START + 2 * SECOND)
    assert (refused.taken, refused.reason) == (False, "read_too_soon")
    assert refused.possible_at == START + BATTERY_DISTANCE
    assert "12:05:00 UTC" in refused.detail
    assert polled.registers_due(START + 2 * SECOND) == []
    assert polled.request(START + BATTERY_DISTANCE).taken


def test_without_a_distance_one_waits_at_most() -> None:
    polled = times("1h", distance=timedelta(0))
    answers = [polled.request(START) for _ in range(10_000)]
    assert [answer.taken for answer in answers] == [True] + [False] * 9_999
    assert {answer.reason for answer in answers[1:]} == {"under_way"}
    polled.registers_due(START)
    polled.mark_read(START)
    assert polled.registers_due(START + SECOND) == []
    assert polled.request(START + SECOND).taken


def test_a_reading_under_way_answers_a_request() -> None:
    polled = times("1h")
    now = START + timedelta(hours=1)
    assert polled.registers_due(now) == [0]
    assert polled.request(now).taken
    polled.mark_read(now)
    assert polled.registers_due(now + SECOND) == []


def test_a_reading_of_other_registers_does_not_answer_it() -> None:
    polled = times("1h", "30min")
    now = START + 30 * MINUTE
    assert polled.registers_due(now) == [1]
    assert polled.request(now).taken
    polled.mark_read(now)
    assert polled.registers_due(now + SECOND) == [0]


def test_a_request_does_not_outlive_the_connection_it_failed_with() -> None:
    polled = times("1h")
    assert polled.request(START).taken
    polled.prove_soon()
    assert polled.registers_due(START + SECOND) == []
    refused = polled.request(START + SECOND)
    assert refused.reason == "read_too_soon", "an outage must not do away with the distance"


def test_a_doubt_is_no_request_and_keeps_no_distance() -> None:
    polled = times("1h")
    for second in range(3):
        now = START + second * SECOND
        polled.read_now()
        assert polled.doubted
        assert polled.registers_due(now) == [0]
        polled.mark_read(now)
        assert not polled.doubted
    assert polled.request(START + MINUTE).taken
    assert not polled.doubted


def test_another_schedule_holds_from_the_next_reading_on() -> None:
    polled = times("1h")
    polled.follow([Group((7,), Schedule.parse("1d"))])
    now = datetime.now(UTC)
    assert polled.registers_due(now) == [7]
    polled.mark_read(now)
    assert polled.registers_due(now + timedelta(hours=2)) == []
    assert polled.registers_due(now + timedelta(days=1)) == [7]
    assert polled.shortest_period == timedelta(days=1)


async def test_a_request_in_the_very_moment_in_which_the_wait_ends_is_taken() -> None:
    polled = PollTimes([Group((0,), Schedule.parse("1h"))])
    now = datetime.now(UTC)
    polled.registers_due(now)
    polled.mark_read(now)
    ends = asyncio.Event()

    async def meanwhile() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            # The time is up, and whoever waited has not yet heard of it.
            assert polled.request(datetime.now(UTC)).taken
            ends.set()
            raise

    with patch.object(polling, "_LOOK_AT_CLOCK", 0.01):
        await polled.wait_until_due(meanwhile)
    assert ends.is_set()
