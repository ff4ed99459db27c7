"""Finding KMP meters: what `scan` asks at a port, and what `align` asks through the head."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from types import MappingProxyType

from smart_meter_reader.codecs.kmp import HEAT_METER, GetRegisterRequest
from smart_meter_reader.codecs.kmp.meters import MANUFACTURER
from smart_meter_reader.exceptions import NothingHeardError, ProtocolError
from smart_meter_reader.meters.backfill.cost import LineCost
from smart_meter_reader.meters.conversation import UNANSWERED, unless_unanswered
from smart_meter_reader.meters.found import Found, Outcome, Question, clue
from smart_meter_reader.meters.head import Probe, Sign, sign_of
from smart_meter_reader.meters.kmp.connection import KmpConnection, Timing
from smart_meter_reader.meters.kmp.identity import SERIAL_NUMBER, read_serial_register, serial_in, type_name
from smart_meter_reader.meters.kmp.lines import ELECTRICITY_LINE, OPTICAL_LINE
from smart_meter_reader.meters.kmp.listening import Attempt
from smart_meter_reader.meters.kmp.loggers.costs import DATE_AND_TIME, HOURLY_REGISTERS, day_costs
from smart_meter_reader.meters.kmp.settings import KamstrupSettings
from smart_meter_reader.text import is_digits
from smart_meter_reader.transport.line import LineSettings

HEAT_ENERGY = 60
_COOLING_ENERGY, _VOLUME = 63, 68


async def ask_kmp(port: str, address: str = "", line: LineSettings = OPTICAL_LINE) -> Outcome:
    """GetType, and the register of the serial number, with that which tells water from heat: two requests.

    The first wakes a meter that sleeps, the second is answered by meters that know no GetType.
    """
    destination = _destination(address)
    if destination is None:
        return ""
    async with KmpConnection(port, line, retries=0, address=destination) as meter:
        kind = await unless_unanswered(meter.read_type())
        medium = "electricity" if line is ELECTRICITY_LINE else "heat"
        try:
            if kind is None or line is ELECTRICITY_LINE:
                number = await read_serial_register(meter)
            else:
                number, medium = await _number_and_medium(meter)
        except UNANSWERED as error:
            if kind is None:
                return "" if isinstance(error, NothingHeardError) else clue(error)
            number = ""
        if kind is None:
            kind = await unless_unanswered(meter.read_type())
        elif not number:
            number = str(await unless_unanswered(meter.read_serial_number()) or "")
    return Found(
        port,
        "KMP",
        line,
        medium,
        manufacturer=MANUFACTURER,
        model=type_name(kind),
        serial_number=number,
        keys=MappingProxyType(_keys(line, destination)),
        notes=() if line is ELECTRICITY_LINE else (_gentlest(line),),
    )


async def _number_and_medium(meter: KmpConnection) -> tuple[str, str]:
    """The serial number, and "water" of a meter that counts volume and no energy: one request as a rule."""
    asked = (HEAT_ENERGY, _COOLING_ENERGY, _VOLUME)
    registers = await meter.read_registers([SERIAL_NUMBER, *asked], doubtful=asked)
    counts_volume_alone = registers.keys() & set(asked) == {_VOLUME}
    return serial_in(registers), "water" if counts_volume_alone else "heat"


def _gentlest(line: LineSettings) -> str:
    """What the battery pays for hourly values, either way."""
    settings = KamstrupSettings(port="")
    costs = day_costs(
        LineCost(line.baud, line.bits_per_byte),
        len(settings.plan[0].registers),
        (DATE_AND_TIME, *HOURLY_REGISTERS),
    )
    return f"what hourly values cost the battery: {costs}, if it has an hour logger: `logs` tells"


def _destination(address: str) -> int | None:
    """The destination address; None for one that KMP does not have: it is another protocol's."""
    if not address:
        return HEAT_METER
    return int(address) if is_digits(address, 3) and int(address) <= 0xFF else None


def _keys(line: LineSettings, destination: int) -> dict[str, str | int]:
    address = {} if destination == HEAT_METER else {"address": destination}
    if line is ELECTRICITY_LINE:
        return {
            **address,
            "baud": line.baud,
            "stopbits": line.stopbits,
            "interval": "1min",
            "mains_powered": True,
        }
    return {**address, "interval": "1h"}


QUESTION = Question("asking in KMP at 1200 Bd", 2.0, ask_kmp)
ELECTRICITY = Question(
    "asking in KMP at 9600 Bd, as a 382 speaks", 9.0, partial(ask_kmp, line=ELECTRICITY_LINE)
)


def sign_of_answer(attempt: Attempt) -> Sign:
    """What was heard after a request. A whole answer counts, also one that somebody else asked for."""
    return sign_of(
        clean=attempt.answer is not None or bool(attempt.strangers),
        damaged=bool(attempt.damaged),
        echo=bool(attempt.echo),
        heard=bool(attempt.heard),
    )


@asynccontextmanager
async def head_probe(port: str, address: str = "") -> AsyncIterator[Probe]:
    """Asks for one register. Raises TransportError, and ProtocolError for an address that KMP has not."""
    destination = _destination(address)
    if destination is None:
        raise ProtocolError("address", f"{address} is no address of KMP, which is a number up to 255")
    request = GetRegisterRequest((HEAT_ENERGY,))
    async with KmpConnection(port, OPTICAL_LINE, timing=Timing(answer=1.0), address=destination) as meter:

        async def probe() -> Sign:
            return sign_of_answer(await meter.try_once(request))

        yield probe
