"""Unit strings, and exact conversion of energies: what a MULTICAL tells in GJ, a dashboard may want in kWh.

The unit travels with a value as the meter told it. ``canonical`` gives the spelling of the SI brochure (9th
edition: m³, °C, L, var in lower case) for the spellings that meters and documents use; sinks that need one
spelling call it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.text import LONGEST_NUMBER, is_bounded

# Joules per unit, exact: 1 Wh = 3600 J by definition; the calorie is the thermochemical one, 4.184 J
# (SI brochure, 8th edition, table 8), which is what heat meters count in.
JOULES: Mapping[str, Fraction] = MappingProxyType(
    {
        "J": Fraction(1),
        "kJ": Fraction(1_000),
        "MJ": Fraction(1_000_000),
        "GJ": Fraction(1_000_000_000),
        "TJ": Fraction(1_000_000_000_000),
        "Wh": Fraction(3_600),
        "kWh": Fraction(3_600_000),
        "MWh": Fraction(3_600_000_000),
        "GWh": Fraction(3_600_000_000_000),
        "TWh": Fraction(3_600_000_000_000_000),
        "cal": Fraction(4_184, 1_000),
        "kcal": Fraction(4_184),
        "Mcal": Fraction(4_184_000),
        "Gcal": Fraction(4_184_000_000),
    }
)

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


def canonical(unit: str) -> str:
    """The SI spelling of a unit; a unit that is not known comes back as it is."""
    return _CANONICAL.get(unit, unit)


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
