"""How Home Assistant wants a quantity: device class, state class and unit, by kind and unit.

Source: home-assistant/core 2026.2.3, ``homeassistant/components/sensor/const.py`` (DEVICE_CLASS_UNITS,
DEVICE_CLASS_STATE_CLASSES). A unit that its device class does not know costs the entity: Home Assistant then
rejects it. So a unit outside the table goes without device class, which keeps its statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from smart_meter_reader.quantities import Kind, Quantity
from smart_meter_reader.quantities.units import JOULES, canonical

# Device class -> units it takes. Only what meters tell; "" is no unit.
UNITS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "energy": frozenset(JOULES) - {"TJ"},
        "power": frozenset({"mW", "W", "kW", "MW", "GW", "TW"}),
        "volume": frozenset({"m³", "L", "mL", "ft³", "gal"}),
        "water": frozenset({"m³", "L", "ft³", "gal"}),
        "gas": frozenset({"m³", "L", "ft³"}),
        "volume_flow_rate": frozenset(
            {"m³/h", "m³/min", "m³/s", "L/h", "L/min", "L/s", "mL/s", "ft³/min", "gal/h", "gal/min"}
        ),
        "temperature": frozenset({"°C", "°F", "K"}),
        "temperature_delta": frozenset({"K", "°C", "°F"}),
        "voltage": frozenset({"mV", "V", "kV"}),
        "current": frozenset({"mA", "A"}),
        "frequency": frozenset({"Hz", "kHz"}),
        "power_factor": frozenset({"", "%"}),
        "apparent_power": frozenset({"mVA", "VA", "kVA"}),
        "reactive_power": frozenset({"mvar", "var", "kvar"}),
        "reactive_energy": frozenset({"varh", "kvarh"}),
        "pressure": frozenset({"Pa", "hPa", "kPa", "mbar", "cbar", "bar", "psi", "mmHg", "inHg"}),
        "duration": frozenset({"d", "h", "min", "s", "ms"}),
    }
)

# Kind -> device classes that may fit, the first that takes the unit wins. Kinds without any: apparent energy,
# mass ("weight" takes no totals), angles, m³·°C, counts. A heat carrier's volume is no consumption: "volume",
# which the Energy dashboard leaves alone.
_CLASSES: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.ENERGY: ("energy",),
        Kind.REACTIVE_ENERGY: ("reactive_energy",),
        Kind.POWER: ("power",),
        Kind.REACTIVE_POWER: ("reactive_power",),
        Kind.APPARENT_POWER: ("apparent_power",),
        Kind.VOLTAGE: ("voltage",),
        Kind.CURRENT: ("current",),
        Kind.FREQUENCY: ("frequency",),
        Kind.POWER_FACTOR: ("power_factor",),
        Kind.VOLUME: ("volume",),
        Kind.WATER: ("water",),
        Kind.GAS: ("gas", "energy"),
        Kind.VOLUME_FLOW: ("volume_flow_rate",),
        Kind.TEMPERATURE: ("temperature",),
        # Not "temperature": a difference of 7.6 K would turn into -265.55 °C when someone changes the unit.
        Kind.TEMPERATURE_DIFFERENCE: ("temperature_delta",),
        Kind.PRESSURE: ("pressure",),
        Kind.DURATION: ("duration",),
    }
)

# Classes of totals: "measurement" is wrong for them, also when the quantity is none (last month's energy).
_TOTALS = frozenset({"energy", "volume", "water", "gas", "reactive_energy"})
# "duration" and "no class" take both; every other class takes measurements only.
_TAKES_TOTALS = _TOTALS | {"duration", None}

_TEXTS: Mapping[Kind, str | None] = MappingProxyType(
    {
        Kind.DATE: "date",
        Kind.TIMESTAMP: "timestamp",
        Kind.TIME_OF_DAY: None,
        Kind.CODE: None,
        Kind.TEXT: None,
    }
)


@dataclass(frozen=True, slots=True)
class SensorClass:
    """What Home Assistant is told of a quantity; None leaves the key out."""

    device_class: str | None = None
    state_class: str | None = None
    unit: str | None = None
    precision: int | None = None

    @property
    def numeric(self) -> bool:
        """Whether Home Assistant takes numbers only."""
        return self.precision is not None


@lru_cache(maxsize=512)
def sensor_class(quantity: Quantity, unit: str, decimals: int = 0) -> SensorClass:
    """The classes of a quantity that comes in this unit with so many decimals, for any kind and any unit."""
    if quantity.kind in _TEXTS:
        return SensorClass(device_class=_TEXTS[quantity.kind])
    unit = canonical(unit)
    fitting = (name for name in _CLASSES.get(quantity.kind, ()) if unit in UNITS[name])
    device_class = next(fitting, None)
    return SensorClass(
        device_class=device_class,
        state_class=_state_class(quantity, device_class),
        unit=unit or None,
        # The meter's own: left to itself, Home Assistant shows 0.074 m³/h as 0 and hours as 84208.00.
        precision=decimals,
    )


def _state_class(quantity: Quantity, device_class: str | None) -> str | None:
    if quantity.cumulative and device_class in _TAKES_TOTALS:
        return "total_increasing"
    return None if device_class in _TOTALS else "measurement"
