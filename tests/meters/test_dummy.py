"""The client `dummy`: deterministic, seedable, every kind of quantity, totals that never fall."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

from smart_meter_reader.messages import Message
from smart_meter_reader.meters.dummy import DummyClient, DummySettings
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.quantities.measurement import Value


async def taken(seed: int, count: int) -> list[Message]:
    messages: list[Message] = []

    async def publish(message: Message) -> None:
        messages.append(message)

    settings = DummySettings(interval=timedelta(milliseconds=1), seed=seed, count=count)
    await DummyClient("dummy", settings).run(publish)
    return messages


def values(messages: list[Message]) -> list[dict[str, tuple[Value, str]]]:
    return [
        {key: (m["value"], m["unit"]) for key, m in message["measurements"].items()}
        for message in messages
        if message["type"] == "reading"
    ]


async def test_the_same_seed_gives_the_same_values_and_another_others() -> None:
    first, again, other = [values(await taken(seed, 5)) for seed in (1, 1, 2)]
    assert first == again
    assert first != other


async def test_info_comes_first_and_every_kind_of_quantity_is_there() -> None:
    messages = await taken(0, 1)
    assert messages[0]["type"] == "info"
    kinds = {QUANTITIES[key].kind for key in values(messages)[0]}
    assert kinds == {quantity.kind for quantity in QUANTITIES.values()}


async def test_totals_never_fall() -> None:
    totals: dict[str, list[Decimal]] = defaultdict(list)
    for reading in values(await taken(3, 50)):
        for key, (value, _) in reading.items():
            if QUANTITIES[key].cumulative:
                assert isinstance(value, Decimal)
                totals[key].append(value)
    assert totals
    for series in totals.values():
        assert series == sorted(series)
        assert series[0] < series[-1]


async def test_read_now_does_not_wait_for_the_interval() -> None:
    client = DummyClient("dummy", DummySettings(interval=timedelta(hours=1)))
    arrived: asyncio.Queue[Message] = asyncio.Queue()
    task = asyncio.ensure_future(client.run(arrived.put))
    async with asyncio.timeout(5):
        assert (await arrived.get())["type"] == "info"
        assert (await arrived.get())["type"] == "reading"
        client.read_now()
        assert (await arrived.get())["type"] == "reading"
    task.cancel()
