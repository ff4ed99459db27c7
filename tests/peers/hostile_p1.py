"""A P1 port whose telegrams are whole, with a right checksum, and whose fields are nonsense."""

from __future__ import annotations

import asyncio
import itertools
import random

from smart_meter_reader.codecs.p1.encode import encode_telegram
from smart_meter_reader.meters.p1.emulated_telegrams import TEMPLATES
from tests.fuzz.hostile import BRACKETS, ESCAPES, HEX, NUMBERS, OTHER_DIGITS, P1_CODES, TIMES, UNITS

_FIELDS = (*ESCAPES, *OTHER_DIGITS, *TIMES, *NUMBERS, *BRACKETS, *HEX)
_BETWEEN = 0.1  # seconds


def hostile_telegram(chance: random.Random, number: int) -> bytes:
    """A telegram of DSMR 5 with its own lines, the energy risen by ``number`` Wh, and some hostile ones."""
    lines = []
    for _ in range(chance.randint(1, 6)):
        field = chance.choice(_FIELDS) + (f"*{chance.choice(UNITS)}" if chance.random() < 0.3 else "")
        before = "(260101101010W)" if chance.random() < 0.3 else ""
        lines.append(f"{chance.choice(P1_CODES)}{before}({field})\r\n".replace("!", "?").replace("/", "?"))
    hostile = "".join(lines).encode("latin-1", "replace").replace(b"\0", b"")
    body = TEMPLATES["dsmr-5"].replace(b"004426.215", b"%010.3f" % (4426.215 + number / 1000))
    return encode_telegram(body.removesuffix(b"!") + hostile + b"!")


class HostileP1:
    """Ten such telegrams a second to whoever listens; the totals rise from one listener to the next."""

    def __init__(self) -> None:
        self._chance = random.Random(1)
        self._number = itertools.count()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(hostile_telegram(self._chance, next(self._number)))
            await writer.drain()
            await asyncio.sleep(_BETWEEN)
