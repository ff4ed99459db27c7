"""Finding street meters, and placing a head on one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from smart_meter_reader.exceptions import FrameError, NothingHeardError
from smart_meter_reader.meters.found import Found, Outcome, Question
from smart_meter_reader.meters.head import Probe, Sign
from smart_meter_reader.transport import open_transport
from tests.new_family.street.client import ask
from tests.new_family.street.settings import LINE


async def ask_street(port: str, address: str = "") -> Outcome:
    """One question."""
    async with await open_transport(port, LINE) as transport:
        try:
            answer = await ask(transport, 1.0)
        except FrameError as error:
            return error.detail
        except NothingHeardError:
            return ""
    return Found(port, "Street", LINE, "electricity", model="Street 1", serial_number=answer.number)


QUESTION = Question("asking in the street's way", 1.0, ask_street)


@asynccontextmanager
async def head_probe(port: str, address: str = "") -> AsyncIterator[Probe]:
    """Asks again and again."""
    async with await open_transport(port, LINE) as transport:

        async def probe() -> Sign:
            try:
                await ask(transport, 1.0)
            except FrameError:
                return Sign.DAMAGED
            return Sign.CLEAN

        yield probe
