"""Quantities of electricity meters, and of the gas, water and heat meters on their M-Bus channels.

Their names begin with what tells one from the next (total, tariff, phase, direction): a card that is as wide
as a telephone shows the first eighteen letters.
"""

from __future__ import annotations

from smart_meter_reader.quantities.quantity import Kind, Quantity

_PHASES = ("l1", "l2", "l3")
_TARIFFS = (1, 2, 3, 4)
_FURTHER_TARIFFS = (11, 12, 13)
_DIRECTIONS = ("import", "export")


def _of(power: str) -> str:
    """What is said of the sort of power behind the direction: nothing of the one that everybody means."""
    return "" if power == "active" else f", {power}"


def _energies(power: str, kind: Kind) -> tuple[Quantity, ...]:
    """Totals of one kind of energy, per direction and tariff (IEC 62056-61: C.8.E)."""
    totals = tuple(
        Quantity(f"{power}_energy_{way}", f"Total {way}{_of(power)} energy", kind, cumulative=True)
        for way in _DIRECTIONS
    )
    tariffs = tuple(
        Quantity(
            f"{power}_energy_{way}_tariff_{tariff}",
            f"Tariff {tariff} {way}{_of(power)} energy",
            kind,
            cumulative=True,
        )
        for way in _DIRECTIONS
        for tariff in _TARIFFS
    )
    return totals + tariffs


def _powers(power: str, kind: Kind) -> tuple[Quantity, ...]:
    """Momentary powers of one kind, in sum and per phase, per direction (C.7.0), and averages (C.4.0)."""
    name = _of(power)
    sums = tuple(
        Quantity(f"{power}_power_{way}", f"{way.capitalize()}{name} power", kind) for way in _DIRECTIONS
    )
    phases = tuple(
        Quantity(f"{power}_power_{way}_{phase}", f"{phase.upper()} {way}{name} power", kind)
        for way in _DIRECTIONS
        for phase in _PHASES
    )
    demands = tuple(
        Quantity(f"{power}_demand_{way}", f"{way.capitalize()}{name} demand", kind) for way in _DIRECTIONS
    )
    return sums + phases + demands


def _per_phase(key: str, name: str, kind: Kind, *, diagnostic: bool = False) -> tuple[Quantity, ...]:
    return tuple(
        Quantity(f"{key}_{phase}", f"{phase.upper()} {name}", kind, diagnostic=diagnostic)
        for phase in _PHASES
    )


def _month_end() -> tuple[Quantity, ...]:
    """What the registers were at the end of the last month (Hungary)."""
    energies = [
        (f"{power}_energy_{rest}", name, kind)
        for power, rest, name, kind in (
            *(("active", way, f"Total {way}", Kind.ENERGY) for way in _DIRECTIONS),
            *(
                ("active", f"{way}_tariff_{tariff}", f"Tariff {tariff} {way}", Kind.ENERGY)
                for way in _DIRECTIONS
                for tariff in _TARIFFS
            ),
            ("active", "sum", "Energy sum", Kind.ENERGY),
            *(("reactive", way, f"Reactive {way}", Kind.REACTIVE_ENERGY) for way in _DIRECTIONS),
            *(("reactive", f"q{number}", f"Quadrant {number}", Kind.REACTIVE_ENERGY) for number in _TARIFFS),
        )
    ]
    peaks = [
        (f"active_demand_{way}_maximum{ending}", f"{name}{way} peak".capitalize(), Kind.POWER)
        for way in _DIRECTIONS
        for ending, name in (("", ""), ("_tariff_1", "tariff 1 "), ("_tariff_2", "tariff 2 "))
    ]
    return tuple(
        Quantity(f"{key}_month_end", f"{name} at month end", kind) for key, name, kind in (*energies, *peaks)
    )


ELECTRICITY: tuple[Quantity, ...] = (
    *_energies("active", Kind.ENERGY),
    *(
        Quantity(
            f"active_energy_{way}_tariff_{tariff}",
            f"Tariff {tariff} {way} energy",
            Kind.ENERGY,
            cumulative=True,
        )
        for way in _DIRECTIONS
        for tariff in _FURTHER_TARIFFS
    ),
    Quantity("active_energy_sum", "Energy sum, import plus export", Kind.ENERGY, cumulative=True),
    *(
        Quantity(
            f"active_energy_{way}_{phase}",
            f"{phase.upper()} {way} energy",
            Kind.ENERGY,
            cumulative=True,
        )
        for way in _DIRECTIONS
        for phase in _PHASES
    ),
    *_energies("reactive", Kind.REACTIVE_ENERGY),
    *(
        Quantity(
            f"reactive_energy_q{quadrant}",
            f"Quadrant {quadrant} energy, reactive",
            Kind.REACTIVE_ENERGY,
            cumulative=True,
        )
        for quadrant in (1, 2, 3, 4)
    ),
    *_powers("active", Kind.POWER),
    Quantity("active_power_sum", "Power sum, import plus export", Kind.POWER),
    Quantity("active_power_net", "Net power, import less export", Kind.POWER),
    *_per_phase("active_power_net", "net power, import less export", Kind.POWER),
    Quantity("active_demand_import_maximum", "This month's maximum demand", Kind.POWER),
    *(
        Quantity(
            f"active_demand_import_maximum_month_{month}",
            f"{month} {'months' if month > 1 else 'month'} ago, maximum demand",
            Kind.POWER,
        )
        for month in range(1, 14)
    ),
    Quantity("active_demand_import_maximum_mean", "Mean of 12 months, maximum demand", Kind.POWER),
    *_month_end(),
    Quantity("active_power_import_average", "Average import power", Kind.POWER),
    Quantity("active_power_export_average", "Average export power", Kind.POWER),
    Quantity("active_power_sum_average", "Average power sum, import plus export", Kind.POWER),
    Quantity("active_power_net_average", "Average net power, import less export", Kind.POWER),
    *_powers("reactive", Kind.REACTIVE_POWER),
    *(
        Quantity(f"reactive_power_q{quadrant}", f"Quadrant {quadrant} power, reactive", Kind.REACTIVE_POWER)
        for quadrant in (1, 2, 3, 4)
    ),
    *_powers("apparent", Kind.APPARENT_POWER),
    Quantity("voltage", "Voltage", Kind.VOLTAGE),
    *_per_phase("voltage", "voltage", Kind.VOLTAGE),
    *_per_phase("voltage_average", "average voltage", Kind.VOLTAGE),
    Quantity("current", "Current", Kind.CURRENT),
    Quantity("current_neutral", "Neutral current", Kind.CURRENT),
    Quantity("current_sum", "Sum of currents", Kind.CURRENT),
    *_per_phase("current", "current", Kind.CURRENT),
    *_per_phase("current_average", "average current", Kind.CURRENT),
    Quantity("power_factor", "Power factor", Kind.POWER_FACTOR),
    Quantity("power_factor_minimum", "Minimum power factor", Kind.POWER_FACTOR),
    *_per_phase("power_factor", "power factor", Kind.POWER_FACTOR),
    Quantity("frequency", "Frequency", Kind.FREQUENCY),
    *(
        Quantity(
            f"voltage_angle_{phase}", f"{phase.upper()} voltage, angle to L1", Kind.ANGLE, diagnostic=True
        )
        for phase in ("l2", "l3")
    ),
    *_per_phase("phase_angle", "current, angle to voltage", Kind.ANGLE, diagnostic=True),
    Quantity("tariff", "Tariff", Kind.CODE),
    Quantity("second_tariff", "Second tariff", Kind.CODE),
    Quantity("grid_type", "Kind of grid", Kind.CODE, diagnostic=True, setup=True),
    Quantity("measurement_period", "Measurement period", Kind.DURATION, diagnostic=True, setup=True),
    Quantity("switch_position", "Switch position", Kind.CODE, diagnostic=True),
    *(
        Quantity(f"relay_{number}_position", f"Relay {number} position", Kind.CODE, diagnostic=True)
        for number in (1, 2, 3, 4)
    ),
    Quantity("valve_position", "Valve position", Kind.CODE, diagnostic=True),
    Quantity("active_power_threshold", "Power threshold", Kind.POWER, diagnostic=True),
    Quantity("apparent_power_threshold", "Apparent power threshold", Kind.APPARENT_POWER, diagnostic=True),
    Quantity("current_threshold", "Current threshold", Kind.CURRENT, diagnostic=True),
    *_per_phase("current_threshold", "current threshold", Kind.CURRENT, diagnostic=True),
    Quantity("power_failures", "Power failures", Kind.COUNT, diagnostic=True),
    Quantity("long_power_failures", "Long power failures", Kind.COUNT, diagnostic=True),
    Quantity("last_power_failure_end", "End of last long power failure", Kind.TIMESTAMP, diagnostic=True),
    Quantity(
        "last_power_failure_duration", "Duration of last long power failure", Kind.DURATION, diagnostic=True
    ),
    *_per_phase("voltage_sags", "voltage sags", Kind.COUNT, diagnostic=True),
    *_per_phase("voltage_swells", "voltage swells", Kind.COUNT, diagnostic=True),
    *_per_phase("voltage_sag_duration", "sag duration (last one)", Kind.DURATION, diagnostic=True),
    *_per_phase("voltage_sag_magnitude", "sag magnitude (last one)", Kind.VOLTAGE, diagnostic=True),
    *_per_phase("voltage_swell_duration", "swell duration (last one)", Kind.DURATION, diagnostic=True),
    *_per_phase("voltage_swell_magnitude", "swell magnitude (last one)", Kind.VOLTAGE, diagnostic=True),
    Quantity("text_message", "Text message", Kind.TEXT, diagnostic=True, identifies=True),
    Quantity("text_message_code", "Text message code", Kind.TEXT, diagnostic=True, identifies=True),
    *(
        Quantity(
            f"text_message_{number}", f"Text message {number}", Kind.TEXT, diagnostic=True, identifies=True
        )
        for number in (2, 3, 4, 5)
    ),
    Quantity("equipment_state", "Equipment state", Kind.CODE, diagnostic=True),
    Quantity("gas_volume", "Gas volume", Kind.GAS, cumulative=True),
    Quantity("water_volume", "Water volume", Kind.WATER, cumulative=True),
)
