"""200 KMP meters behind serial servers, polled every 10 s in one process, each published as JSON.

The meters answer byte by byte at 1200 Bd; they, the broker and the subscriber are processes of their own. The
time of a reading is from its last byte (its own ``time``) to its arrival at the broker's subscriber.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from benchmarks.measure import Row, alone
from benchmarks.p1_fleet import quantile
from benchmarks.processes import (
    child,
    cpu_seconds,
    first_line,
    last_words,
    mosquitto,
    resident_mib,
    service,
    start_meters,
)
from benchmarks.subscriber import Subscriber

INTERVAL = 10.0
# One answer holds eight; without an info code the service would ask for it in a second one.
_REGISTERS = (
    "heat_energy",
    "volume",
    "power",
    "volume_flow",
    "flow_temperature",
    "return_temperature",
    "temperature_difference",
    "info_code",
)


def rows(*, quick: bool) -> Iterator[Row]:
    """Cost of a poll, latency, and polls without a reading."""
    yield from fleet(2 if quick else 200, 2.0 if quick else INTERVAL, 1 if quick else 3)


def settings(ports: list[int], broker: int, interval: float) -> str:
    """An environment with a meter on each port."""
    meters = "".join(
        f'[fleet.meters.m{index:03}]\nclient = "kamstrup"\nport = "socket://127.0.0.1:{port}"\n'
        f'interval = "{interval:.0f}s"\nmains_powered = true\nregisters = {json.dumps(_REGISTERS)}\n'
        for index, port in enumerate(ports)
    )
    return (
        f'[default]\nlog_level = "ERROR"\n[default.mqtt]\nhost = "127.0.0.1"\nport = {broker}\n'
        f"[fleet.sinks.mqtt_json]\n{meters}"
    )


def fleet(size: int, interval: float, polls: int) -> Iterator[Row]:
    with (
        mosquitto() as broker,
        child(start_meters("kmp_meters", str(size))) as meters,
        Subscriber(broker, "smart-meter-reader/+/state") as subscriber,
        service("fleet", settings(json.loads(first_line(meters)), broker, interval)) as process,
    ):
        wait_for_all(subscriber, size)
        # To the middle between two polls, which stand at full tens of seconds.
        time.sleep((1.5 * interval - time.time()) % interval)
        begin, cpu = time.time(), cpu_seconds(process.pid)
        time.sleep(polls * interval)
        end, cpu = time.time(), cpu_seconds(process.pid) - cpu
        memory = resident_mib(process.pid)
        arrived = list(subscriber.arrived)
        asked = json.loads(last_words(meters))
    delays = [
        message.clock - datetime.fromisoformat(json.loads(message.payload)["time"]).timestamp()
        for message in arrived
        if begin <= message.clock < end
    ]
    readings = Counter(message.topic for message in arrived)
    wanted = size * polls
    name = f"KMP fleet, {size} meters every {interval:.0f} s"
    yield alone(f"{name}: CPU per reading", "ms", [cpu / max(1, len(delays)) * 1e3])
    yield alone(f"{name}: CPU", "of a core", [cpu / (end - begin)], 1.0)
    yield alone(f"{name}: lost of {wanted} polls", "readings", [max(0, wanted - len(delays))], 0)
    lost = sum(asked) - readings.total()
    yield alone(f"{name}: answers that did not become readings", "readings", [max(0, lost)], 0)
    yield alone(f"{name}: from last byte to broker, 99 %", "ms", [quantile(delays, 0.99) * 1e3], 1000)
    yield alone(f"{name}: memory per meter", "KiB", [memory * 1024 / size])


def wait_for_all(subscriber: Subscriber, size: int) -> None:
    """Until every meter was heard."""
    until = time.monotonic() + 60
    while len({message.topic for message in list(subscriber.arrived)}) < size:
        assert time.monotonic() < until, "not every meter was heard"
        time.sleep(0.2)
