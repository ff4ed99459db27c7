"""Loggers of a KMP meter read over 1200 Bd: bytes and time against what is physically possible.

No rival stands beside it: the PyKMP of the package index asks for registers only.
"""

from __future__ import annotations

import asyncio
import json
import logging
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.measure import Row, alone
from benchmarks.paced_meter import BYTE_SECONDS, REPLY_DELAY
from benchmarks.processes import child, first_line, last_words, start_meters
from smart_meter_reader.codecs.kmp.loggers import Logger
from smart_meter_reader.meters.kmp.connection import KmpConnection
from smart_meter_reader.meters.kmp.loggers.places import PastLogger, RecordLog
from smart_meter_reader.meters.kmp.loggers.walk import read_window
from tests.peers.foreign_loggers import ForeignLoggers
from tests.peers.foreign_meter import frame

# Time stamp, energy and volume: 15 bytes a row.
REGISTERS = (348, 60, 68)
# A 601 has date and clock instead, in four bytes each.
OF_A_MODULE = (1003, 1002, 60, 68)
NEWEST = ForeignLoggers().newest
UNLIMITED = 1 << 16
# What, which logger, how many rows, the longest payload of an answer, rounds.
WALKS = (
    ("24 hours, answers of 128 bytes", PastLogger(Logger.HOUR), 24, 128, 3),
    ("24 hours, answers of 256 bytes", PastLogger(Logger.HOUR), 24, 256, 3),
    ("24 hours in one answer", PastLogger(Logger.HOUR), 24, UNLIMITED, 3),
    ("460 days, answers of 256 bytes", PastLogger(Logger.DAY), 460, 256, 1),
    ("460 days in one answer", PastLogger(Logger.DAY), 460, UNLIMITED, 1),
    ("36 months, answers of 256 bytes", PastLogger(Logger.MONTH), 36, 256, 3),
    ("24 hours of a logger module (A2h)", RecordLog(), 24, 128, 3),
)


def rows(*, quick: bool) -> Iterator[Row]:
    """Bytes and time of each walk, as shares of the least there can be."""
    logging.disable(logging.CRITICAL)
    speed = 20.0 if quick else 1.0
    for what, logger, count, limit, rounds in WALKS:
        count = min(count, 40) if quick else count
        yield from against_the_limit(what, logger, count, limit, 1 if quick else rounds, speed)


def least(logger: PastLogger | RecordLog, count: int, limit: int) -> tuple[int, float]:
    """Bytes and seconds below which no reader of these rows gets, by an encoder that is not ours."""
    meter, octets, exchanges, left = ForeignLoggers(limit=limit), 0, 0, count
    while left:
        first = NEWEST - (count - left)
        request, taken = _request(logger, first, left)
        answer = meter.answer(request)
        octets += len(request) + len(answer)
        exchanges += 1
        left -= taken or _rows_in(meter, first, left)
    # 5512-447, 3.1: a byte time of rest between an answer and the next request.
    return octets, octets * BYTE_SECONDS + exchanges * (REPLY_DELAY + BYTE_SECONDS) - BYTE_SECONDS


def registers_of(logger: PastLogger | RecordLog) -> tuple[int, ...]:
    """A time stamp, energy and volume."""
    return REGISTERS if isinstance(logger, PastLogger) else OF_A_MODULE


def _request(logger: PastLogger | RecordLog, first: int, left: int) -> tuple[bytes, int]:
    """The request for the rest, and how many rows it asks for where the reader has to know (A2h)."""
    registers = registers_of(logger)
    ids = struct.pack(f">{len(registers)}H", *registers)
    if isinstance(logger, PastLogger):
        head = struct.pack(">BBBBIHB", 0x3F, 0xB8, 6, logger.number, first, left, len(registers))
        return frame(0x80, head + ids), 0
    # 5512-447, 6.3.1: what fits into 128 bytes with values of four bytes.
    taken = min(left, (128 - 8 - 5 * len(registers)) // (2 + 4 * len(registers)))
    head = bytes((0x7F, 0xA2, 1, len(registers))) + ids
    return frame(0x80, head + struct.pack(">BBH", taken, 128, first - taken + 1)), taken


def _rows_in(meter: ForeignLoggers, first: int, left: int) -> int:
    """How many rows the meter has just given."""
    head, row = 15 + 5 * len(REGISTERS), 15
    return min(left, (meter.limit - head) // row)


def against_the_limit(
    what: str, logger: PastLogger | RecordLog, count: int, limit: int, rounds: int, speed: float
) -> Iterator[Row]:
    least_bytes, least_seconds = least(logger, count, limit)
    with _paced_meter(speed, limit) as (meter, port):
        times = [asyncio.run(_timed(port, logger, count)) * speed / least_seconds for _ in range(rounds)]
        counted = json.loads(last_words(meter))
    share = (counted["bytes_in"] + counted["bytes_out"]) / rounds / least_bytes
    yield alone(f"KMP loggers, {what}: bytes on the wire", "of the limit", [share], 1.0)
    yield alone(f"KMP loggers, {what}: time at 1200 Bd", "of the limit", times, 1.05)


async def _timed(port: str, logger: PastLogger | RecordLog, count: int) -> float:
    async with KmpConnection(port) as connection:
        begin = time.monotonic()
        found = await read_window(connection, logger, NEWEST, count, registers_of(logger))
        seconds = time.monotonic() - begin
    assert [row.log_id for row in found] == list(range(NEWEST, NEWEST - count, -1))
    return seconds


@contextmanager
def _paced_meter(speed: float, limit: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The meter in a process of its own, and its port."""
    with child(start_meters("paced_meter", str(speed), str(limit))) as meter:
        yield meter, first_line(meter)
