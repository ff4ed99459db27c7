"""One IEC 62056-21 sign-on: who answers, or what was heard instead."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from smart_meter_reader.codecs.iec62056_21.frame import Frame, FrameReader, Identification, Request
from smart_meter_reader.codecs.iec62056_21.request import sign_on
from smart_meter_reader.exceptions import FrameError
from smart_meter_reader.transport import Transport

# IEC 62056-21 §6.3.14: 1500 ms at most between a request and its answer, and between two characters.
WAKE_UP = 2.2
WAKE_UP_REST = 1.6
_REACTION = 1.8
_GAP = 1.6
# A meter that sends its whole readout after the sign-on (mode A) is heard out for so long.
_LONGEST = 30.0


@dataclass(slots=True)
class SignOn:
    """What followed a sign-on. ``reader`` may hold the begin of the readout behind the identification."""

    identification: Identification | None = None
    echo: bool = False
    damaged: bool = False
    heard: int = 0  # bytes of any kind
    reader: FrameReader = field(default_factory=FrameReader)


async def sign_on_once(transport: Transport, *, wake_up: bool = False, address: str = "") -> SignOn:
    """Send ``/?!`` once and listen for the identification. Raises TransportError.

    ``wake_up``: behind the NULs that a sleeping meter wants (IEC 62056-21 annex B).
    """
    transport.keep_parity = True  # the codec judges it
    if wake_up:
        await transport.write(b"\x00" * (int(WAKE_UP / transport.line.seconds(1)) + 1))
        await transport.wait_sent()
        await asyncio.sleep(WAKE_UP_REST)
    transport.discard_input()
    await transport.write(sign_on(address))
    await transport.wait_sent()
    result = SignOn()
    loop = asyncio.get_running_loop()
    until = loop.time() + _REACTION
    end = until + _LONGEST
    try:
        while result.identification is None:
            async with asyncio.timeout_at(min(until, end)):
                received = await transport.read()
            result.heard += len(received)
            result.reader.receive_data(received)
            _take_frames(result)
            until = loop.time() + (_GAP if not result.reader.is_empty else _REACTION)
    except TimeoutError:
        result.damaged = result.damaged or not result.reader.is_empty
    return result


async def until_silent(transport: Transport) -> None:
    """Hear out a meter that goes on to send. Raises TransportError."""
    end = asyncio.get_running_loop().time() + _LONGEST
    try:
        while asyncio.get_running_loop().time() < end:
            async with asyncio.timeout(_GAP):
                await transport.read()
    except TimeoutError:
        pass  # silent now


def _take_frames(result: SignOn) -> None:
    while result.identification is None:
        frame: Frame | None
        try:
            frame = result.reader.next_frame()
        except FrameError:
            result.damaged = True
            continue
        if frame is None:
            return
        if isinstance(frame, Identification):
            result.identification = frame
        elif isinstance(frame, Request):
            result.echo = True
        else:
            result.damaged = True  # the begin of the answer got lost
