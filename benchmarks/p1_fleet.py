"""1 to 1,000 P1 meters at a telegram a second in one process, each published as JSON to a Mosquitto.

The meters, the broker and the subscriber are processes of their own. What is counted is the service's own
CPU; the time of a telegram is from its leaving the meter to its arrival at the broker's subscriber. What the
codec takes alone is measured twice: beside the fleet, with all that runs then, and after it.

    python -m benchmarks.p1_fleet COUNT

says what it takes now, in seconds for a telegram, with so many readers.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from decimal import Decimal

from benchmarks.measure import Row, alone
from benchmarks.p1_meters import FIRST_ENERGY, telegram
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
from benchmarks.subscriber import Arrived, Subscriber
from smart_meter_reader.codecs.p1.reader import P1Reader

# After the window: what is on its way then may still arrive, and counts as late or lost by its time.
_AFTERMATH = 2.0


def rows(*, quick: bool) -> Iterator[Row]:
    """Cost per meter for each size of the fleet; latency and losses of the largest."""
    if quick:
        yield from fleet(2, 1.0, settling=0.0, largest=True)
        return
    for size in (1, 10, 100, 1000):
        yield from fleet(size, 20.0 if size == 1000 else 10.0, settling=5.0, largest=size == 1000)


def settings(ports: list[int], broker: int) -> str:
    """An environment with a meter on each port; every telegram is published."""
    meters = "".join(
        f'[fleet.meters.m{index:04}]\nclient = "dsmr"\nport = "socket://127.0.0.1:{port}"\ninterval = "0s"\n'
        for index, port in enumerate(ports)
    )
    return (
        f'[default]\nlog_level = "ERROR"\n[default.mqtt]\nhost = "127.0.0.1"\nport = {broker}\n'
        f"[fleet.sinks.mqtt_json]\n{meters}"
    )


def fleet(size: int, seconds: float, *, settling: float, largest: bool) -> Iterator[Row]:
    """What is sent in a window of ``seconds``.

    ``settling``: telegrams that piled up while the service started are worked off by then.
    """
    with (
        mosquitto() as broker,
        child(start_meters("p1_meters", str(size))) as meters,
        Subscriber(broker, "smart-meter-reader/+/state") as subscriber,
        service("fleet", settings(json.loads(first_line(meters)), broker)) as process,
    ):
        wait_for_all(subscriber, size)
        time.sleep(settling)
        begin, cpu = time.monotonic(), cpu_seconds(process.pid)
        time.sleep(seconds / 2)
        codec = _codec_now(size) if largest else 0.0
        time.sleep(max(0.0, begin + seconds - time.monotonic()))
        end, cpu = time.monotonic(), cpu_seconds(process.pid) - cpu
        memory = resident_mib(process.pid)
        time.sleep(_AFTERMATH)
        sent = json.loads(last_words(meters))
        arrived = list(subscriber.arrived)
    latencies, lost = delays(sent, arrived, begin, end)
    told = len(latencies) + lost
    each = cpu / max(1, len(latencies))  # what was left out for want of time cost next to nothing
    name = f"P1 fleet, {size} meter{'s' if size > 1 else ''}"
    yield alone(f"{name}: CPU per telegram", "µs", [each * 1e6])
    if largest:
        late = lost + sum(delay > 1.0 for delay in latencies)
        yield alone(f"{name}: CPU per telegram", "of the codec's", [each / codec_alone(size)], 3.5)
        yield alone(f"{name}: CPU per telegram", "of the codec's meanwhile", [each / codec])
        yield alone(f"{name}: codec meanwhile", "µs", [codec * 1e6])
        yield alone(f"{name}: CPU", "of a core", [cpu / (end - begin)], 1.0)
        yield alone(f"{name}: lost of {told} telegrams", "telegrams", [lost], 0)
        yield alone(f"{name}: later than 1 s at the broker", "%", [100 * late / told], 1.0)
        yield alone(f"{name}: from meter to broker, 99 %", "ms", [quantile(latencies, 0.99) * 1e3], 1000)
        yield alone(f"{name}: memory per meter", "KiB", [memory * 1024 / size])


def _codec_now(size: int) -> float:
    """The same as ``codec_alone``, in a process of its own: the subscriber must not wait for it."""
    with child(start_meters("p1_fleet", str(size))) as process:
        return float(first_line(process))


def codec_alone(size: int) -> float:
    """CPU seconds of a telegram in the codec alone, with as many readers in turns."""
    readers = [P1Reader(None) for _ in range(size)]
    begin = 0.0
    rounds = 6
    for number in range(rounds):
        if number == 1:  # the first telegram of a line is the one that costs most, and the service has had it
            begin = time.process_time()
        received = telegram(number)
        for reader in readers:
            reader.receive_data(received)
            if reader.next_telegram() is None:
                raise SystemExit("a telegram was not read")
    return (time.process_time() - begin) / (size * (rounds - 1))


def wait_for_all(subscriber: Subscriber, size: int) -> None:
    """Until every meter was heard twice: what starting costs is over then."""
    until = time.monotonic() + 60
    while True:
        heard = [each.topic for each in list(subscriber.arrived) if meter_of(each) is not None]
        if len(heard) >= 2 * size and len(set(heard)) == size:
            return
        assert time.monotonic() < until, f"{len(set(heard))} of {size} meters were heard"
        time.sleep(0.2)


def delays(
    sent: list[list[tuple[int, float]]], arrived: list[Arrived], begin: float, end: float
) -> tuple[list[float], int]:
    """The delay of every telegram sent in the window that arrived, and how many did not."""
    arrivals: dict[tuple[int, int], float] = {}
    for message in arrived:
        meter = meter_of(message)
        if meter is None:
            continue
        reading = json.loads(message.payload, parse_float=Decimal)
        energy = reading["measurements"]["active_energy_import_tariff_1"]["value"]
        number = int((energy - FIRST_ENERGY) * 1000)
        arrivals.setdefault((meter, number), message.at)
    latencies: list[float] = []
    lost = 0
    for index, telegrams in enumerate(sent):
        for number, at in telegrams:
            if begin <= at < end:
                if (index, number) in arrivals:
                    latencies.append(arrivals[index, number] - at)
                else:
                    lost += 1
    return latencies, lost


def meter_of(message: Arrived) -> int | None:
    """The index of the electricity meter; None for the gas meter behind it."""
    name = message.topic.split("/")[1]
    return None if "-" in name else int(name[1:])


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


if __name__ == "__main__":
    print(codec_alone(int(sys.argv[1])))
