"""Units as Prometheus writes them: words in the plural, such as cubic_metres_per_hour. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from smart_meter_reader.quantities.units import canonical

_PREFIXES = {
    "": "",
    "m": "milli",
    "c": "centi",
    "h": "hecto",
    "k": "kilo",
    "M": "mega",
    "G": "giga",
    "T": "tera",
}
_PREFIXED = {
    "J": "joules",
    "Wh": "watt_hours",
    "cal": "calories",
    "varh": "var_hours",
    "VAh": "volt_ampere_hours",
    "W": "watts",
    "var": "vars",
    "VA": "volt_amperes",
    "V": "volts",
    "A": "amperes",
    "Hz": "hertz",
    "L": "litres",
    "Pa": "pascals",
    "bar": "bars",
}
_OTHERS = {
    "m³": "cubic_metres",
    "ft³": "cubic_feet",
    "gal": "gallons",
    "m³·°C": "cubic_metre_degrees_celsius",
    "kg": "kilograms",
    "t": "tonnes",
    "°": "degrees",
    "°C": "celsius",
    "°F": "fahrenheit",
    "K": "kelvins",
    "psi": "pounds_per_square_inch",
    "mmHg": "millimetres_of_mercury",
    "inHg": "inches_of_mercury",
    "ms": "milliseconds",
    "s": "seconds",
    "min": "minutes",
    "h": "hours",
    "d": "days",
    "%": "percent",
}
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        f"{short}{unit}": f"{word}{name}"
        for unit, name in _PREFIXED.items()
        for short, word in _PREFIXES.items()
    }
    | _OTHERS
)


def unit_name(unit: str) -> str:
    """The unit as the end of a name; of one that nobody foresaw what can stand there. "" for none."""
    amount, per, time = canonical(unit).partition("/")
    if amount in _WORDS and (not per or time in _WORDS):
        return f"{_WORDS[amount]}_per_{_WORDS[time].removesuffix('s')}" if per else _WORDS[amount]
    return re.sub(r"[^a-z0-9]+", "_", unit.lower()).strip("_")
