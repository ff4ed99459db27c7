"""Quantities of heat, cooling and water meters (names after EN 1434)."""

from __future__ import annotations

from smart_meter_reader.quantities.quantity import Kind, Quantity

HEAT: tuple[Quantity, ...] = (
    Quantity("heat_energy", "Heat energy", Kind.ENERGY, cumulative=True),
    Quantity("cooling_energy", "Cooling energy", Kind.ENERGY, cumulative=True),
    Quantity("volume", "Volume", Kind.VOLUME, cumulative=True),
    Quantity("mass", "Mass", Kind.MASS, cumulative=True),
    Quantity("volume_flow", "Flow", Kind.VOLUME_FLOW),
    Quantity("power", "Power", Kind.POWER),
    Quantity("flow_temperature", "Flow temperature", Kind.TEMPERATURE),
    Quantity("return_temperature", "Return temperature", Kind.TEMPERATURE),
    Quantity("temperature_difference", "Temperature difference", Kind.TEMPERATURE_DIFFERENCE),
    Quantity("info_code", "Info code", Kind.CODE, diagnostic=True),
    Quantity(
        "heat_energy_high_resolution", "Heat energy (high resolution)", Kind.ENERGY, cumulative=True
    ),
    Quantity("operating_hours", "Operating hours", Kind.DURATION, cumulative=True, diagnostic=True),
    Quantity("serial_number", "Serial number", Kind.TEXT, diagnostic=True),
)
