"""Meters in trouble that is not the meter's own: on any of the emulated ones."""

from __future__ import annotations

import asyncio
import random

from smart_meter_reader.codecs.p1.encode import encode_telegram
from smart_meter_reader.emulators.stream import EmulatedLine, EmulatedMeter
from smart_meter_reader.transport import LineSettings


class _Wrapped:
    """A line that stands before another one."""

    def __init__(self, inner: EmulatedLine) -> None:
        self.inner = inner

    @property
    def line(self) -> LineSettings | None:
        return self.inner.line

    @line.setter
    def line(self, line: LineSettings | None) -> None:
        self.inner.line = line

    async def read(self) -> bytes:
        return await self.inner.read()

    async def write(self, payload: bytes) -> None:
        await self.inner.write(payload)


class _ByteByByte(_Wrapped):
    async def write(self, payload: bytes) -> None:
        for byte in payload:
            await self.inner.write(bytes((byte,)))
            await asyncio.sleep(0)


class ByteByByte:
    """Everything leaves the meter one byte at a time."""

    def __init__(self, meter: EmulatedMeter) -> None:
        self._meter = meter

    async def serve(self, line: EmulatedLine) -> None:
        await self._meter.serve(_ByteByByte(line))


class _Dying(_Wrapped):
    def __init__(self, inner: EmulatedLine, meter: DiesMidFrame) -> None:
        super().__init__(inner)
        self._meter = meter

    async def write(self, payload: bytes) -> None:
        if self._meter.revived.is_set() or not self._meter.dying.is_set():
            await self.inner.write(payload)
            return
        await self.inner.write(payload[: len(payload) // 2])
        # What stands between takes a moment to pass it on.
        await asyncio.sleep(0.05)
        self._meter.sent_half.set()
        await self._meter.revived.wait()


class DiesMidFrame:
    """Once ``dying`` sends half of an answer and hangs, which ``sent_half`` says, until ``revived``."""

    def __init__(self, meter: EmulatedMeter) -> None:
        self.dying = asyncio.Event()
        self.sent_half = asyncio.Event()
        self.revived = asyncio.Event()
        self._meter = meter

    async def serve(self, line: EmulatedLine) -> None:
        await self._meter.serve(_Dying(line, self))


class Troubled:
    """Mute, or babbling at random, until ``over``; then well."""

    def __init__(self, meter: EmulatedMeter, *, babbles: bool) -> None:
        self.over = asyncio.Event()
        self._meter = meter
        self._babbles = babbles
        self._random = random.Random(1)

    async def serve(self, line: EmulatedLine) -> None:
        async with asyncio.TaskGroup() as group:
            hearing = group.create_task(_ignore(line))
            while not self.over.is_set() and not hearing.done():
                if self._babbles:
                    await line.write(self._random.randbytes(64))
                await asyncio.sleep(0.005)
            ended = hearing.done()
            hearing.cancel()
        if not ended:
            await self._meter.serve(line)


# Dates that are none, numbers without end, escape sequences, digits of another script, brackets in brackets.
_NONSENSE = (
    b"0-0:1.0.0(2026-99-99)\r\n1-0:32.7.0(9999-12-31T23:59:59-23:59*V)\r\n0-0:96.7.21("
    + b"9" * 4301
    + b")\r\n"
    b"0-0:96.7.9(\xb2\xb3)\r\n1-0:\x1b[31m\x9b2J(1)\r\n1-0:52.7.0(1((2)))*V)\r\n0-1:24.4.0(\x85)\r\n"
)


class _Nonsensical(_Wrapped):
    async def write(self, payload: bytes) -> None:
        await self.inner.write(encode_telegram(payload[: payload.rindex(b"!")] + _NONSENSE + b"!"))


class Nonsensical:
    """A P1 meter whose telegrams have lines without sense besides the others; their checksum is right."""

    def __init__(self, meter: EmulatedMeter) -> None:
        self._meter = meter

    async def serve(self, line: EmulatedLine) -> None:
        await self._meter.serve(_Nonsensical(line))


async def _ignore(line: EmulatedLine) -> None:
    while await line.read():
        pass
