"""Finding meters that send SML: what `scan` makes of bytes that come by themselves, and `align` of a head."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from types import MappingProxyType

from smart_meter_reader.codecs.sml.frame import FrameReader, SmlFrame
from smart_meter_reader.codecs.sml.garbage import EXPLANATIONS, recognise
from smart_meter_reader.codecs.sml.identity import identity_of
from smart_meter_reader.codecs.sml.measure import maker_of, pin_missing
from smart_meter_reader.codecs.sml.telegram import ValueList
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.meters.found import Found, Listening, Outcome, Unread
from smart_meter_reader.meters.head import Probe, Sign, sign_of
from smart_meter_reader.meters.sml.heard import PIN_HOW_TO, PIN_SENTENCE
from smart_meter_reader.meters.sml.lines import LINE
from smart_meter_reader.transport import LineSettings, Transport, open_transport

# Telegrams come every one to four seconds.
_LONGEST_PAUSE = 6.0


class SmlHearing:
    """Waits for a telegram."""

    def __init__(self, port: str, line: LineSettings) -> None:
        self._port = port
        self._line = line
        self._reader = FrameReader()
        self._damaged = 0

    def receive_data(self, received: bytes) -> Found | None:
        """The meter, once a telegram is whole."""
        self._reader.receive_data(received)
        while True:
            try:
                frame = self._reader.next_frame()
            except FrameError:
                self._damaged += 1
                continue
            if frame is None:
                return None
            if (values := _values_in(frame)) is not None:
                return self._found(values)

    def judge(self) -> Outcome:
        """What came instead of a whole telegram."""
        try:
            self._reader.end_of_data()
        except FrameError:
            self._damaged += 1
        if self._damaged:
            # It has no ear, so that there is no use in asking.
            return Unread(
                "this port sends SML, all of it damaged or cut: move the head a little, or listen longer"
            )
        kind = recognise(self._reader.unrecognised)
        return "" if kind == "unknown" else EXPLANATIONS[kind]

    def _found(self, values: ValueList) -> Found:
        identity = identity_of(values.server_id, maker_of(values))
        speed = {} if self._port.startswith("socket://") or self._line == LINE else {"baud": self._line.baud}
        return Found(
            self._port,
            "SML",
            self._line,
            "electricity",
            manufacturer=identity.manufacturer,
            serial_number=identity.serial_number,
            keys=MappingProxyType({**speed, "interval": "10s"}),
            notes=(f"{PIN_SENTENCE}: {PIN_HOW_TO}",) if pin_missing(values) else (),
        )


LISTENING = Listening((LINE,), SmlHearing)


@asynccontextmanager
async def head_probe(port: str, address: str = "") -> AsyncIterator[Probe]:
    """Hears what comes by itself; there is nothing to ask. Raises TransportError."""
    async with await open_transport(port, LINE) as transport:
        yield partial(_hear_once, transport, FrameReader())


async def _hear_once(transport: Transport, reader: FrameReader) -> Sign:
    """What the next telegram is like. Raises TransportError."""
    heard = False
    try:
        async with asyncio.timeout(_LONGEST_PAUSE):
            while True:
                try:
                    if reader.next_frame() is not None:
                        return Sign.PUSHED
                except FrameError:
                    return Sign.DAMAGED
                reader.receive_data(await transport.read())
                heard = True
    except TimeoutError:
        return sign_of(clean=False, damaged=False, echo=False, heard=heard)


def _values_in(frame: SmlFrame) -> ValueList | None:
    return next((message.values for message in frame.messages if message.values is not None), None)
