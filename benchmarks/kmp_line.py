"""A KMP reading over 1200 Bd: bytes and time against what is physically possible, CPU beside PyKMP.

Last the CPU of the whole service, from its timer to the message that the broker has acknowledged.
"""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from benchmarks.footprint import environment, wait_for
from benchmarks.measure import Row, alone, beside, in_turns, named, rival
from benchmarks.paced_meter import BYTE_SECONDS, REPLY_DELAY, answer_to
from benchmarks.processes import (
    child,
    cpu_seconds,
    first_line,
    last_words,
    mosquitto,
    service,
    start_meters,
)
from benchmarks.subscriber import Subscriber
from smart_meter_reader.codecs.kmp.registers import REGISTERS, resolve_register
from smart_meter_reader.meters.kmp.connection import KmpConnection
from smart_meter_reader.meters.kmp.settings import DEFAULT_REGISTERS
from tests.peers.foreign_meter import frame

EIGHT = (60, 68, 72, 74, 80, 86, 87, 89)
DEFAULT = tuple(resolve_register(quantity).id for quantity in DEFAULT_REGISTERS)
ALL = tuple(REGISTERS)

Read = Callable[[Sequence[int]], object]


def rows(*, quick: bool) -> Iterator[Row]:
    """The reading of eight registers, of the default's, of all, and the CPU that eight take."""
    logging.disable(logging.CRITICAL)
    speed = 20.0 if quick else 1.0
    yield from against_the_limit("8 registers", EIGHT, 2 if quick else 5, speed)
    yield from against_the_limit(f"the {len(DEFAULT)} of the default", DEFAULT, 2 if quick else 5, speed)
    yield from against_the_limit(f"all {len(ALL)} registers", ALL[:16] if quick else ALL, 1, speed)
    yield from cpu_of_a_reading(1 if quick else 6, 1 if quick else 2, speed)
    yield cpu_of_the_service(1 if quick else 12, speed)


def limit(registers: Sequence[int]) -> tuple[int, float]:
    """Bytes and seconds below which no reader of these registers gets, by an encoder that is not ours."""
    octets, seconds = 0, -BYTE_SECONDS
    begin = 0
    for left in range(-(-len(registers) // 8), 0, -1):
        # Of equal size, so that the bytes that have to be stuffed are the same ones.
        end = begin + -(-(len(registers) - begin) // left)
        ids, begin = registers[begin:end], end
        content = bytes((0x3F, 0x10, len(ids))) + b"".join(number.to_bytes(2, "big") for number in ids)
        request = frame(0x80, content)
        octets += len(request) + len(answer_to(request))
        # 5512-447, 3.1: a byte time of rest between an answer and the next request.
        seconds += REPLY_DELAY + BYTE_SECONDS
    return octets, seconds + octets * BYTE_SECONDS


def against_the_limit(what: str, registers: Sequence[int], rounds: int, speed: float) -> Iterator[Row]:
    least_bytes, least_seconds = limit(registers)
    with paced_meter(speed) as (meter, port), _reader(port) as read:

        def timed() -> float:
            # Whoever reads every hour has not to wait for the byte time of rest after the last answer.
            time.sleep(0.05)
            begin = time.monotonic()
            assert len(read(registers)) == len(registers)
            return (time.monotonic() - begin) * speed / least_seconds

        [times] = in_turns(rounds, timed)
        counted = json.loads(last_words(meter))
    share = (counted["bytes_in"] + counted["bytes_out"]) / rounds / least_bytes
    yield alone(f"KMP, {what}: bytes on the wire", "of the limit", [share], 1.0)
    yield alone(f"KMP, {what}: time at 1200 Bd", "of the limit", times, 1.01)


def cpu_of_a_reading(rounds: int, readings: int, speed: float) -> Iterator[Row]:
    with paced_meter(speed) as (_, port), paced_meter(speed) as (_, other), _reader(port) as read:
        theirs = _pykmp(other)
        read(EIGHT)  # what the very first one costs is not asked here

        def cost(one: Read) -> float:
            begin = time.process_time()
            for _ in range(readings):
                one(EIGHT)
            return (time.process_time() - begin) / readings * 1e3

        sides = in_turns(rounds, lambda: cost(read), (lambda: cost(theirs)) if theirs else None)
        yield beside(
            "KMP: CPU of a paced reading of 8 registers",
            "ms",
            sides[0],
            named("PyKMP") if theirs else "",
            sides[1],
            1.0,
        )


def cpu_of_the_service(readings: int, speed: float) -> Row:
    with mosquitto() as broker, paced_meter(speed) as (_, port):
        meter = f'client = "kamstrup"\nport = "{port}"\ninterval = "2s"\nmains_powered = true\n'
        topic = "smart-meter-reader/meter/state"
        with (
            Subscriber(broker, topic) as subscriber,
            service("one", environment(meter, "mqtt_json", broker)) as process,
        ):
            # The first ones also connect.
            wait_for(lambda: len(subscriber.arrived) >= 2)
            before, count = cpu_seconds(process.pid), len(subscriber.arrived)
            wait_for(lambda: len(subscriber.arrived) >= count + readings)
            cost = (cpu_seconds(process.pid) - before) / (len(subscriber.arrived) - count)
    return alone("KMP: CPU of the whole service for such a reading", "ms", [cost * 1e3])


@contextmanager
def paced_meter(speed: float) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The meter in a process of its own, and its port."""
    with child(start_meters("paced_meter", str(speed))) as meter:
        yield meter, first_line(meter)


@contextmanager
def _reader(port: str) -> Iterator[Callable[[Sequence[int]], dict[int, object]]]:
    with asyncio.Runner() as runner:
        connection = KmpConnection(port)

        async def read(registers: Sequence[int]) -> dict[int, object]:
            found = await connection.read_registers(registers)
            return {number: (register.value, register.unit) for number, register in found.items()}

        runner.run(connection.__aenter__())
        yield lambda registers: runner.run(read(registers))
        runner.run(connection.__aexit__(None, None, None))


def _pykmp(port: str) -> Read | None:
    modules = rival("PyKMP", "pykmp.client", "pykmp.codec", "pykmp.constants", "pykmp.messages")
    if modules is None:
        return None
    client, codec, constants, messages = modules
    communicator = client.PySerialClientCommunicator(serial_device=port)
    floats = codec.FloatCodec()

    def read(registers: Sequence[int]) -> object:
        request = messages.GetRegisterRequest(registers=[messages.RegisterID(each) for each in registers])
        response = communicator.send_request(message=request)
        return {
            number: (floats.decode(register.value), constants.UNITS_NAMES[register.unit])
            for number, register in response.registers.items()
        }

    return read
