"""What the running service takes: memory once connected, time until its first request, CPU while idle."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Row, alone, beside, in_turns
from benchmarks.processes import (
    ROOT,
    child,
    cpu_seconds,
    first_line,
    mosquitto,
    resident_mib,
    service,
    start_meters,
    start_service,
)
from benchmarks.subscriber import Subscriber

# What every asyncio program pays before it can send its first byte.
_BARE = """
import asyncio, os, sys
async def main():
    port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
    os.write(port, b"x")
    await asyncio.sleep(0)
asyncio.run(main())
"""
# A client of paho as its documentation shows it, with nothing to do.
_PAHO = """
import sys, time
import paho.mqtt.client as mqtt
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_start()
time.sleep(600)
"""


# So many telegrams, and with them writes, until nothing new is loaded any more.
_WRITES = 12


def rows(*, quick: bool) -> Iterator[Row]:
    """Memory, start, idling."""
    with tempfile.TemporaryDirectory() as folder:
        yield memory_of_kamstrup(folder)
    yield memory_of_p1()
    yield memory_of_history(1 if quick else 3, 2 if quick else _WRITES)
    yield from start(1 if quick else 9)
    yield idle(2.0 if quick else 20.0)


def environment(meter: str, sink: str, broker: int) -> str:
    """Settings of one meter and one sink."""
    return (
        f'[default]\nlog_level = "ERROR"\n[default.mqtt]\nhost = "127.0.0.1"\nport = {broker}\n'
        f"[one.meters.meter]\n{meter}[one.sinks.{sink}]\n"
    )


@contextmanager
def emulated_kamstrup(folder: str) -> Iterator[str]:
    """Our emulator on a pseudo-terminal, and its path."""
    path = str(Path(folder, "meter"))
    command = [sys.executable, "-m", "smart_meter_reader", "emulate", "kamstrup", "--link", path]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with child(process):
        first_line(process)
        yield path


def kamstrup(port: str) -> str:
    """The lines of a meter that is read at once and then every hour."""
    return f'client = "kamstrup"\nport = "{port}"\ninterval = "1h"\n'


def memory_of_kamstrup(folder: str) -> Row:
    with (
        mosquitto() as broker,
        emulated_kamstrup(folder) as port,
        Subscriber(broker, "smart-meter-reader/meter/state") as subscriber,
        service("one", environment(kamstrup(port), "mqtt_json", broker)) as process,
    ):
        wait_for(lambda: bool(subscriber.arrived))
        return alone(
            "memory connected (RSS), Kamstrup to mqtt_json", "MiB", [resident_mib(process.pid)], 40.0
        )


def one_p1(meters: subprocess.Popen[str]) -> str:
    """The settings of the one meter that ``meters`` emulate."""
    return f'client = "dsmr"\nport = "socket://127.0.0.1:{json.loads(first_line(meters))[0]}"\n'


def memory_of_p1() -> Row:
    with (
        mosquitto() as broker,
        child(start_meters("p1_meters", "1")) as meters,
        Subscriber(broker, "#") as subscriber,
        service(
            "one",
            environment(one_p1(meters), "home_assistant", broker),
        ) as process,
    ):
        wait_for(lambda: any(b"4426" in message.payload for message in list(subscriber.arrived)))
        return alone("memory connected (RSS), P1 to home_assistant", "MiB", [resident_mib(process.pid)], 32.0)


def memory_of_history(rounds: int, writes: int) -> Row:
    """What the sink `history` adds to a service with one P1 meter, once it has written often."""

    def with_sinks(further: str) -> float:
        with (
            mosquitto() as broker,
            child(start_meters("p1_meters", "1")) as meters,
            Subscriber(broker, "#") as subscriber,
            service(
                "one",
                environment(one_p1(meters), "home_assistant", broker) + further,
            ) as process,
        ):
            wait_for(lambda: len([each for each in subscriber.arrived if b"4426" in each.payload]) > writes)
            return resident_mib(process.pid)

    without, together = in_turns(
        rounds, lambda: with_sinks(""), lambda: with_sinks('[one.sinks.history]\nwrite_every = "1s"\n')
    )
    added = [both - alone_ for both, alone_ in zip(together, without, strict=True)]
    return alone("memory that the history adds (RSS), one P1 meter", "MiB", added, 4.0)


def start(rounds: int) -> Iterator[Row]:
    """From the start of the process to the first byte on the port, beside the least that asyncio needs."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.py").write_text(Path(ROOT, "config.py").read_text())

        def ours() -> float:
            master, slave = os.openpty()
            settings = environment(kamstrup(os.ttyname(slave)), "mqtt_json", 1)
            Path(folder, "settings.toml").write_text(settings)
            return until_first_byte(lambda path: start_service(folder, "one"), master, slave)

        def bare() -> float:
            return until_first_byte(
                lambda path: subprocess.Popen([sys.executable, "-c", _BARE, path], text=True), *os.openpty()
            )

        bare()
        ours()  # compiles what was never imported
        sides = in_turns(rounds, ours, bare)
    yield beside("start to the first request, Kamstrup", "s", sides[0], "bare asyncio", sides[1])
    yield alone("start to the first request, Kamstrup", "s", sides[0], 0.6)


def until_first_byte(starting: Callable[[str], subprocess.Popen[str]], master: int, slave: int) -> float:
    """Seconds from starting a process until it writes to the pseudo-terminal."""
    tty.setraw(slave)
    begin = time.monotonic()
    with child(starting(os.ttyname(slave))):
        ready, _, _ = select.select([master], [], [], 20)
        elapsed = time.monotonic() - begin
        assert ready, "nothing was sent"
    os.close(master)
    os.close(slave)
    return elapsed


def idle(seconds: float) -> Row:
    """CPU of the service between two readings an hour apart, beside a client of paho that does nothing."""
    with (
        tempfile.TemporaryDirectory() as folder,
        mosquitto() as broker,
        emulated_kamstrup(folder) as port,
        Subscriber(broker, "smart-meter-reader/meter/state") as subscriber,
        service("one", environment(kamstrup(port), "mqtt_json", broker)) as ours,
        child(subprocess.Popen([sys.executable, "-c", _PAHO, str(broker)], text=True)) as paho,
    ):
        wait_for(lambda: bool(subscriber.arrived))
        time.sleep(1)
        before = cpu_seconds(ours.pid), cpu_seconds(paho.pid)
        time.sleep(seconds)
        mine, theirs = (
            (cpu_seconds(process.pid) - spent) / seconds * 1e6
            for process, spent in zip((ours, paho), before, strict=True)
        )
        return beside("idle, CPU in a second", "µs", [mine], "paho's loop_start", [theirs], 1.0)


def wait_for(condition: Callable[[], bool]) -> None:
    """Until something has happened."""
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until, "nothing arrived"
        time.sleep(0.05)
