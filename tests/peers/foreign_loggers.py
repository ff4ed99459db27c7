"""Loggers of a KMP meter that share nothing with the package: answers to B8h and A0h to A2h as bytes.

The rows of all loggers tell 348 in 7 bytes and every other register in 4: of 348 the hour of its id, of the
others the id times 1000. ``limit``: how many bytes of payload the meter sends at the most.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from smart_meter_reader.emulators.stream import EmulatedLine
from tests.peers.foreign_meter import frame, unstuffed

_BEGINNING = datetime(2020, 1, 1)  # noqa: DTZ001 - the meter knows no zone
EMPTY, NOT_THERE, NOT_ALL, OLDEST, NEWEST, INVALID = 0x01, 0x02, 0x10, 0x40, 0x80, 0x200
# Date and clock now: 29 November 2026, 20:15:30.
_LIVE = {
    1003: struct.pack(">HBBBI", 1003, 0x30, 4, 0, 261_129),
    1002: struct.pack(">HBBBI", 1002, 0x2F, 4, 0, 201_530),
}


def stamp(row: int) -> bytes:
    """Register 348 of a row: without summer time."""
    at = _BEGINNING + timedelta(hours=row)
    return bytes((0, at.year - 2000, at.month, at.day, at.hour, at.minute, at.second))


def value(register: int, row: int) -> bytes:
    return stamp(row) if register == 348 else (row * 1000 + register % 1000).to_bytes(4, "big")


def head(register: int) -> bytes:
    unit, size, sign = (0x4F, 7, 0) if register == 348 else (0x08, 4, 0x43)
    return struct.pack(">HBBB", register, unit, size, sign)


@dataclass
class ForeignLoggers:
    """One meter: loggers of ``depth`` entries up to id ``newest``, whose registers are ``keeps``."""

    newest: int = 645
    depth: int = 460
    limit: int = 1 << 16
    keeps: frozenset[int] = frozenset({348, 60, 68, 86, 87, 74, 80, 1002, 1003})
    empty: bool = False
    delay: float = 0.0
    strict: bool = False  # a time before the first record is out of its range
    format_until: int = -1  # rows up to this id are of another format: the meter gives them apart
    asked: list[bytes] = field(default_factory=list)

    @property
    def oldest(self) -> int:
        return self.newest - self.depth + 1

    async def serve(self, line: EmulatedLine) -> None:
        """Answer, until the line ends."""
        received = b""
        while chunk := await line.read():
            received += chunk
            while b"\x0d" in received:
                request, _, received = received.partition(b"\x0d")
                await asyncio.sleep(self.delay)
                answer = self.answer(request[request.rfind(b"\x80") :] + b"\x0d")
                if answer:
                    await line.write(answer)

    def answer(self, request: bytes) -> bytes:
        """The frame that answers a request; none for what the meter does not know."""
        content = unstuffed(request)
        self.asked.append(content)
        if content[1] == 0xB8 and content[2] == 5:
            registers = b"".join(register.to_bytes(2, "big") for register in sorted(self.keeps))
            fixed = b"\x01\0\0\x01\0\0\x01\0\x01\0" + struct.pack(">HB", self.depth, len(self.keeps))
            return frame(0x40, content[:4] + fixed + registers)
        if content[1] == 0xB8:
            return frame(0x40, content[:2] + self._rows(content[2:]))
        if content[1] == 0x10:
            ids = [register for (register,) in struct.iter_unpack(">H", content[3:])]
            return frame(0x40, content[:2] + b"".join(map(_LIVE.__getitem__, ids)))
        if content[1] == 0xA3:
            newest = content[2:-10] + (self.newest % 65536).to_bytes(2, "big")
            return frame(0x40, content[:2] + self._records(0xA2, newest))
        if content[1] in (0xA0, 0xA2):
            return frame(0x40, content[:2] + self._records(content[1], content[2:]))
        return b""

    def _rows(self, asked: bytes) -> bytes:
        if asked[0] == 6:
            sub, logger, first, entries, count = struct.unpack_from(">BBIHB", asked)
            rest = asked[9:]
        else:
            sub, logger, offset, entries, count = struct.unpack_from(">BBHHB", asked)
            first, rest = max(self.oldest, self.newest - offset), asked[7:]
        ids = [register for (register,) in struct.iter_unpack(">H", rest) if register in self.keeps]
        assert len(rest) == 2 * count
        if self.empty:
            zeros = b"".join(head(register) + bytes(len(value(register, 0))) for register in ids)
            return struct.pack(">BBHBIIH", sub, logger, 1, len(ids), 0, 0, EMPTY) + zeros
        if not self.oldest <= first <= self.newest:
            return struct.pack(">BBHBIIH", sub, logger, 0, 0, 0, self.newest, NOT_THERE)
        rows: list[bytes] = []
        room = self.limit - 15
        for row in range(first, max(self.oldest, first - entries + 1) - 1, -1):
            if rows and first > self.format_until >= row:
                break
            prefix = (lambda register: b"") if rows else head
            rows.append(b"".join(prefix(register) + value(register, row) for register in ids))
            if sum(map(len, rows)) > room:
                rows.pop()
                break
        last = first - len(rows) + 1
        info = (NEWEST if first == self.newest else 0) | (OLDEST if last == self.oldest else 0)
        info |= NOT_ALL if len(rows) < entries else 0
        return struct.pack(">BBHBIIH", sub, logger, len(rows), len(ids), first, self.newest, info) + b"".join(
            rows
        )

    def _records(self, cid: int, asked: bytes) -> bytes:
        log, count = asked[0], asked[1]
        registers = [register for (register,) in struct.iter_unpack(">H", asked[2 : 2 + 2 * count])]
        records, longest = asked[2 + 2 * count], asked[3 + 2 * count]
        begin = self.oldest if cid == 0xA0 else int.from_bytes(asked[-2:], "big")
        place = (begin - self.oldest) % 65536
        if self.empty:
            return b"\x01"
        if place >= self.depth or (self.strict and cid == 0xA0):
            return b"\x04"
        ids = [register for register in registers if register in self.keeps]
        answer = bytes((log, len(ids)))
        for number in range(records):
            if place + number >= self.depth:
                return answer + b"\x10"
            row = self.oldest + place + number
            answer += (row % 65536).to_bytes(2, "big")
            answer += b"".join((b"" if number else head(each)) + value(each, row) for each in ids)
            if len(answer) + 6 > longest:
                return answer + b"\x08"
        last = self.oldest + place + records - 1
        return answer + struct.pack(">HHB", last % 65536, self.newest % 65536, 0)
