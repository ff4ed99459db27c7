"""Ten years of five meters, 40 series, as the sink `history` would have stored them; made up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from smart_meter_reader.history.storage.schema import YEAR_BEGINS, ZONE
from smart_meter_reader.history.storage.store import Store

BEGIN = int(datetime(2016, 1, 1, tzinfo=UTC).timestamp())
END = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
_ELECTRICITY = ("active_energy_import", "active_energy_export")
_BY_QUARTER = (
    *((f"power-{number}", key) for number in (1, 2) for key in _ELECTRICITY),
    ("power-1", "active_energy_import_tariff_1"),
    ("power-1", "active_energy_import_tariff_2"),
    ("gas", "gas_volume"),
)
_BY_HOUR = tuple(
    (meter, key)
    for meter in ("heat-1", "heat-2", "heat-3")
    for key in ("heat_energy", "volume", "volume_times_flow_temperature")
)
_GAUGES = tuple(
    (f"heat-{number % 3 + 1}" if number < 15 else f"power-{number % 2 + 1}", f"gauge_{number}")
    for number in range(24)
)


def make(path: Path, years: float = 10) -> None:
    """Fill a new history; of fewer ``years`` for a quick run."""
    store = Store(path)
    store.open()
    store.keep_setting(ZONE, "Europe/Amsterdam")
    store.keep_setting(YEAR_BEGINS, "01-01")
    store.close()
    end = BEGIN + int((END - BEGIN) * years / 10)
    connection = sqlite3.connect(path)
    segments: dict[str, int] = {}
    for number, (meter, quantity) in enumerate((*_BY_QUARTER, *_BY_HOUR, *_GAUGES), 1):
        if meter not in segments:
            segments[meter] = len(segments) + 1
            connection.execute("INSERT INTO meter VALUES (?, ?)", (segments[meter], meter))
            connection.execute(
                "INSERT INTO segment VALUES (?, ?, ?, '', 'first reading')", (*[segments[meter]] * 2, BEGIN)
            )
        kind = "gauge" if quantity.startswith("gauge") else "counter"
        unit = {"gas_volume": "m³", "volume": "m³"}.get(quantity, "kWh" if kind == "counter" else "kW")
        key = "power" if quantity == "gauge_0" else quantity
        connection.execute(
            "INSERT INTO series VALUES (?, ?, ?, ?, ?, 3)", (number, segments[meter], key, unit, kind)
        )
        if kind == "gauge":
            connection.executemany("INSERT INTO gauge VALUES (?, ?, ?, ?, ?, ?, 0)", _hours(number, end))
        else:
            step = 900 if (meter, quantity) in _BY_QUARTER else 3600
            connection.executemany("INSERT INTO counter VALUES (?, ?, ?, 0)", _counts(number, step, end))
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _counts(series: int, step: int, end: int) -> Iterator[tuple[int, int, int]]:
    value = 12_345_678 + series
    for slot, time in enumerate(range(BEGIN, end, step)):
        # More by day than by night, and never the same twice.
        value += (slot * 7919 + series) % 211 + (130 if 7 <= time // 3600 % 24 < 22 else 10)
        yield series, time + slot % 9, value


def _hours(series: int, end: int) -> Iterator[tuple[int, int, int, int, int, int]]:
    for slot, hour in enumerate(range(BEGIN, end, 3600)):
        low = 1000 + (slot * 7919 + series) % 900
        yield series, hour, 360, low, low + 1500 + slot % 700, 360 * (low + 600)
