"""Many P1 meters on TCP ports of loopback, one telegram a second each: a program.

    python -m benchmarks.p1_meters COUNT [SECONDS_BETWEEN_TELEGRAMS]

Says the ports as JSON. All meters send the same telegrams, spread over the second; telegram n shows an energy
of n Wh more than the first. When its standard input ends, it says when each telegram went out, as JSON: for
each meter, [n, time of the machine's monotonic clock].
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from smart_meter_reader.codecs.p1.encode import encode_telegram
from smart_meter_reader.meters.p1.emulated_telegrams import TEMPLATES

FIRST_ENERGY = Decimal("4426.215")
_SLOTS = 50  # so often in a second some meters send


@lru_cache(maxsize=4)
def telegram(number: int) -> bytes:
    """Telegram ``number``: time, energy, power, voltage and current are others than in the one before."""
    minutes, seconds = divmod(number, 60)
    body = TEMPLATES["dsmr-5"]
    for old, new in (
        ("240115192002W", f"24011519{20 + minutes:02}{seconds:02}W"),
        ("004426.215", f"{FIRST_ENERGY + number * Decimal('0.001'):010}"),
        ("1.7.0(00.244", f"1.7.0(00.{200 + number % 97:03}"),
        ("32.7.0(230.4", f"32.7.0(23{number % 9}.4"),
        ("31.7.0(001", f"31.7.0(00{number % 7}"),
    ):
        body = body.replace(old.encode(), new.encode())
    return encode_telegram(body)


class Meter(asyncio.Protocol):
    """Sends to its one listener, and notes when."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, float]] = []
        self._listener: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._listener = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._listener = None

    def send(self, number: int, now: float) -> None:
        if self._listener is not None:
            self._listener.write(telegram(number))
            self.sent.append((number, now))


async def main(count: int, interval: float) -> None:
    loop = asyncio.get_running_loop()
    meters = [Meter() for _ in range(count)]
    servers = [await loop.create_server(_always(meter), "127.0.0.1") for meter in meters]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    sending = asyncio.ensure_future(_send(meters, interval))
    # Standard input ends when the benchmark has seen enough.
    await loop.run_in_executor(None, sys.stdin.read)
    sending.cancel()
    print(json.dumps([meter.sent for meter in meters]))


def _always(meter: Meter) -> Callable[[], Meter]:
    return lambda: meter


async def _send(meters: list[Meter], interval: float) -> None:
    loop = asyncio.get_running_loop()
    started, slot = loop.time(), 0
    while True:
        number, place = divmod(slot, _SLOTS)
        for meter in meters[place::_SLOTS]:
            meter.send(number, loop.time())
        slot += 1
        await asyncio.sleep(started + slot * interval / _SLOTS - loop.time())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 1.0))
