"""One link and one connection against brokers that mean harm: what is bounded, what ends, what goes on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from socket import SO_RCVBUF, SO_SNDBUF, SOL_SOCKET
from typing import Any

import pytest

from smart_meter_reader.messages import Message
from smart_meter_reader.mqtt import connection as connection_module
from smart_meter_reader.mqtt.connection import Connection
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.message import Command, MqttMessage
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.mqtt.sockets import wire as wire_module
from smart_meter_reader.mqtt.sockets.incoming import LONGEST_PACKET, RECEIVE_MAXIMUM
from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.network.outages import Outages
from smart_meter_reader.rooms import Room
from tests.peers.hostile import Victim, broker, packet, repeating, sending, serving

FAULTS = [RecursionError, MemoryError, UnicodeError, ValueError, KeyError, AssertionError, SystemExit]


def at(port: int, **keys: Any) -> BrokerSettings:
    return BrokerSettings(**{"host": "127.0.0.1", "port": port, "protocol": "5", **keys})


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


async def keep_quiet(victim: Victim) -> None:
    """No attack."""


class Listener:
    """A presenter that subscribes to one topic and notes, or does worse with, what it gets."""

    will: MqttMessage | None = None

    def __init__(self, received: Callable[[str, bytes], bool]) -> None:
        self.subscriptions: tuple[str, ...] = ("t",)
        self.commands: Mapping[str, Command] = {}
        self.watched: tuple[str, ...] = ()
        self.announcements = 0
        self.fault: type[BaseException] | None = None
        self._received = received

    def present(self, message: Message) -> list[MqttMessage]:
        return []

    def announce(self) -> list[MqttMessage]:
        self.announcements += 1
        if self.fault:
            raise self.fault("on purpose")
        return [MqttMessage("state", str(self.announcements))]

    def farewell(self) -> list[MqttMessage]:
        return []

    def received(self, topic: str, payload: bytes) -> bool:
        return self._received(topic, payload)


async def connected_to(port: int, listener: Listener, watch: Callable[[Connection], Awaitable[None]]) -> None:
    """Run a connection while ``watch`` looks at it."""
    connection = Connection(
        "sink test",
        at(port),
        "tests",
        listener,
        10,
        outages=Outages(),
        turns=asyncio.Semaphore(8),
        room=Room("sink test"),
    )
    running = asyncio.ensure_future(connection.run())
    try:
        await watch(connection)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_the_broker_is_told_how_much_we_take() -> None:
    told: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, content = await Victim(reader, writer).request()
        told.append(content)
        writer.write(packet(0x20, b"\x00\x00\x00"))
        await reader.read()

    async with serving(talk) as port:
        link = Link(at(port), "tests", "5")
        await link.open()
        link.close()
    # MQTT 5.0, 3.1.2.11: name, level and flags take 10 bytes, then the properties.
    properties = told[0][11 : 11 + told[0][10]]
    assert b"\x21" + RECEIVE_MAXIMUM.to_bytes(2) in properties
    assert b"\x27" + LONGEST_PACKET.to_bytes(4) in properties


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_in_what_takes_messages_costs_the_message(
    fault: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    got: list[bytes] = []

    def received(topic: str, payload: bytes) -> bool:
        if payload == b"bad":
            raise fault("on purpose")
        got.append(payload)
        return False

    messages = repeating(lambda v, n: v.publish(b"t", b"bad" if n % 2 else b"good"), 200)
    async with serving(broker(messages)) as port:

        async def watch(connection: Connection) -> None:
            await until(lambda: len(got) == 100)
            assert connection.connected

        await connected_to(port, Listener(received), watch)
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert fault.__name__ in warnings[0].getMessage()
    assert "a message on t" in warnings[0].getMessage()


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_in_a_callback_ends_the_link_as_failed(fault: type[BaseException]) -> None:
    def fail(*_: object) -> None:
        raise fault("on purpose")

    async with serving(broker(sending(b"\xd0\x00"))) as port:
        link = Link(at(port), "tests", "5", on_acknowledged=fail)
        await link.open()
        link.publish(MqttMessage("a", "1"))
        await until(lambda: link.failure)
    assert link.failure
    assert link.failure.reason == "internal_error"
    assert isinstance(link.failure.__cause__, fault)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_in_what_is_announced_is_told_once_and_tried_again(
    fault: type[BaseException], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "BROKER_AWAY", Backoff(0.01, 0.01))
    listener = Listener(lambda topic, payload: False)
    listener.fault = fault
    async with serving(broker(keep_quiet)) as port:

        async def watch(connection: Connection) -> None:
            await until(lambda: listener.announcements >= 4)
            listener.fault = None
            await until(lambda: connection.connected)

        await connected_to(port, listener, watch)
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 2
    assert fault.__name__ in warnings[0].getMessage()
    assert "fault of this program" in warnings[1].getMessage()


async def test_a_flood_leaves_the_loop_to_others() -> None:
    """A megabyte of the shortest packets, of which 64 kB arrive at once."""
    async with serving(broker(repeating(lambda v, n: b"\xd0\x00", 500_000))) as port:
        link = Link(at(port), "tests", "5")
        await link.open()
        link.publish(MqttMessage("a", "1"))
        longest, before = 0.0, asyncio.get_running_loop().time()
        for _ in range(200):
            await asyncio.sleep(0)
            now = asyncio.get_running_loop().time()
            longest, before = max(longest, now - before), now
            await asyncio.sleep(0.001)
            before = asyncio.get_running_loop().time()
        assert link.failure is None
        # Working off one such piece at once takes a third of a second and more.
        assert longest < 0.25
        link.close()


async def test_a_broker_that_does_not_read_our_acknowledgements_is_not_read_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire_module, "MOST_UNSENT", 2000)
    monkeypatch.setattr(wire_module, "PAUSE_SECONDS", 0.001)
    got = 0

    def received(topic: str, payload: bytes, retained: bool) -> None:
        nonlocal got
        got += 1

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
        victim = Victim(reader, writer)
        await victim.let_in()
        await repeating(lambda v, n: v.publish(b"t", b"", identifier=n % 65535 + 1))(victim)

    async with serving(talk) as port:
        link = Link(at(port), "tests", "5", on_received=received)
        await link.open()
        socket = link._client.ready
        assert socket
        socket._raw.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096)  # type: ignore[attr-defined]
        before = -1
        while got != before:  # until every buffer between it and us is full
            before = got
            await asyncio.sleep(0.5)
        assert got > 500
        assert socket.unsent == 2004
        link.close()


async def test_whoever_asks_for_everything_again_and_again_does_not_get_it_as_often() -> None:
    listener = Listener(lambda topic, payload: True)
    async with serving(broker(repeating(lambda v, n: v.publish(b"t", b"online"), 10_000))) as port:

        async def watch(connection: Connection) -> None:
            await until(lambda: listener.announcements >= 2)
            await asyncio.sleep(1.0)

        await connected_to(port, listener, watch)
    # One at the connect, one at the first request; the next is due five seconds later.
    assert listener.announcements == 2


async def test_topics_and_texts_that_mqtt_cannot_carry() -> None:
    refusals: list[tuple[str, str]] = []

    def acknowledged(message: MqttMessage, refusal: str) -> None:
        refusals.append((message.topic, refusal))

    async with serving(broker(keep_quiet, subscribed=False)) as port:
        link = Link(at(port), "tests", "5", on_acknowledged=acknowledged)
        await link.open()
        for topic in ("a/+", "a/#", "a\0", "a\ud800", "", "x" * 70_000):
            link.publish(MqttMessage(topic, "1"))
        link.publish(MqttMessage("fine", "half a character: \ud800"))
        await until(lambda: len(refusals) == 7)
        assert link.failure is None
        link.close()
    assert [bool(refusal) for _, refusal in sorted(refusals)].count(False) == 1
    assert ("fine", "") in refusals
