"""Placing a head on a meter that sends by itself, in mode D of IEC 62056-21: it is heard, not asked."""

from __future__ import annotations

import asyncio
import re

from smart_meter_reader.codecs.iec62056_21.frame import DataBlock, FrameReader
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.meters.head import Sign, sign_of
from smart_meter_reader.meters.iec62056_21.lines import PUSH_LINE
from smart_meter_reader.transport import Transport, open_transport

# Telegrams follow each other within four seconds as a rule; align waits as long before it asks.
_PUSH_PAUSE = 4.0
_LONGEST_PUSH = 12.0
_KEPT = 4096
_DATA_SET = re.compile(rb"[0-9]\.[0-9]+[^()\r\n]{0,8}\([^()\r\n]*\)")


async def sends_by_itself(port: str) -> bool:
    """Whether data sets come without a question; takes some seconds. Raises TransportError."""
    received = b""
    async with await open_transport(port, PUSH_LINE) as transport:
        transport.keep_parity = True
        try:
            async with asyncio.timeout(_PUSH_PAUSE):
                while not _DATA_SET.search(received):
                    read = bytes(byte & 0x7F for byte in await transport.read())
                    received = (received + read)[-_KEPT:]
        except TimeoutError:
            return False
    return True


async def hear_once(transport: Transport) -> Sign:
    """What the next telegram that comes by itself is like. Raises TransportError."""
    transport.keep_parity = True
    reader = FrameReader()
    heard = damaged = False
    try:
        async with asyncio.timeout(_LONGEST_PUSH):
            while True:
                reader.receive_data(await transport.read())
                heard = True
                try:
                    while (frame := reader.next_frame()) is not None:
                        if isinstance(frame, DataBlock):
                            return Sign.PUSHED
                except FrameError:
                    damaged = True
    except TimeoutError:
        return sign_of(clean=False, damaged=damaged, echo=False, heard=heard)
