"""Quantities of electricity meters, and of the gas, water and heat meters on their M-Bus channels."""

from __future__ import annotations

from smart_meter_reader.quantities.quantity import Kind, Quantity

_PHASES = ("l1", "l2", "l3")
_TARIFFS = (1, 2, 3, 4)
_DIRECTIONS = ("import", "export")


def _energies(power: str, kind: Kind) -> tuple[Quantity, ...]:
    """Totals of one kind of energy, per direction and tariff (IEC 62056-61: C.8.E)."""
    name = power.capitalize()
    totals = tuple(
        Quantity(f"{power}_energy_{way}", f"{name} energy {way}", kind, cumulative=True)
        for way in _DIRECTIONS
    )
    tariffs = tuple(
        Quantity(
            f"{power}_energy_{way}_tariff_{tariff}",
            f"{name} energy {way} tariff {tariff}",
            kind,
            cumulative=True,
        )
        for way in _DIRECTIONS
        for tariff in _TARIFFS
    )
    return totals + tariffs


def _powers(power: str, kind: Kind) -> tuple[Quantity, ...]:
    """Momentary powers of one kind, in sum and per phase, per direction (C.7.0), and averages (C.4.0)."""
    name = power.capitalize()
    sums = tuple(Quantity(f"{power}_power_{way}", f"{name} power {way}", kind) for way in _DIRECTIONS)
    phases = tuple(
        Quantity(f"{power}_power_{way}_{phase}", f"{name} power {way} {phase.upper()}", kind)
        for way in _DIRECTIONS
        for phase in _PHASES
    )
    demands = tuple(Quantity(f"{power}_demand_{way}", f"{name} demand {way}", kind) for way in _DIRECTIONS)
    return sums + phases + demands


def _per_phase(key: str, name: str, kind: Kind, *, diagnostic: bool = False) -> tuple[Quantity, ...]:
    return tuple(
        Quantity(f"{key}_{phase}", f"{name} {phase.upper()}", kind, diagnostic=diagnostic)
        for phase in _PHASES
    )


def _month_end() -> tuple[Quantity, ...]:
    """What the registers were at the end of the last month (Hungary)."""
    energies = [
        (f"{power}_energy_{rest}", f"{power.capitalize()} energy {name}", kind)
        for power, rest, name, kind in (
            *(("active", way, way, Kind.ENERGY) for way in _DIRECTIONS),
            *(
                ("active", f"{way}_tariff_{tariff}", f"{way} tariff {tariff}", Kind.ENERGY)
                for way in _DIRECTIONS
                for tariff in _TARIFFS
            ),
            ("active", "sum", "import plus export", Kind.ENERGY),
            *(("reactive", way, way, Kind.REACTIVE_ENERGY) for way in _DIRECTIONS),
            *(("reactive", f"q{number}", f"quadrant {number}", Kind.REACTIVE_ENERGY) for number in _TARIFFS),
        )
    ]
    peaks = [
        (f"active_demand_{way}_maximum{ending}", f"Maximum demand {way}{name}", Kind.POWER)
        for way in _DIRECTIONS
        for ending, name in (("", ""), ("_tariff_1", " tariff 1"), ("_tariff_2", " tariff 2"))
    ]
    return tuple(
        Quantity(f"{key}_month_end", f"{name}, end of last month", kind)
        for key, name, kind in (*energies, *peaks)
    )


ELECTRICITY: tuple[Quantity, ...] = (
    *_energies("active", Kind.ENERGY),
    Quantity("active_energy_sum", "Active energy, import plus export", Kind.ENERGY, cumulative=True),
    *(
        Quantity(
            f"active_energy_{way}_{phase}",
            f"Active energy {way} {phase.upper()}",
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
            f"Reactive energy quadrant {quadrant}",
            Kind.REACTIVE_ENERGY,
            cumulative=True,
        )
        for quadrant in (1, 2, 3, 4)
    ),
    *_powers("active", Kind.POWER),
    Quantity("active_power_sum", "Active power, import plus export", Kind.POWER),
    Quantity("active_power_net", "Active power, import less export", Kind.POWER),
    *_per_phase("active_power_net", "Active power, import less export,", Kind.POWER),
    Quantity("active_demand_import_maximum", "Maximum demand of this month", Kind.POWER),
    *(
        Quantity(
            f"active_demand_import_maximum_month_{month}", f"Maximum demand, {month} months ago", Kind.POWER
        )
        for month in range(1, 14)
    ),
    Quantity("active_demand_import_maximum_mean", "Maximum demand, mean of 12 months", Kind.POWER),
    *_month_end(),
    Quantity("active_power_import_average", "Average active power import", Kind.POWER),
    Quantity("active_power_export_average", "Average active power export", Kind.POWER),
    Quantity("active_power_sum_average", "Average active power, import plus export", Kind.POWER),
    Quantity("active_power_net_average", "Average active power, import less export", Kind.POWER),
    *_powers("reactive", Kind.REACTIVE_POWER),
    *(
        Quantity(f"reactive_power_q{quadrant}", f"Reactive power quadrant {quadrant}", Kind.REACTIVE_POWER)
        for quadrant in (1, 2, 3, 4)
    ),
    *_powers("apparent", Kind.APPARENT_POWER),
    Quantity("voltage", "Voltage", Kind.VOLTAGE),
    *_per_phase("voltage", "Voltage", Kind.VOLTAGE),
    *_per_phase("voltage_average", "Average voltage", Kind.VOLTAGE),
    Quantity("current", "Current", Kind.CURRENT),
    Quantity("current_neutral", "Neutral current", Kind.CURRENT),
    Quantity("current_sum", "Sum of currents", Kind.CURRENT),
    *_per_phase("current", "Current", Kind.CURRENT),
    *_per_phase("current_average", "Average current", Kind.CURRENT),
    Quantity("power_factor", "Power factor", Kind.POWER_FACTOR),
    Quantity("power_factor_minimum", "Minimum power factor", Kind.POWER_FACTOR),
    *_per_phase("power_factor", "Power factor", Kind.POWER_FACTOR),
    Quantity("frequency", "Frequency", Kind.FREQUENCY),
    Quantity("tariff", "Tariff", Kind.CODE),
    Quantity("grid_type", "Kind of grid", Kind.CODE, diagnostic=True),
    Quantity("measurement_period", "Measurement period", Kind.DURATION, diagnostic=True),
    Quantity("switch_position", "Switch position", Kind.CODE, diagnostic=True),
    *(
        Quantity(f"relay_{number}_position", f"Relay {number} position", Kind.CODE, diagnostic=True)
        for number in (1, 2, 3, 4)
    ),
    Quantity("valve_position", "Valve position", Kind.CODE, diagnostic=True),
    Quantity("active_power_threshold", "Power threshold", Kind.POWER, diagnostic=True),
    Quantity("apparent_power_threshold", "Apparent power threshold", Kind.APPARENT_POWER, diagnostic=True),
    Quantity("current_threshold", "Current threshold", Kind.CURRENT, diagnostic=True),
    *_per_phase("current_threshold", "Current threshold", Kind.CURRENT, diagnostic=True),
    Quantity("power_failures", "Power failures", Kind.COUNT, diagnostic=True),
    Quantity("long_power_failures", "Long power failures", Kind.COUNT, diagnostic=True),
    Quantity("last_power_failure_end", "End of last long power failure", Kind.TIMESTAMP, diagnostic=True),
    Quantity(
        "last_power_failure_duration", "Duration of last long power failure", Kind.DURATION, diagnostic=True
    ),
    *_per_phase("voltage_sags", "Voltage sags", Kind.COUNT, diagnostic=True),
    *_per_phase("voltage_swells", "Voltage swells", Kind.COUNT, diagnostic=True),
    *_per_phase("voltage_sag_duration", "Duration of last voltage sag", Kind.DURATION, diagnostic=True),
    *_per_phase("voltage_sag_magnitude", "Magnitude of last voltage sag", Kind.VOLTAGE, diagnostic=True),
    *_per_phase("voltage_swell_duration", "Duration of last voltage swell", Kind.DURATION, diagnostic=True),
    *_per_phase("voltage_swell_magnitude", "Magnitude of last voltage swell", Kind.VOLTAGE, diagnostic=True),
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
