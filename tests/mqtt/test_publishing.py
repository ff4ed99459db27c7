"""What becomes of each message that a link publishes, whatever the broker answers."""

from __future__ import annotations

import pytest

from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.paho import refusal_reason
from smart_meter_reader.mqtt.publishing import Publishing
from smart_meter_reader.mqtt.sockets.buffered_socket import MOST_UNSENT, BufferedSocket
from smart_meter_reader.mqtt.sockets.incoming import Acknowledgements, Unreleased
from tests.mqtt.test_hostile_broker import at, keep_quiet, until
from tests.peers.hostile import broker, serving


class Raw:
    """A socket whose other end reads nothing."""

    def recv(self, length: int, /) -> bytes:
        raise BlockingIOError

    def send(self, content: bytes | bytearray, /) -> int:
        raise BlockingIOError

    def close(self) -> None: ...

    def fileno(self) -> int:
        return -1

    def setblocking(self, flag: bool, /) -> None: ...


class Told:
    """What was said of each message, in order."""

    def __init__(self) -> None:
        self.refusals: list[tuple[str, str]] = []

    def acknowledged(self, message: MqttMessage, why: str) -> None:
        self.refusals.append((message.topic, why))


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (0x00, ""),
        (0x10, ""),  # nobody has subscribed to it
        (0x87, "Not authorized"),
        (0x97, "Quota exceeded"),
        (0x9F, "reason code 9Fh"),  # of CONNACK
        (0xFF, "reason code FFh"),
    ],
)
def test_why_a_message_is_refused(code: int, why: str) -> None:
    assert refusal_reason(code) == why


async def test_each_is_told_once_and_what_nobody_has_sent_not_at_all() -> None:
    told, sent = Told(), list[bytes]()
    publishing = Publishing("5", sent.append, told.acknowledged)
    for topic in "abc":
        publishing.outbox.put(MqttMessage(topic, "x"))
    first = int.from_bytes(sent[0][5:7])
    assert publishing.answered(Acknowledgements(((first, 0), (first, 0), (7, 0), (first + 2, 0x87))))
    assert told.refusals == [("a", ""), ("c", "Not authorized")]
    assert not publishing.answered(Acknowledgements(((first, 0),)))
    assert publishing.answered(Acknowledgements(((first + 1, 0x10),)))
    assert told.refusals == [("a", ""), ("c", "Not authorized"), ("b", "")]


async def test_at_qos_2_a_message_is_released_and_then_taken() -> None:
    told, sent = Told(), list[bytes]()
    publishing = Publishing("3.1.1", sent.append, told.acknowledged)
    publishing.outbox.put(MqttMessage("a", "x", 2))
    identifier = int.from_bytes(sent[0][5:7])
    publishing.answered(Unreleased(identifier))
    publishing.answered(Unreleased(identifier - 1))  # of none of ours
    assert sent[1:] == [b"\x62\x02" + identifier.to_bytes(2)]
    assert told.refusals == []
    publishing.answered(Acknowledgements(((identifier, 0),)))
    assert told.refusals == [("a", "")]


async def test_what_is_never_answered_waits_for_a_broker_that_does_not_read() -> None:
    told, socket = Told(), BufferedSocket(Raw())
    publishing = Publishing("5", socket.put, told.acknowledged)
    for number in range(1000):
        publishing.outbox.put(MqttMessage(str(number), bytes(1000), 0))
    assert publishing.settle(socket)
    assert MOST_UNSENT < socket.unsent <= MOST_UNSENT + 1100
    assert 0 < len(told.refusals) < 1000


async def test_who_publishes_the_next_when_one_is_delivered_may_do_so_for_ever() -> None:
    """A history of thousands, for a broker that takes one message at a time, and QoS 0 only."""
    delivered = 0

    def acknowledged(message: MqttMessage, why: str) -> None:
        nonlocal delivered
        delivered += 1
        if delivered < 5000:
            link.publish(MqttMessage("history", str(delivered), 0))

    # MQTT 5.0, 3.2.2.3.3: receive maximum
    talk = broker(keep_quiet, properties=b"\x03\x21\x00\x01", subscribed=False)
    async with serving(talk) as port:
        link = Link(at(port), "tests", "5", on_acknowledged=acknowledged)
        await link.open()
        assert link.outbox.window == 1
        link.publish_all([MqttMessage("history", "first", 0), MqttMessage("history", "second", 0)])
        await until(lambda: delivered >= 5000)
        assert link.failure is None
        link.close()
