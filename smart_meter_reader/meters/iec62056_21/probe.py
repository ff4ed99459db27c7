"""Finding IEC 62056-21 meters: what `scan` asks at a port, and what `align` asks through the head."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from smart_meter_reader.codecs.iec62056_21.capture import decode_capture
from smart_meter_reader.codecs.iec62056_21.data_set import parse_data_sets
from smart_meter_reader.codecs.iec62056_21.frame import DataBlock, Identification, Request
from smart_meter_reader.codecs.iec62056_21.message import manufacturer_name
from smart_meter_reader.codecs.iec62056_21.multical import ShortAnswer
from smart_meter_reader.codecs.iec62056_21.request import (
    SHORT_ANSWER_BAUD,
    option_select,
    short_request,
)
from smart_meter_reader.codecs.iec62056_21.serials import serial_number
from smart_meter_reader.exceptions import FrameError, NothingHeardError, TransportError
from smart_meter_reader.meters.conversation import UNANSWERED, unless_unanswered
from smart_meter_reader.meters.found import Found, Outcome, Question, clue
from smart_meter_reader.meters.head import Probe, Sign, sign_of
from smart_meter_reader.meters.iec62056_21.identity import MODELS, model_of
from smart_meter_reader.meters.iec62056_21.line import MeterLine
from smart_meter_reader.meters.iec62056_21.lines import LINE_END, PUSH_LINE, SIGN_ON_LINE
from smart_meter_reader.meters.iec62056_21.pushing import hear_once, sends_by_itself
from smart_meter_reader.meters.iec62056_21.settings import LANDIS_GYR
from smart_meter_reader.meters.iec62056_21.sign_on import SignOn, sign_on_once, until_silent
from smart_meter_reader.transport import Transport, open_transport

# MULTICAL answers after 0.3 to 2 s, with 81 bytes; an echo comes before that.
SHORT_REACTION, SHORT_GAP, _LONGEST_SHORT = 2.5, 1.5, 1000
_READOUT = 60.0
_READOUT_GAP = 3.0
_REACTION = 0.25  # IEC 62056-21 §6.3.14: 200 to 1500 ms


async def ask_sign_on(port: str, address: str = "", *, wake_up: bool = False) -> Outcome:
    """IEC 62056-21 sign-on, and the readout that follows it, for the serial number."""
    async with await open_transport(port, SIGN_ON_LINE) as transport:
        result = await sign_on_once(transport, wake_up=wake_up, address=address)
        if result.identification is None:
            if result.damaged:
                return "the answer to the sign-on came damaged: move the head a little"
            return "the head returns the sign-on, the meter does not answer it" if result.echo else ""
        number = await _number(transport, result, result.identification)
    identification = result.identification
    model = model_of(identification)
    return Found(
        port,
        f"IEC 62056-21 mode {identification.mode}",
        SIGN_ON_LINE,
        "electricity" if model == "382" else "heat" if model != "generic" else "meter",
        manufacturer=manufacturer_name(identification.manufacturer),
        model=MODELS[model].name or identification.ident,
        serial_number=number,
        keys=MappingProxyType({**({"address": address} if address else {}), **_keys(model, woken=wake_up)}),
    )


def _keys(model: str, *, woken: bool) -> dict[str, str | int]:
    if model in LANDIS_GYR:
        return {"model": model, "interval": "1d"}
    return {"interval": "1h", **({"wake_up": "nul"} if woken else {})}


async def _number(transport: Transport, result: SignOn, identification: Identification) -> str:
    """The serial number in the readout; "" when that does not come within a minute."""
    try:
        async with asyncio.timeout(_READOUT):
            await _choose_speed(transport, identification)
            found = parse_data_sets(await _block(transport, result))
    except (TimeoutError, TransportError, FrameError):
        return ""  # who the meter is was told before; the client gets the readout with its repeats
    announced = f"{identification.manufacturer}{identification.ident}"
    return serial_number(found.sets, announced)


async def _choose_speed(transport: Transport, identification: Identification) -> None:
    if identification.mode == "C":
        await asyncio.sleep(_REACTION)
        await transport.write(option_select(identification.baud_character))
    elif identification.mode == "B":
        await asyncio.sleep(LINE_END)
    if identification.mode != "A":
        await transport.change_line(replace(SIGN_ON_LINE, baud=identification.baud))


async def _block(transport: Transport, result: SignOn) -> bytes:
    while True:
        frame = result.reader.next_frame()
        if isinstance(frame, DataBlock):
            return frame.text
        if frame is None:
            async with asyncio.timeout(_READOUT_GAP):
                result.reader.receive_data(await transport.read())


async def ask_short(port: str, address: str = "") -> Outcome:
    """The short request ``/#1``, which older MULTICALs answer; then ``/#2`` for the number. No address."""
    async with MeterLine(port, retries=0) as meter:
        try:
            await meter.ask_short("#1")
        except UNANSWERED as error:
            return "" if isinstance(error, NothingHeardError) else clue(error)
        second = await unless_unanswered(meter.ask_short("#2"))
    number = second.fields.get("customer_no", "").lstrip("0") if second else ""
    return Found(
        port,
        "short requests (/#1)",
        SIGN_ON_LINE,
        "heat",
        manufacturer="Kamstrup",
        model="MULTICAL 66-CDE or III",
        serial_number=number,
        keys=MappingProxyType({"model": "multical_66c", "interval": "1h"}),
        notes=("compare the values with the display; energy_unit and energy_decimals correct them",),
    )


SIGN_ON = Question("signing on by IEC 62056-21 at 300 Bd", 3.0, ask_sign_on)
SLEEPING = Question(
    "waking a meter that sleeps, as a UH50 does, and signing on", 8.0, partial(ask_sign_on, wake_up=True)
)
SHORT_REQUEST = Question("asking an older MULTICAL (/#1) at 300 Bd", 6.0, ask_short)


def sign_of_answer(result: SignOn) -> Sign:
    """What was heard after a sign-on."""
    return sign_of(
        clean=result.identification is not None,
        damaged=bool(result.damaged),
        echo=bool(result.echo),
        heard=bool(result.heard),
    )


@asynccontextmanager
async def head_probe(port: str, address: str = "") -> AsyncIterator[Probe]:
    """Asks who the meter is, or for /#1 where nothing else helps; hears one that sends by itself.

    Raises TransportError.
    """
    if await sends_by_itself(port):
        async with await open_transport(port, PUSH_LINE) as transport:
            yield partial(hear_once, transport)
        return
    async with await open_transport(port, SIGN_ON_LINE) as transport:
        asks: tuple[Callable[[], Awaitable[Sign]], ...] = (
            partial(_sign_on_sign, transport, address),
            # It sleeps, or is a MULTICAL that answers short requests only.
            partial(_sign_on_sign, transport, address, wake_up=True),
            partial(_short_sign, transport),
        )
        turn, answered = 0, False

        async def probe() -> Sign:
            nonlocal turn, answered
            sign = await asks[turn]()
            answered = answered or sign is Sign.CLEAN  # to that it answers, wherever the head goes now
            if not answered and sign is not Sign.DAMAGED:
                turn = turn % 2 + 1
            return sign

        yield probe


async def _sign_on_sign(transport: Transport, address: str, *, wake_up: bool = False) -> Sign:
    await transport.change_line(SIGN_ON_LINE)
    result = await sign_on_once(transport, wake_up=wake_up, address=address)
    if result.heard:
        await until_silent(transport)
    return sign_of_answer(result)


async def _short_sign(transport: Transport) -> Sign:
    """What comes back on /#1, at the speed of its answer."""
    await transport.change_line(SIGN_ON_LINE)
    transport.keep_parity = True
    transport.discard_input()
    await transport.write(short_request("#1"))
    await transport.wait_sent()
    await transport.change_line(replace(SIGN_ON_LINE, baud=SHORT_ANSWER_BAUD))
    heard = b""
    try:
        while len(heard) < _LONGEST_SHORT:
            async with asyncio.timeout(SHORT_GAP if heard else SHORT_REACTION):
                heard += await transport.read()
    except TimeoutError:
        pass  # that was all
    return _sign_of_short(heard)


def _sign_of_short(heard: bytes) -> Sign:
    decoded = decode_capture(heard, "#1") if heard else []
    return sign_of(
        clean=any(isinstance(answer, ShortAnswer) for answer in decoded),
        damaged=any(isinstance(answer, FrameError) for answer in decoded),
        echo=any(isinstance(answer, Request) for answer in decoded),
        heard=bool(heard),
    )
