"""What a quantity is: key, name for people, kind, and whether it is a total that never falls."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What kind of thing is measured. With the unit it decides how a sink presents the value."""

    ENERGY = "energy"
    REACTIVE_ENERGY = "reactive_energy"
    APPARENT_ENERGY = "apparent_energy"
    POWER = "power"
    REACTIVE_POWER = "reactive_power"
    APPARENT_POWER = "apparent_power"
    VOLTAGE = "voltage"
    CURRENT = "current"
    FREQUENCY = "frequency"
    POWER_FACTOR = "power_factor"
    ANGLE = "angle"  # between voltages and currents
    VOLUME = "volume"  # of a heat carrier; not consumption
    WATER = "water"  # tap water consumption
    GAS = "gas"
    MASS = "mass"
    VOLUME_FLOW = "volume_flow"
    TEMPERATURE = "temperature"
    TEMPERATURE_DIFFERENCE = "temperature_difference"
    VOLUME_TEMPERATURE = "volume_temperature"  # m³ × °C: E8, E9
    PRESSURE = "pressure"
    DURATION = "duration"
    COUNT = "count"  # events; plain numbers
    DATE = "date"  # ISO 8601 date as text
    TIME_OF_DAY = "time_of_day"  # hh:mm:ss as text
    TIMESTAMP = "timestamp"  # ISO 8601 date and time as text
    CODE = "code"  # info codes, bit fields, switch positions, tariff indicators
    TEXT = "text"  # serial numbers, messages, versions


TOTALS = frozenset(
    {
        Kind.ENERGY,
        Kind.REACTIVE_ENERGY,
        Kind.APPARENT_ENERGY,
        Kind.VOLUME,
        Kind.WATER,
        Kind.GAS,
        Kind.MASS,
        Kind.VOLUME_TEMPERATURE,
    }
)
"""The kinds of which a total says what has flowed; others count hours and events."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One entry of the catalogue.

    ``cumulative``: a total that never falls but for a new meter. ``diagnostic``: about the meter or the
    line rather than about what flows through it. ``identifies``: it may name a person, a household or a
    device, and is redacted in what is meant for sharing. ``setup``: how the meter is set up or was made;
    it does not change by itself, and few want to see it every day.
    """

    key: str
    name: str
    kind: Kind
    cumulative: bool = False
    diagnostic: bool = False
    identifies: bool = False
    setup: bool = False
