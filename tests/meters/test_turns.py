"""Turns: few at a time, in order; under overload the newest telegram of each line, the rest counted."""

from __future__ import annotations

import asyncio
import logging

import pytest

from smart_meter_reader.codecs.p1.encode import encode_telegram
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.messages import Message
from smart_meter_reader.meters import turns
from smart_meter_reader.meters.p1.client import DsmrClient
from smart_meter_reader.meters.p1.emulated_telegrams import TEMPLATES
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.meters.turns import AT_A_TIME, Turns, taking_turns

MOST = 20


def telegram(number: int) -> bytes:
    body = TEMPLATES["dsmr-5"].replace(b"004426.215", f"{number:06}.000".encode())
    return encode_telegram(body)


def energies(messages: list[Message]) -> list[int]:
    return [
        int(message["measurements"]["active_energy_import_tariff_1"]["value"])
        for message in messages
        if message["type"] == "reading" and message["meter"] == "power"
    ]


async def test_all_have_their_turn_in_order_and_few_in_one_turn_of_the_loop() -> None:
    shared = Turns()
    passed: list[int] = []
    most_at_once = 0

    async def work(number: int) -> None:
        for _ in range(5):
            await shared.take()
            passed.append(number)
            await asyncio.sleep(0)  # as reading does

    tasks = [asyncio.create_task(work(number)) for number in range(100)]
    while not all(task.done() for task in tasks):
        before = len(passed)
        await asyncio.sleep(0)
        most_at_once = max(most_at_once, len(passed) - before)
    assert most_at_once <= 2 * AT_A_TIME, "those that were woken, and those that found room"
    for turn in range(5):
        assert sorted(passed[100 * turn : 100 * (turn + 1)]) == list(range(100)), "nobody twice before all"


async def test_whoever_is_cancelled_takes_no_turn_from_others() -> None:
    shared = Turns()
    waiting = [asyncio.create_task(shared.take()) for _ in range(3 * AT_A_TIME)]
    await asyncio.sleep(0)
    for task in waiting[AT_A_TIME:-1]:
        task.cancel()
    await waiting[-1]


async def test_who_is_behind_for_long_is_overloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Turns()
    monkeypatch.setattr(turns, "PATIENCE", 0.0)
    seen: list[bool] = []

    async def work() -> None:
        for _ in range(5):
            await shared.take()
            seen.append(shared.overloaded)

    async with asyncio.TaskGroup() as group:
        for _ in range(3 * AT_A_TIME):
            group.create_task(work())
    assert any(seen)
    for _ in range(3):
        await asyncio.sleep(0)
    assert not shared.overloaded, "nobody waits any more"


async def received(count: int) -> tuple[DsmrClient, list[Message]]:
    """A client and what it publishes of so many telegrams that lie ready when it comes to read."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"".join(map(telegram, range(count))))
        await reader.read()
        writer.close()

    messages: list[Message] = []
    last = asyncio.Event()

    async def publish(message: Message) -> None:
        messages.append(message)
        if count - 1 in energies([message]):
            last.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = DsmrClient("power", DsmrSettings(port=f"socket://127.0.0.1:{port}"))
        task = asyncio.create_task(client.run(publish))
        async with asyncio.timeout(20):
            await last.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return client, messages


async def test_what_waited_during_a_stall_is_read_whole() -> None:
    client, messages = await received(MOST)
    assert energies(messages) == list(range(MOST))
    assert "left_out" not in client.health


async def test_under_overload_the_newest_is_read_and_the_rest_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Turns, "overloaded", True)
    caplog.set_level(logging.WARNING)
    with taking_turns():
        client, messages = await received(MOST)
    read = energies(messages)
    assert read[-1] == MOST - 1
    assert client.health["left_out"] == MOST - len(read) > 0
    assert client.health["valid_readings"] == len(read)
    assert f"of the last {MOST}" in caplog.text


def test_the_reader_leaves_out_whole_telegrams_only() -> None:
    damaged = telegram(1).replace(b"000001", b"000002", 1)
    reader = P1Reader()
    reader.receive_data(telegram(0) + damaged + telegram(2) + telegram(3) + telegram(4)[:100])
    assert reader.leave_out_older() == 2
    with pytest.raises(FrameError):
        reader.next_telegram()
    newest = reader.next_telegram()
    assert newest is not None
    assert int(newest.measurements["active_energy_import_tariff_1"]["value"]) == 3
    reader.receive_data(telegram(4)[100:])
    assert reader.leave_out_older() == 0
    assert reader.next_telegram() is not None
