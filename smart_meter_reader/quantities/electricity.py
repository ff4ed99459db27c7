"""Quantities of electricity meters, and of the gas, water and heat meters on their M-Bus channels."""

from __future__ import annotations

from smart_meter_reader.quantities.quantity import Kind, Quantity

ELECTRICITY: tuple[Quantity, ...] = (
    Quantity("active_energy_import", "Energy import", Kind.ENERGY, cumulative=True),
    Quantity("active_energy_export", "Energy export", Kind.ENERGY, cumulative=True),
    Quantity("active_power_import", "Power import", Kind.POWER),
    Quantity("active_power_export", "Power export", Kind.POWER),
    Quantity("voltage_l1", "Voltage L1", Kind.VOLTAGE),
    Quantity("current_l1", "Current L1", Kind.CURRENT),
    Quantity("gas_volume", "Gas volume", Kind.GAS, cumulative=True),
    Quantity("water_volume", "Water volume", Kind.WATER, cumulative=True),
)
