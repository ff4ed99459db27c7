"""The client `street`: asks, publishes, waits."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from smart_meter_reader.exceptions import IncompleteError, NothingHeardError
from smart_meter_reader.messages import Health, Publish
from smart_meter_reader.meters.base import Client
from smart_meter_reader.transport import Transport, open_transport
from tests.new_family.street.codec import REQUEST, Answer, decode
from tests.new_family.street.settings import LINE, StreetSettings


async def ask(transport: Transport, seconds: float = 2.0) -> Answer:
    """One question. Raises FrameError, TransportError."""
    await transport.write(REQUEST)
    received = b""
    try:
        async with asyncio.timeout(seconds):
            while not received.endswith(b"\n"):
                received += await transport.read()
    except TimeoutError:
        if received:
            raise IncompleteError("incomplete", f"{received!r} and no line end", received) from None
        raise NothingHeardError(
            "no_echo_no_answer", "asked, and no answer: is the cable plugged in?"
        ) from None
    return decode(received)


class StreetClient(Client):
    """Reads one street meter."""

    def __init__(self, meter: str, settings: StreetSettings) -> None:
        self.meter = meter
        self.health: Health = {"valid_readings": 0}
        self._settings = settings

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        async with await open_transport(self._settings.port, LINE) as transport:
            while True:
                answer = await ask(transport)
                now = datetime.now(UTC)
                if not self.health["valid_readings"]:
                    await publish(
                        {
                            "type": "info",
                            "meter": self.meter,
                            "time": now,
                            "model": "Street 1",
                            "serial_number": answer.number,
                        }
                    )
                self.health["valid_readings"] += 1
                await publish(
                    {
                        "type": "reading",
                        "meter": self.meter,
                        "time": now,
                        "measurements": {"active_energy_import": {"value": answer.energy, "unit": "kWh"}},
                    }
                )
                if once:
                    return
                await asyncio.sleep(self._settings.interval.total_seconds())
