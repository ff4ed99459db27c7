"""A KMP meter that shares nothing with the package: its own stuffing, its own CRC, GetRegister only."""

from __future__ import annotations

import asyncio

from smart_meter_reader.emulators.stream import EmulatedLine


def crc(content: bytes) -> int:
    """CRC-16/XMODEM, bit by bit."""
    register = 0
    for byte in content:
        for bit in range(7, -1, -1):
            register = (register << 1) | (byte >> bit & 1)
            if register & 0x10000:
                register ^= 0x11021
    for _ in range(16):
        register <<= 1
        if register & 0x10000:
            register ^= 0x11021
    return register & 0xFFFF


def frame(start: int, content: bytes) -> bytes:
    """A frame around address, CID and payload."""
    stuffed = bytearray()
    for byte in content + crc(content).to_bytes(2, "big"):
        if byte in b"\x06\x0d\x1b\x40\x80":
            stuffed += bytes((0x1B, byte ^ 0xFF))
        else:
            stuffed.append(byte)
    return bytes((start, *stuffed, 0x0D))


def unstuffed(raw: bytes) -> bytes:
    """What a frame carries, without its CRC."""
    content, position = bytearray(), 1
    while raw[position] != 0x0D:
        if raw[position] == 0x1B:
            position += 1
            content.append(raw[position] ^ 0xFF)
        else:
            content.append(raw[position])
        position += 1
    assert crc(bytes(content[:-2])) == int.from_bytes(content[-2:], "big")
    return bytes(content[:-2])


# Register, unit, NoB, SignExp, mantissa: a MULTICAL 403 with 55.006 MWh, 1917.60 m³ and -200 W.
RECORDS = {
    60: bytes.fromhex("003c 03 04 43 0000d6de"),
    68: bytes.fromhex("0044 28 04 42 0002ed10"),
    80: bytes.fromhex("0050 15 02 80 00c8"),
    1001: bytes.fromhex("03e9 00 04 00 04c4b400"),
}


class ForeignMeter:
    """Answers GetRegister after ``delay`` seconds, nothing else; falls silent over ``deadly`` registers."""

    def __init__(self, *, delay: float = 0.0, deadly: frozenset[int] = frozenset()) -> None:
        self.asked: list[tuple[int, ...]] = []
        self._delay = delay
        self._deadly = deadly

    async def serve(self, line: EmulatedLine) -> None:
        pending = b""
        while received := await line.read():
            pending += received
            while b"\r" in pending:
                raw, _, pending = pending.partition(b"\r")
                answer = self._answer(unstuffed(raw[raw.index(0x80) :] + b"\r"))
                if answer:
                    await asyncio.sleep(self._delay)
                    await line.write(answer)

    def _answer(self, content: bytes) -> bytes:
        if content[1] != 0x10:
            return b""
        ids = tuple(int.from_bytes(content[i : i + 2], "big") for i in range(3, len(content), 2))
        self.asked.append(ids)
        assert len(ids) == content[2] <= 8
        if self._deadly & set(ids):
            return b""
        return frame(0x40, content[:2] + b"".join(RECORDS.get(register, b"") for register in ids))
