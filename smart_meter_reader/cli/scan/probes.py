"""The protocols that a scan tries: listening for P1, then one request each of KMP, IEC 62056-21, MULTICAL.

Each gives the meter found, or a clue: a sentence on what was heard instead, "" for nothing at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from smart_meter_reader.codecs.iec62056_21.codes import serial_number
from smart_meter_reader.codecs.iec62056_21.data_set import parse_data_sets
from smart_meter_reader.codecs.iec62056_21.frame import DataBlock, Identification
from smart_meter_reader.codecs.iec62056_21.message import manufacturer_name
from smart_meter_reader.codecs.iec62056_21.request import MODE_D_BAUD, option_select
from smart_meter_reader.codecs.p1.garbage import EXPLANATIONS, recognise
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.codecs.parity import strip_parity
from smart_meter_reader.exceptions import (
    DecryptionError,
    ExplainedError,
    FrameError,
    TransportError,
)
from smart_meter_reader.meters.found import Found
from smart_meter_reader.meters.iec62056_21.identity import MODELS, model_of
from smart_meter_reader.meters.iec62056_21.line import SIGN_ON_LINE, MeterLine
from smart_meter_reader.meters.iec62056_21.sign_on import SignOn, sign_on_once
from smart_meter_reader.meters.kmp.connection import OPTICAL_LINE, KmpConnection
from smart_meter_reader.meters.kmp.identity import (
    UNANSWERED,
    read_serial_register,
    type_name,
    unless_unanswered,
)
from smart_meter_reader.meters.p1.settings import FAST, SLOW
from smart_meter_reader.transport import LineSettings, Transport, open_transport

Outcome = Found | str

# DSMR 4 and later; DSMR 2.2 and 3; IEC 62056-21 mode D.
PUSH_LINES: Sequence[LineSettings] = (FAST, SLOW, LineSettings(MODE_D_BAUD, 7, "E", 1))
# What is looked through when no telegram came: the last of it, several telegrams long.
_JUDGED = 64 * 1024
_READOUT = 60.0
_READOUT_GAP = 3.0
_REACTION = 0.25  # IEC 62056-21 §6.3.14: 200 to 1500 ms


@dataclass(slots=True)
class Heard:
    """What listening without a word brought."""

    outcome: Outcome
    count: int  # bytes


async def listen(port: str, line: LineSettings, seconds: float) -> Heard:
    """Wait for a P1 telegram, plain or encrypted. Raises TransportError when the port cannot be used."""
    reader = P1Reader()
    received = bytearray()
    count = 0
    async with await open_transport(port, line) as transport:
        try:
            async with asyncio.timeout(seconds):
                while True:
                    chunk = await transport.read()
                    count += len(chunk)
                    received = (received + chunk)[-_JUDGED:]
                    reader.receive_data(chunk)
                    found = _telegram_in(reader, port, line)
                    if found is not None:
                        return Heard(found, count)
        except TimeoutError:
            return Heard(_judge_silence(bytes(received), count, port, line), count)


def _judge_silence(received: bytes, count: int, port: str, line: LineSettings) -> Outcome:
    """No telegram within the time: parity that is still in the bytes, another protocol, or noise."""
    kind = recognise(received)
    if kind == "parity":
        reader = P1Reader()
        reader.receive_data(strip_parity(received))
        found = _telegram_in(reader, port, line)
        if found is not None:
            return found
    if kind in ("hdlc", "mbus"):
        return EXPLANATIONS[kind]
    return f"{count} bytes that are no telegram came by themselves at {line}" if received else ""


def _telegram_in(reader: P1Reader, port: str, line: LineSettings) -> Found | None:
    while True:
        try:
            telegram = reader.next_telegram()
        except FrameError:
            continue
        except DecryptionError as error:
            return _encrypted(port, line, error)
        return None if telegram is None else _plain(port, line, telegram)


def _plain(port: str, line: LineSettings, telegram: Telegram) -> Found:
    identity = telegram.identity
    return Found(
        port,
        "dsmr",
        "P1",
        line,
        "electricity",
        manufacturer=identity.manufacturer,
        model=identity.model,
        serial_number=identity.serial_number,
        dialect=identity.dialect,
        keys=_keys_of(port, line),
    )


def _encrypted(port: str, line: LineSettings, error: DecryptionError) -> Found:
    return Found(
        port,
        "dsmr",
        "encrypted P1",
        line,
        "electricity",
        keys=_keys_of(port, line),
        notes=(error.detail, "keys belong into .secrets.toml, under the same table name"),
    )


def _keys_of(port: str, line: LineSettings) -> Mapping[str, str | int]:
    """The speed, where it is ours to set, and an interval: without one every telegram is published."""
    speed: dict[str, str | int] = {} if port.startswith("socket://") else {"baud": line.baud}
    return MappingProxyType({**speed, "interval": "10s"})


async def ask_kmp(port: str) -> Outcome:
    """GetType, and the register of the serial number where that is not answered: two requests at most.

    The first wakes a meter that sleeps, the second is answered by meters that know no GetType.
    """
    async with KmpConnection(port, retries=0) as meter:
        kind = await unless_unanswered(meter.read_type())
        try:
            number = await read_serial_register(meter)
        except ExplainedError as error:
            if error.reason not in UNANSWERED:
                raise
            if kind is None:
                return "" if error.reason == "no_echo_no_answer" else _clue(error)
            number = ""
        if kind is None:
            kind = await unless_unanswered(meter.read_type())
        elif not number:
            number = str(await unless_unanswered(meter.read_serial_number()) or "")
    return Found(
        port,
        "kamstrup",
        "KMP",
        OPTICAL_LINE,
        "heat",
        manufacturer="Kamstrup",
        model=type_name(kind),
        serial_number=number,
        keys=MappingProxyType({"interval": "1h"}),
    )


async def ask_sign_on(port: str) -> Outcome:
    """IEC 62056-21 sign-on, and the readout that follows it, for the serial number."""
    async with await open_transport(port, SIGN_ON_LINE) as transport:
        result = await sign_on_once(transport)
        if result.identification is None:
            if result.damaged:
                return "the answer to the sign-on came damaged: move the head a little"
            return "the head returns the sign-on, the meter does not answer it" if result.echo else ""
        number = await _number(transport, result, result.identification)
    identification = result.identification
    model = model_of(identification)
    return Found(
        port,
        "iec62056_21",
        f"IEC 62056-21 mode {identification.mode}",
        SIGN_ON_LINE,
        "electricity" if model == "382" else "heat" if model != "generic" else "meter",
        manufacturer=manufacturer_name(identification.manufacturer),
        model=MODELS[model].name or identification.ident,
        serial_number=number,
        keys=MappingProxyType({"interval": "1h"}),
    )


async def _number(transport: Transport, result: SignOn, identification: Identification) -> str:
    """The serial number in the readout; "" when that does not come within a minute."""
    try:
        async with asyncio.timeout(_READOUT):
            await _choose_speed(transport, identification)
            text = await _block(transport, result)
    except (TimeoutError, TransportError, FrameError):
        return ""  # who the meter is was told before; the client gets the readout with its repeats
    return serial_number(parse_data_sets(text).sets)


async def _choose_speed(transport: Transport, identification: Identification) -> None:
    if identification.mode == "C":
        await asyncio.sleep(_REACTION)
        await transport.write(option_select(identification.baud_character))
    if identification.mode != "A":
        line = SIGN_ON_LINE
        await transport.change_line(
            LineSettings(identification.baud, line.bytesize, line.parity, line.stopbits)
        )


async def _block(transport: Transport, result: SignOn) -> bytes:
    while True:
        frame = result.reader.next_frame()
        if isinstance(frame, DataBlock):
            return frame.text
        if frame is None:
            async with asyncio.timeout(_READOUT_GAP):
                result.reader.receive_data(await transport.read())


async def ask_short(port: str) -> Outcome:
    """The short request ``/#1``, which older MULTICALs answer; then ``/#2`` for the number."""
    async with MeterLine(port, retries=0) as meter:
        try:
            await meter.ask_short("#1")
        except ExplainedError as error:
            if error.reason not in UNANSWERED:
                raise
            return "" if error.reason == "no_echo_no_answer" else _clue(error)
        second = await unless_unanswered(meter.ask_short("#2"))
    number = second.fields.get("customer_no", "").lstrip("0") if second else ""
    return Found(
        port,
        "iec62056_21",
        "short requests (/#1)",
        SIGN_ON_LINE,
        "heat",
        manufacturer="Kamstrup",
        model="MULTICAL 66-CDE or III",
        serial_number=number,
        keys=MappingProxyType({"model": "multical_66c", "interval": "1h"}),
        notes=("compare the values with the display; energy_unit and energy_decimals correct them",),
    )


def _clue(error: ExplainedError) -> str:
    """What the error says, without the port that it names first."""
    return error.detail.partition(": ")[2] or error.detail
