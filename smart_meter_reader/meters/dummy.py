"""The client `dummy`: a meter that exists only here, with deterministic values of every kind of quantity."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from smart_meter_reader.drivers import simulated
from smart_meter_reader.messages import Health, Info, Publish, Reading
from smart_meter_reader.meters.base import Client, ClientSettings, count_reading
from smart_meter_reader.quantities import QUANTITIES, Kind, Quantity
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.settings.schema import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class DummySettings(ClientSettings):
    """Settings of the client `dummy`."""

    interval: timedelta = setting(
        "time between readings", default=timedelta(seconds=5), minimum=timedelta(milliseconds=1)
    )
    seed: int = setting("another seed gives other values; the same seed the same ones", default=0)
    quantities: tuple[str, ...] = setting(
        "quantity keys to send; empty means one of every kind", default=(), choices=tuple(QUANTITIES)
    )
    count: int = setting("stop after so many readings; 0 means never", default=0, minimum=0)


@dataclass(frozen=True, slots=True)
class _Span:
    """Where the values of a kind lie: decimals as a real meter sends them, and the unit."""

    low: int
    high: int
    decimals: int
    unit: str


_RANGES: dict[Kind, _Span] = {
    Kind.ENERGY: _Span(100_000, 900_000, 3, "GJ"),
    Kind.REACTIVE_ENERGY: _Span(10_000, 90_000, 3, "kvarh"),
    Kind.APPARENT_ENERGY: _Span(10_000, 90_000, 3, "kVAh"),
    Kind.POWER: _Span(0, 120, 1, "kW"),
    Kind.REACTIVE_POWER: _Span(0, 900, 3, "kvar"),
    Kind.APPARENT_POWER: _Span(0, 9_000, 3, "kVA"),
    Kind.VOLTAGE: _Span(2_250, 2_350, 1, "V"),
    Kind.CURRENT: _Span(0, 1_600, 2, "A"),
    Kind.FREQUENCY: _Span(4_990, 5_010, 2, "Hz"),
    Kind.POWER_FACTOR: _Span(800, 1_000, 3, ""),
    Kind.ANGLE: _Span(0, 359, 0, "°"),
    Kind.VOLUME: _Span(100_000, 900_000, 2, "m³"),
    Kind.WATER: _Span(10_000, 90_000, 3, "m³"),
    Kind.GAS: _Span(100_000, 900_000, 3, "m³"),
    Kind.MASS: _Span(1_000, 9_000, 2, "t"),
    Kind.VOLUME_FLOW: _Span(0, 900, 0, "l/h"),
    Kind.TEMPERATURE: _Span(3_000, 8_000, 2, "°C"),
    Kind.TEMPERATURE_DIFFERENCE: _Span(500, 4_000, 2, "K"),
    Kind.VOLUME_TEMPERATURE: _Span(10_000, 90_000, 0, "m³·°C"),
    Kind.PRESSURE: _Span(100, 600, 2, "bar"),
    Kind.DURATION: _Span(10_000, 90_000, 0, "h"),
    Kind.COUNT: _Span(0, 20, 0, ""),
    Kind.CODE: _Span(0, 16, 0, ""),
}


def _one_of_every_kind() -> tuple[str, ...]:
    first: dict[Kind, str] = {}
    for quantity in QUANTITIES.values():
        first.setdefault(quantity.kind, quantity.key)
    return tuple(first.values())


class DummyClient(Client):
    """A meter for trying out sinks and settings: no port, no protocol, the same values for the same seed."""

    answers_requests = True

    def __init__(self, meter: str, settings: DummySettings) -> None:
        self.meter = meter
        self.health: Health = {"valid_readings": 0}
        self._settings = settings
        self._keys = settings.quantities or _one_of_every_kind()
        self._random = random.Random(settings.seed)  # noqa: S311 - values to look at
        self._totals: dict[str, int] = {}
        self._wake = asyncio.Event()

    async def run(self, publish: Publish, *, once: bool = False) -> None:
        await publish(self._info())
        sent = 0
        while True:
            await publish(self._reading())
            sent += 1
            if once or sent == self._settings.count:
                return
            try:
                async with asyncio.timeout(self._settings.interval.total_seconds()):
                    await self._wake.wait()
            except TimeoutError:
                pass  # the usual case: nobody asked for a reading before its time
            self._wake.clear()

    def read_now(self) -> None:
        self._wake.set()

    def _info(self) -> Info:
        return {
            "type": "info",
            "meter": self.meter,
            "time": datetime.now(UTC),
            "manufacturer": "smart_meter_reader",
            "model": "dummy",
            "serial_number": str(10_000_000 + self._settings.seed),
            "firmware": "1",
            "interval": max(1, round(self._settings.interval.total_seconds())),
        }

    def _reading(self) -> Reading:
        now = datetime.now(UTC)
        count_reading(self.health, now)
        return {
            "type": "reading",
            "meter": self.meter,
            "time": now,
            "measurements": {key: self._measure(QUANTITIES[key]) for key in self._keys},
        }

    def _measure(self, quantity: Quantity) -> Measurement:
        values = _RANGES.get(quantity.kind)
        if values is None:
            return {"value": self._text(quantity.kind), "unit": ""}
        number = self._random.randint(values.low, values.high)
        if quantity.cumulative:
            start = self._totals.get(quantity.key, number)
            number = start + self._random.randint(0, 3)
            self._totals[quantity.key] = number
        return {"value": Decimal(number).scaleb(-values.decimals), "unit": values.unit}

    def _text(self, kind: Kind) -> str:
        day, hour = self._random.randint(1, 28), self._random.randint(0, 23)
        match kind:
            case Kind.DATE:
                return f"2026-01-{day:02}"
            case Kind.TIME_OF_DAY:
                return f"{hour:02}:00:00"
            case Kind.TIMESTAMP:
                return f"2026-01-{day:02}T{hour:02}:00:00Z"
            case _:
                return f"dummy {10_000_000 + self._settings.seed}"


DRIVER = simulated("dummy", f"{__name__}:DummyClient", f"{__name__}:DummySettings")
