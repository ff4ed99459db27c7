"""The units that there are, and exact conversion: what a MULTICAL tells in GJ, a dashboard may want in kWh.

The unit travels with a value as the meter told it. ``canonical`` gives the spelling of the SI brochure (9th
edition: m³, °C, L, var in lower case) for the spellings that meters and documents use; sinks that need one
spelling call it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.quantities.quantity import Kind
from smart_meter_reader.text import LONGEST_NUMBER, is_bounded

# The units that there are, by what they measure, and the size of each: all that others know of units follows
# from here. Exact: 1 Wh = 3600 J by definition, the calorie is the thermochemical one, 4.184 J (SI brochure,
# 8th edition, table 8), which is what heat meters count in; gallon and cubic foot are those of the USA, psi,
# mmHg and inHg those of NIST SP 811. None: not to be compared by multiplication.
_SIZES: Mapping[Kind, Mapping[str, Fraction | int | None]] = {
    Kind.ENERGY: {
        "J": 1,
        "kJ": 10**3,
        "MJ": 10**6,
        "GJ": 10**9,
        "TJ": 10**12,
        "Wh": 3600,
        "kWh": 3600 * 10**3,
        "MWh": 3600 * 10**6,
        "GWh": 3600 * 10**9,
        "TWh": 3600 * 10**12,
        "cal": Fraction("4.184"),
        "kcal": 4184,
        "Mcal": 4184 * 10**3,
        "Gcal": 4184 * 10**6,
    },
    Kind.REACTIVE_ENERGY: {"varh": 1, "kvarh": 10**3, "Mvarh": 10**6, "Gvarh": 10**9},
    Kind.APPARENT_ENERGY: {"VAh": 1, "kVAh": 10**3, "MVAh": 10**6, "GVAh": 10**9},
    Kind.POWER: {"mW": Fraction("0.001"), "W": 1, "kW": 10**3, "MW": 10**6, "GW": 10**9, "TW": 10**12},
    Kind.REACTIVE_POWER: {"mvar": Fraction("0.001"), "var": 1, "kvar": 10**3, "Mvar": 10**6, "Gvar": 10**9},
    Kind.APPARENT_POWER: {"mVA": Fraction("0.001"), "VA": 1, "kVA": 10**3, "MVA": 10**6, "GVA": 10**9},
    Kind.VOLTAGE: {"mV": Fraction("0.001"), "V": 1, "kV": 10**3},
    Kind.CURRENT: {"mA": Fraction("0.001"), "A": 1, "kA": 10**3},
    Kind.FREQUENCY: {"Hz": 1, "kHz": 10**3},
    Kind.POWER_FACTOR: {"": None, "%": None},
    Kind.ANGLE: {"°": 1},
    Kind.VOLUME: {
        "mL": Fraction("0.000001"),
        "L": Fraction("0.001"),
        "m³": 1,
        "gal": Fraction("0.003785411784"),
        "ft³": Fraction("0.028316846592"),
    },
    Kind.VOLUME_TEMPERATURE: {"m³·°C": 1},
    Kind.MASS: {"kg": 1, "t": 1000},
    Kind.VOLUME_FLOW: {
        "L/h": Fraction("0.001"),
        "L/min": Fraction("0.06"),
        "L/s": Fraction("3.6"),
        "mL/s": Fraction("0.0036"),
        "m³/h": 1,
        "m³/min": 60,
        "m³/s": 3600,
        "gal/h": Fraction("0.003785411784"),
        "gal/min": Fraction("0.003785411784") * 60,
        "ft³/min": Fraction("0.028316846592") * 60,
    },
    Kind.TEMPERATURE: {"°C": None, "°F": None, "K": None},
    Kind.PRESSURE: {
        "Pa": 1,
        "hPa": 100,
        "kPa": 1000,
        "mbar": 100,
        "cbar": 1000,
        "bar": 10**5,
        "psi": Fraction("4.4482216152605") / Fraction("0.00064516"),
        "mmHg": Fraction("133.322387415"),
        "inHg": Fraction("133.322387415") * Fraction("25.4"),
    },
    Kind.DURATION: {"ms": Fraction("0.001"), "s": 1, "min": 60, "h": 3600, "d": 86400},
}
# Kinds that are measured in the units of another.
_SAME_UNITS: Mapping[Kind, Kind] = {
    Kind.WATER: Kind.VOLUME,
    Kind.GAS: Kind.VOLUME,
    Kind.TEMPERATURE_DIFFERENCE: Kind.TEMPERATURE,
}

UNITS: Mapping[str, Kind] = MappingProxyType({unit: kind for kind, units in _SIZES.items() for unit in units})
"""What each unit measures. Units of what no quantity is, such as pulses per litre, are not among them."""

JOULES: Mapping[str, Fraction] = MappingProxyType(
    {unit: Fraction(size) for unit, size in _SIZES[Kind.ENERGY].items() if size is not None}
)
"""The energies in joules."""

_CANONICAL: Mapping[str, str] = MappingProxyType(
    {
        "m3": "m³",
        "m^3": "m³",
        "dm3": "L",
        "dm³": "L",
        "l": "L",
        "ltr": "L",
        "ml": "mL",
        "US gal": "gal",
        "US gal/min": "gal/min",
        "m3/h": "m³/h",
        "m^3/h": "m³/h",
        "m3/min": "m³/min",
        "m3/s": "m³/s",
        "l/h": "L/h",
        "l/min": "L/min",
        "l/s": "L/s",
        "ml/s": "mL/s",
        "C": "°C",
        "degC": "°C",
        "deg": "°",
        "ºC": "°C",
        "F": "°F",
        "°K": "K",
        "hours": "h",
        "hour": "h",
        "hrs": "h",
        "days": "d",
        "day": "d",
        "minutes": "min",
        "seconds": "s",
        "sec": "s",
        "VAr": "var",
        "VAR": "var",
        "Var": "var",
        "kVAr": "kvar",
        "kVAR": "kvar",
        "kVar": "kvar",
        "MVAr": "Mvar",
        "MVar": "Mvar",
        "VArh": "varh",
        "VARh": "varh",
        "Varh": "varh",
        "kVArh": "kvarh",
        "kVARh": "kvarh",
        "kVarh": "kvarh",
        "MVArh": "Mvarh",
        "MVarh": "Mvarh",
        "KW": "kW",
        "KWh": "kWh",
        "m3*C": "m³·°C",
        "m³*°C": "m³·°C",
        "m³×°C": "m³·°C",
        "m³°C": "m³·°C",
    }
)

_IN_USE: Mapping[str, tuple[str, int]] = MappingProxyType({"kA": ("A", 3), "kV": ("V", 3), "kHz": ("Hz", 3)})


def canonical(unit: str) -> str:
    """The SI spelling of a unit; a unit that is not known comes back as it is."""
    return _CANONICAL.get(unit, unit)


def measures(unit: str, kind: Kind) -> bool:
    """Whether a quantity of this kind can come in the unit, however that is spelled."""
    return UNITS.get(canonical(unit)) is _SAME_UNITS.get(kind, kind)


@lru_cache(maxsize=512)
def ratio(unit: str, to: str) -> Decimal | None:
    """What a value in ``unit`` is multiplied by to be in ``to``; None when they measure different things.

    One without an end as a decimal is good to 28 places, far below any meter's last one.
    """
    unit, to = canonical(unit), canonical(to)
    if unit == to:
        return Decimal(1)
    kind = UNITS.get(unit)
    if kind is None or UNITS.get(to) is not kind:
        return None
    size, other = _SIZES[kind][unit], _SIZES[kind][to]
    if size is None or other is None:
        return None
    factor = Fraction(size) / other
    return Decimal(factor.numerator) / factor.denominator


def shift_in_use(unit: str) -> tuple[str, int]:
    """The unit that people use for one that only a meter writes, and the decimals to shift: kA is A, 3."""
    return _IN_USE.get(unit, (unit, 0))


def shifted(value: Decimal, decimals: int) -> Decimal:
    """``value`` with its point moved to the right; written out, so that 5 kA is 5000 A and not 5E+3."""
    return value.scaleb(decimals) + 0


def converts_energy(unit: str, to: str) -> bool:
    """Whether both are units of energy that ``convert_energy`` knows."""
    return canonical(unit) in JOULES and canonical(to) in JOULES


def convert_energy(value: Decimal, unit: str, to: str) -> Decimal:
    """An energy in another unit: computed exactly, rounded at most once, half to even.

    The last place of the result is a tenth of the last place of ``value`` or finer, unless fewer decimals
    are exact. So equal stays equal, what rises keeps rising, and converting back and rounding to the
    original's decimals gives the original: 227.445 GJ is 63179.17 kWh, 1.000 MWh is 3.6000 GJ.
    Raises ValueFormatError for a unit that is no energy, and for a value that is no number of at most twenty
    digits; the result may have more.
    """
    try:
        factor = JOULES[canonical(unit)] / JOULES[canonical(to)]
    except KeyError as error:
        raise ValueFormatError(f"{error.args[0]!r} is not a unit of energy") from None
    return scale(value, factor)


def gas_equivalent(energy: Decimal, unit: str, cubic_metres_per_gj: Decimal) -> Decimal:
    """The volume of natural gas in m³ that a boiler would have burned for this heat.

    The factor is a matter of taste: heat suppliers use 31.6, 32 or 32.68 m³ per GJ. Rounded as
    ``convert_energy`` does. Raises ValueFormatError for a unit that is no energy.
    """
    try:
        gigajoules = JOULES[canonical(unit)] / JOULES["GJ"]
    except KeyError:
        raise ValueFormatError(f"{unit!r} is not a unit of energy") from None
    return scale(energy, gigajoules * Fraction(cubic_metres_per_gj))


def scale(value: Decimal, factor: Fraction) -> Decimal:
    """``value * factor`` (a factor above zero) with decimals enough to keep every step apart."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueFormatError(f"{value} is not a number")
    if not is_bounded(value):
        raise ValueFormatError(f"{value} has more than {LONGEST_NUMBER} digits")
    decimals = _decimals_for(Fraction(10) ** min(exponent, 0) * factor)
    # round() of a Fraction is exact and goes half to even; a Decimal context has only 28 digits.
    number = round(Fraction(value) * factor * 10**decimals)
    sign, digits = (1, -number) if number < 0 else (0, number)
    return Decimal((sign, tuple(int(digit) for digit in str(digits)), -decimals))


def _decimals_for(step: Fraction) -> int:
    """The fewest decimals that write ``step`` exactly, or whose last place is a tenth of it or less."""
    decimals = 0
    while Fraction(10, 10**decimals) > step and (step * 10**decimals).denominator != 1:
        decimals += 1
    return decimals
