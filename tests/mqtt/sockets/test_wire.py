"""The wire to a broker: who answers is read at once, who sends unasked for a slice of time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from smart_meter_reader.mqtt.sockets import wire
from smart_meter_reader.mqtt.sockets.buffered_socket import BufferedSocket
from smart_meter_reader.mqtt.sockets.incoming import Incoming, Packet, Publication

CONNACK = b"\x20\x02\x00\x00"
PUBACKS = [b"\x40\x02" + number.to_bytes(2) for number in range(1, 20)]
MESSAGE = b"\x30\x04\x00\x01ax"


@contextmanager
def wired(taken: list[Packet]) -> Iterator[tuple[wire.Wire, socket.socket]]:
    """A wire whose packets go to ``taken``, and the broker's end of it."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)

    def take(packet: Packet) -> bool:
        taken.append(packet)
        return not isinstance(packet, Publication)

    def fail(error: BaseException) -> None:
        raise error

    made = wire.Wire(
        BufferedSocket(ours),
        Incoming(mqtt_5=False),
        on_packet=take,
        gather=lambda: False,
        on_end=lambda: None,
        on_error=fail,
    )
    try:
        yield made, theirs
    finally:
        made.close()
        theirs.close()


async def test_a_busy_machine_does_not_make_a_broker_rest_that_only_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each look at the clock finds the time over, as where many others compute."""
    monkeypatch.setattr(wire, "SLICE_SECONDS", -1.0)
    taken: list[Packet] = []
    with wired(taken) as (made, broker):
        broker.sendall(CONNACK)
        made.read()
        for acknowledgement in PUBACKS:
            broker.sendall(acknowledgement)
            made.read()
        assert len(taken) == 1 + len(PUBACKS)


async def test_a_broker_that_sends_unasked_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "SLICE_SECONDS", -1.0)
    taken: list[Packet] = []
    with wired(taken) as (made, broker):
        broker.sendall(CONNACK + 5 * MESSAGE)
        made.read()
        made.read()
        assert len(taken) == 2
        async with asyncio.timeout(30):
            while len(taken) < 6:
                await asyncio.sleep(0.001)
