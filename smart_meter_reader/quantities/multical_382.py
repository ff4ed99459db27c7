"""Quantities of the MULTICAL 382 electricity meter that other electricity meters do not send."""

from __future__ import annotations

from smart_meter_reader.quantities.quantity import Kind, Quantity

MULTICAL_382: tuple[Quantity, ...] = (
    Quantity(
        "active_energy_import_high_resolution",
        "Active energy import (high resolution)",
        Kind.ENERGY,
        cumulative=True,
    ),
    Quantity(
        "active_energy_export_high_resolution",
        "Active energy export (high resolution)",
        Kind.ENERGY,
        cumulative=True,
    ),
    Quantity("active_power_import_maximum", "Active power import, highest", Kind.POWER),
    Quantity("active_power_import_peak", "Active power import, peak", Kind.POWER),
    Quantity("active_power_import_peak_2", "Active power import, second peak", Kind.POWER),
    Quantity("active_power_import_peak_time", "Active power import, time of peak", Kind.TIMESTAMP),
    Quantity("meter_number_1", "Meter number 1", Kind.TEXT, diagnostic=True, identifies=True),
    Quantity("meter_number_2", "Meter number 2", Kind.TEXT, diagnostic=True, identifies=True),
    Quantity("meter_number_3", "Meter number 3", Kind.TEXT, diagnostic=True, identifies=True),
    Quantity("rtc", "Date and time (clock chip)", Kind.TIMESTAMP, diagnostic=True),
)
