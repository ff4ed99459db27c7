"""Readings as meters give them, and a history filled with them: what the tests of the history are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from smart_meter_reader.history.intake.intake import Intake
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Info, Message, Reading, State, Status
from smart_meter_reader.quantities.measurement import Measurement


def reading(
    time: int,
    values: Mapping[str, tuple[str | Decimal, str]],
    meter: str = "heat",
    measured_at: int | None = None,
) -> Reading:
    """One reading; ``values`` by quantity as (number, unit)."""
    measurements: dict[str, Measurement] = {}
    for key, (value, unit) in values.items():
        measurements[key] = {"value": Decimal(value), "unit": unit}
        if measured_at is not None:
            measurements[key]["measured_at"] = datetime.fromtimestamp(measured_at, UTC)
    return {
        "type": "reading",
        "meter": meter,
        "time": datetime.fromtimestamp(time, UTC),
        "measurements": measurements,
    }


def energy(time: int, value: str | Decimal, meter: str = "heat", unit: str = "kWh") -> Reading:
    """A reading of one counter."""
    return reading(time, {"heat_energy": (value, unit)}, meter)


def info(time: int, serial: str, meter: str = "heat") -> Info:
    """Who the meter is."""
    return {
        "type": "info",
        "meter": meter,
        "time": datetime.fromtimestamp(time, UTC),
        "serial_number": serial,
    }


def status(
    time: int, reason: str, meter: str = "heat", state: State = "online", quantities: tuple[str, ...] = ()
) -> Status:
    """A status with a sentence."""
    told: Status = {
        "type": "status",
        "meter": meter,
        "time": datetime.fromtimestamp(time, UTC),
        "state": state,
        "reason": reason,
        "detail": f"because of {reason}",
    }
    if quantities:
        told["quantities"] = quantities
    return told


def keep(path: Path, messages: Iterable[Message]) -> Store:
    """A service's life: what the messages leave in the file at ``path``; closed as at a stop."""
    store = Store(path)
    intake = Intake(store.open())
    rows = [row for message in messages for row in intake.take(message)]
    store.write([*rows, *intake.close()])
    store.close()
    return store
