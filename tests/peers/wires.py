"""A wire with a speed: who listens at another one gets what a UART makes of it, and the frames' ends."""

from __future__ import annotations

import asyncio
import os
import termios
import tty
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from smart_meter_reader.transport import LineSettings

_SPEEDS = {
    getattr(termios, name): int(name[1:]) for name in dir(termios) if name[1:].isdigit() and name[0] == "B"
}


def heard_at(octets: bytes, sent: LineSettings, baud: int) -> bytes:
    """What a receiver of eight bits makes of octets that are sent at another speed, framing errors as 00."""
    levels = [bit for octet in octets for bit in _bits(octet, sent)] + [1] * 20
    ratio = sent.baud / baud
    found, at = bytearray(), 0.0
    while at < len(levels):
        if levels[int(at)]:
            at = int(at) + 1.0 if at != int(at) else at + 1
            continue
        samples = [levels[min(len(levels) - 1, int(at + (place + 0.5) * ratio))] for place in range(10)]
        found.append(sum(bit << place for place, bit in enumerate(samples[1:9])) if samples[9] else 0)
        at += 9.5 * ratio
        while not samples[9] and at < len(levels) and not levels[int(at)]:
            at += ratio  # a break ends with the line's rest
    return bytes(found)


def _bits(octet: int, line: LineSettings) -> Sequence[int]:
    data = [octet >> place & 1 for place in range(line.bytesize)]
    parity = [] if line.parity == "N" else [sum(data) % 2 ^ (line.parity == "O")]
    return [0, *data, *parity, *[1] * line.stopbits]


@asynccontextmanager
async def sending(telegram: bytes, line: LineSettings, interval: float) -> AsyncIterator[str]:
    """A pseudo-terminal at which ``telegram`` comes every ``interval`` seconds, heard as its speed has it.

    The first comes when an interval has passed. What nobody reads is gone.
    """
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)

    async def send() -> None:
        while True:
            await asyncio.sleep(interval)
            baud = _SPEEDS[termios.tcgetattr(master)[5]]
            heard = telegram if baud == line.baud else heard_at(telegram, line, baud)
            try:
                os.write(master, heard)
            except BlockingIOError:
                termios.tcflush(slave, termios.TCIFLUSH)

    task = asyncio.create_task(send())
    try:
        yield os.ttyname(slave)
    finally:
        task.cancel()
        os.close(slave)
        os.close(master)
