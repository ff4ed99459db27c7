"""Finding M-Bus meters: what `scan` asks at a port, and what `align` asks through the head."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.mbus.address import Address, Primary, Secondary, address_of
from smart_meter_reader.codecs.mbus.frame import ANY, FCB, LAST_PRIMARY, REQ_UD2, ShortFrame
from smart_meter_reader.codecs.mbus.telegram import MbusTelegram, parse_telegram
from smart_meter_reader.exceptions import ProtocolError
from smart_meter_reader.meters.conversation import unless_unanswered
from smart_meter_reader.meters.found import Found, Outcome, Question, tell_progress
from smart_meter_reader.meters.head import Probe, Sign, sign_of
from smart_meter_reader.meters.mbus.heard import HeardOnBus
from smart_meter_reader.meters.mbus.identity import identity_of
from smart_meter_reader.meters.mbus.line import MbusLine
from smart_meter_reader.meters.mbus.searching import EVERYWHERE, search_bus
from smart_meter_reader.meters.mbus.timing import BUS_LINE, BusTiming, line_at
from smart_meter_reader.transport import LineSettings, open_transport

# Most meters have the first one; Kamstrup's find out by themselves.
_SPEEDS: Final = (2400, 9600, 300)
_STAYS_AWAKE = 5.0
# EN 13757-2, 5.7.5: reserved, so that nobody answers there; what comes was not asked for.
_NOBODY: Final = 251


async def ask_bus(port: str, address: str = "") -> Outcome:
    """Every meter on a wired bus; with ``address`` the one that has it, or those among which it is.

    Politely: one request to any meter first, and the search through all numbers only where several answer.
    """
    whom = address_of(address) if address else Primary(ANY)
    if whom is None:
        return ""
    speeds = _SPEEDS[:1] if port.startswith("socket://") else _SPEEDS
    clues: list[str] = []
    for baud in speeds:
        line = line_at(baud)
        async with await open_transport(port, line) as transport:
            outcome = await _ask_at(MbusLine(transport, BusTiming(line), retries=0), port, whom)
        if isinstance(outcome, Found):
            return outcome
        if outcome:
            clues.append(f"at {baud} Bd {outcome}")
    return "; ".join(clues)


async def _ask_at(line: MbusLine, port: str, whom: Address) -> Found | str:
    """What is there at one speed: the meters, or in words what came instead."""
    if isinstance(whom, Primary):
        heard = await line.attempt(ShortFrame(REQ_UD2 | FCB, whom.number), wants_ack=False)
        if heard.answer is not None:
            try:
                return _found(port, line.timing.line, [(heard.answer.address, parse_telegram(heard.answer))])
            except ProtocolError as error:
                return f"an M-Bus meter answers: {error.detail}"
        if whom.number != ANY:
            return "several M-Bus meters answer at once" if heard.is_garbled else ""
        if heard.is_garbled and (noise := await _noise(line)):
            return noise
    within = whom if isinstance(whom, Secondary) else EVERYWHERE
    found, unclear = await search_bus(line, within, tell_progress)
    if not found:
        return "; ".join(unclear)
    return _found(port, line.timing.line, found, by_secondary=True, notes=tuple(unclear))


async def _noise(line: MbusLine) -> str:
    """Words for a line on which bytes come whoever is asked."""
    heard = await line.attempt(ShortFrame(REQ_UD2 | FCB, _NOBODY), wants_ack=False)
    if not heard.is_garbled:
        return ""
    return "bytes come though nobody is asked: a bus that floats, or a wrong parity (it is 8E1)"


def _found(
    port: str,
    line: LineSettings,
    meters: list[tuple[int, MbusTelegram]],
    *,
    by_secondary: bool = False,
    notes: tuple[str, ...] = (),
) -> Found:
    """All meters of a bus: the first one, with the others behind it."""
    primaries = [number for number, _ in meters]
    first, *others = [
        _meter(
            port,
            line,
            telegram,
            # A primary address that two meters have, or that none was given, names neither.
            number if _is_own(number, primaries, by_secondary=by_secondary) else None,
        )
        for number, telegram in meters
    ]
    return replace(first, others=tuple(others), notes=(*first.notes, *notes))


def _is_own(number: int, primaries: list[int], *, by_secondary: bool) -> bool:
    least = 1 if by_secondary else 0
    return least <= number <= LAST_PRIMARY and primaries.count(number) == 1


def _meter(
    port: str, line: LineSettings, telegram: MbusTelegram, number: int | None, *, wake_up: bool = False
) -> Found:
    identity = identity_of(telegram)
    keys: dict[str, str | int] = {}
    if number is not None and not wake_up:
        keys["address"] = number
    elif telegram.header.id and not wake_up:
        keys["secondary_address"] = telegram.header.id
    if line.baud != BUS_LINE.baud:
        keys["baud"] = line.baud
    keys |= {"wake_up": "0x55", "interval": "1h"} if wake_up else {"interval": "1min"}
    return Found(
        port,
        "M-Bus at its optical head" if wake_up else "M-Bus",
        line,
        identity.kind,
        manufacturer=identity.manufacturer,
        model=identity.model,
        serial_number=identity.serial_number or telegram.header.id,
        keys=MappingProxyType(keys),
    )


async def ask_head(port: str, _address: str = "") -> Outcome:
    """Wake a meter as M-Bus wants it at an optical head, and ask it. Raises TransportError."""
    async with await open_transport(port, BUS_LINE) as transport:
        line = MbusLine(transport, retries=1, through_head=True)
        try:
            telegram = await unless_unanswered(line.read_out(Primary(ANY)))
        except ProtocolError as error:
            return f"a meter answers in M-Bus: {error.detail}"
    if telegram is None:
        return ""
    return _meter(port, BUS_LINE, telegram, None, wake_up=True)


BUS = Question("asking on an M-Bus at 2400, 9600 and 300 Bd", 5.0, ask_bus)
HEAD = Question("waking a meter that speaks M-Bus, and asking it at 2400 Bd", 9.0, ask_head)


def sign_of_answer(heard: HeardOnBus) -> Sign:
    """What was heard after a request."""
    return sign_of(
        clean=heard.answer is not None,
        damaged=heard.damage is not None,
        echo=heard.echo,
        heard=heard.count > 0,
    )


@asynccontextmanager
async def head_probe(port: str, address: str = "") -> AsyncIterator[Probe]:
    """Asks for one telegram, and wakes the meter where it has said nothing for some time.

    Raises TransportError, and ProtocolError for an address that M-Bus has not.
    """
    whom = address_of(address) if address else Primary(ANY)
    if not isinstance(whom, Primary):
        raise ProtocolError("address", f"{address} is no address for a head: a number from 0 to 250 is")
    number = whom.number
    async with await open_transport(port, BUS_LINE) as transport:
        line = MbusLine(transport)
        loop = asyncio.get_running_loop()
        heard_at = float("-inf")
        fcb = FCB

        async def probe() -> Sign:
            nonlocal heard_at, fcb
            if loop.time() - heard_at > _STAYS_AWAKE:
                await line.wake()
            heard = await line.attempt(ShortFrame(REQ_UD2 | fcb, number), wants_ack=False)
            if heard.answer is not None:
                heard_at = loop.time()
            fcb ^= FCB
            return sign_of_answer(heard)

        yield probe
