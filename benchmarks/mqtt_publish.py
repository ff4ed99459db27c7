"""CPU of publishing a reading as 22 topics at QoS 1: our link beside aiomqtt, on the same Mosquitto."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.measure import Measure, Row, alone, beside, cpu, in_turns, named, rival
from benchmarks.processes import mosquitto
from benchmarks.subscriber import Subscriber
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.settings import BrokerSettings

TOPICS = 22
PAYLOAD = '{{"time":"2026-11-21T01:32:36Z","value":227.445,"unit":"GJ","n":{}}}'


def rows(*, quick: bool) -> Iterator[Row]:
    """The cost per reading, and what did not arrive in order."""
    # aiomqtt warns of more than 10 publishes at once; writing that would count as its CPU.
    logging.disable(logging.WARNING)
    rounds, readings = (2, 5) if quick else (9, 200)
    modules = rival("aiomqtt", "aiomqtt")
    with mosquitto() as port, asyncio.Runner() as runner:
        theirs = their_side(runner, modules[0], port, readings) if modules else None
        sides = in_turns(rounds, our_side(runner, port, readings), theirs)
        yield beside(
            f"MQTT: {TOPICS} publishes at QoS 1",
            "µs",
            sides[0],
            named("aiomqtt") + ", gathered" if modules else "",
            sides[1],
            0.75,
        )
        yield alone(
            f"MQTT: lost or out of order of {TOPICS * readings}",
            "messages",
            [out_of_order(runner, port, readings)],
            0,
        )


def our_side(runner: asyncio.Runner, port: int, readings: int) -> Measure:
    async def connect() -> Link:
        link = Link(BrokerSettings(host="127.0.0.1", port=port), "ours", "3.1.1")
        await link.open()
        return link

    link = runner.run(connect())
    return cpu(lambda: runner.run(publish(link, readings)), unit=readings * 1e-6)


async def publish(link: Link, readings: int) -> None:
    for number in range(readings):
        text = PAYLOAD.format(number)
        for topic in range(TOPICS):
            link.publish(MqttMessage(f"bench/ours/{topic}", text, 1, retain=True))
        await link.drained()


def their_side(runner: asyncio.Runner, aiomqtt: Any, port: int, readings: int) -> Measure:
    async def connect() -> Any:
        client = aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V311)
        return await client.__aenter__()

    client = runner.run(connect())

    async def publish_gathered() -> None:
        for number in range(readings):
            text = PAYLOAD.format(number)
            await asyncio.gather(
                *(client.publish(f"bench/theirs/{topic}", text, 1, retain=True) for topic in range(TOPICS))
            )

    return cpu(lambda: runner.run(publish_gathered()), unit=readings * 1e-6)


def out_of_order(runner: asyncio.Runner, port: int, readings: int) -> int:
    """A run apart, since receiving in this process would count as its CPU."""
    wanted = [
        (f"bench/ours/{topic}", PAYLOAD.format(number))
        for number in range(readings)
        for topic in range(TOPICS)
    ]

    async def publish_once() -> None:
        link = Link(BrokerSettings(host="127.0.0.1", port=port), "once", "3.1.1")
        await link.open()
        await publish(link, readings)
        link.close()

    with Subscriber(port, "bench/#") as subscriber:
        runner.run(publish_once())
        until = time.monotonic() + 10
        while len(subscriber.arrived) < len(wanted) and time.monotonic() < until:
            time.sleep(0.05)
        arrived = [(each.topic, each.payload.decode()) for each in subscriber.arrived]
    return differences(wanted, arrived)


def differences(wanted: Sequence[object], arrived: Sequence[object]) -> int:
    """How many places of the two differ."""
    return sum(mine != other for mine, other in zip(wanted, arrived, strict=False)) + abs(
        len(wanted) - len(arrived)
    )
