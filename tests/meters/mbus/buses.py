"""Emulated buses and clients of them, as quick as the machine is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.meters.mbus.client import MbusClient
from smart_meter_reader.meters.mbus.emulator import FAULTS, EmulatedBus, EmulatedMbusMeter, meter_of
from smart_meter_reader.meters.mbus.settings import MbusSettings
from smart_meter_reader.settings.schedule import Schedule

SOON = Schedule(interval=timedelta(milliseconds=50))
# A busy machine answers late; whoever is silent is waited for as long.
DELAY = timedelta(milliseconds=250)


def bus(*faults: str, meters: Sequence[EmulatedMbusMeter] = (), rate: float = 0.0) -> EmulatedBus:
    """Meters that think no time; one MULTICAL at address 1 by default."""
    return EmulatedBus(
        meters or (meter_of("multical_403", address=1),),
        faults=parse_faults(faults, FAULTS),
        reply_delay=0.0,
        rate=rate,
    )


def client(port: str, name: str = "heat", **settings: Any) -> MbusClient:
    """A client at 9600 Bd, so that bytes take no time to speak of."""
    usual: dict[str, Any] = {"port": port, "baud": 9600, "converter_delay": DELAY, "interval": SOON}
    return MbusClient(name, MbusSettings(**(usual | settings)))
