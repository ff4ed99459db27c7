"""The outbox: order, window, and when there is room."""

from __future__ import annotations

import asyncio
from collections import deque

from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.outbox import ROOM, Outbox


class Wire:
    """What was sent, oldest first, by packet identifier."""

    def __init__(self) -> None:
        self.sent: deque[int] = deque()
        self.texts: list[str | bytes] = []

    def send(self, message: MqttMessage) -> int:
        self.texts.append(message.payload)
        self.sent.append(len(self.texts))
        return len(self.texts)


async def test_whoever_waits_for_room_goes_on_when_the_line_is_short_again() -> None:
    wire = Wire()
    outbox = Outbox(wire.send)
    for number in range(outbox.window + ROOM):
        outbox.put(MqttMessage("a", str(number)))
        await outbox.room()
    outbox.put(MqttMessage("a", "one more"))
    waiting = asyncio.ensure_future(outbox.room())
    await asyncio.sleep(0)
    assert not waiting.done()

    outbox.acknowledged(wire.sent.popleft())
    await waiting
    while wire.sent:
        outbox.acknowledged(wire.sent.popleft())
    assert wire.texts == [*(str(number) for number in range(outbox.window + ROOM)), "one more"]
    assert len(outbox) == 0


async def test_nobody_waits_for_room_in_an_outbox_that_was_given_up() -> None:
    outbox = Outbox(Wire().send)
    for number in range(outbox.window + ROOM + 1):
        outbox.put(MqttMessage("a", str(number)))
    outbox.give_up()
    await outbox.room()
    assert len(outbox.messages) == outbox.window + ROOM + 1
