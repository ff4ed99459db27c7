"""Turns for requests: a page at once, whoever asks without end one after the other, and who leaves none."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from smart_meter_reader.sinks.web.access import pace as pace_module
from smart_meter_reader.sinks.web.access.pace import MOST_AT_ONCE, MOST_WAITING, Pace
from tests.sinks.web.running import page, reading


async def asked(pace: Pace, count: int) -> list[asyncio.Task[bool]]:
    tasks = [asyncio.create_task(pace.turn()) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_a_page_is_answered_at_once_and_many_wait_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_module, "REQUESTS_A_SECOND", 1)
    pace = Pace()
    first = await asked(pace, MOST_AT_ONCE)
    assert all(task.done() for task in first)
    waiting = await asked(pace, MOST_WAITING)
    assert not any(task.done() for task in waiting)
    assert not await pace.turn()
    # Those who leave make room, and take nobody's turn.
    for task in waiting[1:]:
        task.cancel()
    await asyncio.wait(waiting[1:])
    assert await waiting[0]


async def test_what_nobody_has_time_for_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_module, "MOST_WAITING", 0)
    monkeypatch.setattr(pace_module, "REQUESTS_A_SECOND", 0.001)
    async with page(reading()) as running:
        for _ in range(MOST_AT_ONCE):
            assert (await running.get("/api/v1/now")).status == 200
        with pytest.raises(aiohttp.ClientError):
            await running.get("/health")
