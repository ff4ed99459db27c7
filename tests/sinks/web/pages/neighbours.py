"""Meters as people have them: well, down, new, with very long names, with one value only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from benchmarks.made_up_home import measured
from smart_meter_reader.messages import Health, Info, Message, Reading, State, Status
from smart_meter_reader.quantities.measurement import Measurement

LONG = "the-meter-of-the-neighbours-in-the-cellar-behind-the-bicycles"
WRONG = (
    "the meter did not answer 5 requests at /dev/serial/by-id/usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_"
    "Controller_0001-if00-port0; look whether the infrared head sits straight"
)
_HEALTH: Health = {
    "valid_readings": 12345,
    "damaged_frames": 3,
    "retries": 5,
    "rejected_values": 0,
    "reconnects": 1,
    "latency_ms": 320,
    "requests_24h": 288,
    "wake_ups_24h": 288,
}


def everyday() -> list[Message]:
    """A home with a bit of everything."""
    now = datetime.now(UTC)
    who: Info = {
        "type": "info",
        "meter": "heat",
        "time": now,
        "manufacturer": "Kamstrup",
        "model": "MULTICAL 403",
        "serial_number": "12345678",
        "interval": 300,
    }
    behind: Info = {"type": "info", "meter": "p1-gas", "time": now, "via": "p1"}
    return [
        who,
        told("heat", measured("heat", now)),
        state("heat", health=_HEALTH),
        told("p1", measured("p1", now)),
        state("p1"),
        behind,
        told("p1-gas", one("gas_volume", "1234.567", "m³")),
        state("p1-gas"),
        told(LONG, one("water_volume", "88.1", "m³")),
        state(LONG, "offline", "silent", WRONG),
        state("new", "offline", "starting", "waiting for the first reading"),
    ]


def told(meter: str, measurements: Mapping[str, Measurement]) -> Reading:
    """A reading of now."""
    return {
        "type": "reading",
        "meter": meter,
        "time": datetime.now(UTC),
        "measurements": dict(measurements),
    }


def state(
    meter: str,
    state: State = "online",
    reason: str = "",
    detail: str = "readings arrive",
    health: Health | None = None,
) -> Status:
    """The state of a meter, for three hours now."""
    return {
        "type": "status",
        "meter": meter,
        "time": datetime.now(UTC) - timedelta(hours=3),
        "state": state,
        "reason": reason,
        "detail": detail,
        "health": health or {},
    }


def one(key: str, value: str, unit: str) -> dict[str, Measurement]:
    """A single measurement."""
    return {key: {"value": Decimal(value), "unit": unit}}
