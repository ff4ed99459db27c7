"""CPU of 22 publishes at QoS 1, as one reading makes them: our link beside aiomqtt, on the same Mosquitto.

Usage: python benchmarks/mqtt_publish.py [readings]. Needs mosquitto and aiomqtt. Exit code 1 when ours takes
more than 0.75 of the CPU of aiomqtt, or when a message did not arrive, or out of order.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median

import aiomqtt
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt_settings import BrokerSettings

TOPICS = 22
ROUNDS = 5
MOST = 0.75
PAYLOAD = '{{"time":"2026-11-21T01:32:36Z","value":227.445,"unit":"GJ","n":{}}}'

PublishReading = Callable[[int], Awaitable[None]]


class Arrivals:
    """What the broker passes on, as a subscriber with a thread of its own gets it."""

    def __init__(self, port: int) -> None:
        self.texts: list[str] = []
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("bench/#", 1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _client, _userdata, message: self.texts.append(
            f"{message.topic} {message.payload.decode()}"
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def expected(who: str, readings: int) -> list[str]:
    return [f"bench/{who}/{t} {PAYLOAD.format(n)}" for n in range(readings) for t in range(TOPICS)]


async def measure(publish: PublishReading, first: int, readings: int) -> float:
    """Seconds of CPU of this process per reading."""
    start = time.process_time()
    for number in range(first, first + readings):
        await publish(number)
    return (time.process_time() - start) / readings


async def compare(port: int, readings: int) -> tuple[list[float], list[float]]:
    """Both publish in turns, so that whatever else the machine does meets both alike."""
    # aiomqtt warns of more than 10 publishes at once; writing that would count as its CPU.
    logging.getLogger("mqtt").setLevel(logging.ERROR)
    link = Link(BrokerSettings(host="127.0.0.1", port=port), "ours", "3.1.1")
    await link.open()

    async def ours(number: int) -> None:
        text = PAYLOAD.format(number)
        for topic in range(TOPICS):
            link.publish(MqttMessage(f"bench/ours/{topic}", text, 1, retain=True))
        await link.drained()

    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V311) as client:

        async def theirs(number: int) -> None:
            text = PAYLOAD.format(number)
            await asyncio.gather(
                *(client.publish(f"bench/theirs/{topic}", text, 1, retain=True) for topic in range(TOPICS))
            )

        mine, others = [], []
        for turn in range(ROUNDS):
            mine.append(await measure(ours, turn * readings, readings))
            others.append(await measure(theirs, turn * readings, readings))
    link.close()
    return mine, others


def check_arrivals(port: int, readings: int) -> bool:
    """A run apart, since receiving in this process would count as its CPU."""
    arrivals = Arrivals(port)

    async def publish_all() -> None:
        link = Link(BrokerSettings(host="127.0.0.1", port=port), "ours", "3.1.1")
        await link.open()
        for number in range(readings):
            for topic in range(TOPICS):
                link.publish(MqttMessage(f"bench/ours/{topic}", PAYLOAD.format(number), 1, retain=True))
            await link.drained()
        link.close()

    asyncio.run(publish_all())
    wanted = expected("ours", readings)
    until = time.monotonic() + 10
    while len(arrivals.texts) < len(wanted) and time.monotonic() < until:
        time.sleep(0.05)
    arrivals.close()
    return arrivals.texts == wanted


def main() -> int:
    readings = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with tempfile.TemporaryDirectory() as folder:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        configuration = Path(folder, "mosquitto.conf")
        user = pwd.getpwuid(os.getuid()).pw_name
        configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser {user}\n")
        broker = subprocess.Popen(["mosquitto", "-c", str(configuration)], stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            complete = check_arrivals(port, readings)
            mine, others = asyncio.run(compare(port, readings))
        finally:
            broker.terminate()
            broker.wait()
    ratio = median(mine) / median(others)
    print(f"{TOPICS} publishes at QoS 1, CPU per reading, median of {ROUNDS} rounds of {readings}:")
    print(f"  ours    {median(mine) * 1e6:7.0f} µs")
    print(f"  aiomqtt {median(others) * 1e6:7.0f} µs   ({version('aiomqtt')})")
    print(f"  ratio   {ratio:7.2f}     (at most {MOST})")
    print(f"  all of ours arrived, in order: {'yes' if complete else 'NO'}")
    return 0 if complete and ratio <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
