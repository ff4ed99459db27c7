"""What waits for the broker, and what is on its way to it."""

from __future__ import annotations

import asyncio
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.outbox import Outbox
from smart_meter_reader.mqtt.ring import Ring


def message(number: int) -> MqttMessage:
    return MqttMessage("history", str(number), keep=True)


def text(item: MqttMessage) -> int:
    return int(item.payload)


@given(st.integers(1, 20), st.lists(st.sampled_from(["put", "take", "lose", "acknowledge"]), max_size=200))
def test_the_ring_delivers_in_order_and_counts_what_it_drops(size: int, steps: list[str]) -> None:
    """Taken messages are on their way: acknowledged, or given back when the connection is lost."""
    ring, on_the_way, delivered, numbers = Ring(size), list[MqttMessage](), list[int](), count()
    for step in steps:
        if step == "put":
            ring.append(message(next(numbers)))
        elif step == "take" and ring:
            on_the_way.append(ring.take())
        elif step == "acknowledge" and on_the_way:
            delivered.append(text(on_the_way.pop(0)))
        elif step == "lose":
            ring.give_back(on_the_way)
            on_the_way.clear()
        assert len(ring) <= size
    ring.give_back(on_the_way)
    while ring:
        delivered.append(text(ring.take()))
    assert delivered == sorted(set(delivered))
    assert len(delivered) + ring.dropped == next(numbers)


def test_a_busy_meter_does_not_drive_out_a_slow_one() -> None:
    ring = Ring(10)
    for number in range(100):
        ring.append(MqttMessage("busy", str(number), keep=True))
        if number in (0, 50):
            ring.append(MqttMessage("slow", str(number), keep=True))
    kept = [ring.take() for _ in range(len(ring))]
    assert [(each.topic, text(each)) for each in kept] == [
        ("slow", 0),
        ("slow", 50),
        *(("busy", number) for number in range(92, 100)),
    ]
    assert ring.dropped == 92


@given(st.integers(1, 5), st.lists(st.booleans(), max_size=100))
def test_the_outbox_keeps_order_and_window(window: int, steps: list[bool]) -> None:
    sent: list[int] = []

    def send(item: MqttMessage) -> int:
        sent.append(text(item))
        return text(item)

    outbox = Outbox(send)
    outbox.window = window
    acknowledged = 0
    for number, put in enumerate(steps):
        if put:
            outbox.put(message(number))
        elif len(sent) > acknowledged:
            taken = outbox.acknowledged(sent[acknowledged])
            assert taken is not None
            assert text(taken) == sent[acknowledged]
            assert outbox.acknowledged(sent[acknowledged]) is None
            acknowledged += 1
        assert len(sent) - acknowledged <= window
    while acknowledged < len(sent):
        outbox.acknowledged(sent[acknowledged])
        acknowledged += 1
    assert sent == [number for number, put in enumerate(steps) if put]
    assert not outbox
    assert outbox.stalled == 0


async def test_whoever_waits_for_an_empty_outbox_is_told() -> None:
    outbox = Outbox(text)
    await outbox.empty()
    outbox.put(message(1))
    waiting = asyncio.ensure_future(outbox.empty())
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.acknowledged(1)
    await waiting
    outbox.put(message(2))
    outbox.give_up()
    await outbox.empty()
    assert [text(item) for item in outbox.messages] == [2]
