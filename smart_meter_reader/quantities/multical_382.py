"""Quantities of the MULTICAL 382 electricity meter that other electricity meters do not send."""

from __future__ import annotations

from smart_meter_reader.quantities.quantity import Kind, Quantity

MULTICAL_382: tuple[Quantity, ...] = (
    Quantity(
        "active_energy_import_high_resolution",
        "High resolution import energy",
        Kind.ENERGY,
        cumulative=True,
    ),
    Quantity(
        "active_energy_export_high_resolution",
        "High resolution export energy",
        Kind.ENERGY,
        cumulative=True,
    ),
    Quantity("active_power_import_maximum", "Highest import power", Kind.POWER),
    Quantity("active_power_import_peak", "Peak import power", Kind.POWER),
    Quantity("active_power_import_peak_2", "Second peak import power", Kind.POWER),
    Quantity("active_power_import_peak_time", "Time of peak import power", Kind.TIMESTAMP),
    Quantity("meter_number_1", "Meter number 1", Kind.TEXT, diagnostic=True, identifies=True),
    Quantity("meter_number_2", "Meter number 2", Kind.TEXT, diagnostic=True, identifies=True),
    Quantity("meter_number_3", "Meter number 3", Kind.TEXT, diagnostic=True, identifies=True),
    Quantity("rtc", "Clock chip, date and time", Kind.TIMESTAMP, diagnostic=True),
)
