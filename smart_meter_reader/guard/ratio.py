"""How units of the same dimension compare, so that a meter set to another unit can still be judged."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from smart_meter_reader.quantities.units import JOULES, canonical

_ONE = Decimal(1)
# Units by dimension and size within it. Sizes that have no end as a decimal are good to 28 places, which is
# far below any meter's last one.
_UNITS: Mapping[str, tuple[str, Decimal]] = {
    **{unit: ("energy", Decimal(f.numerator) / f.denominator) for unit, f in JOULES.items()},
    "varh": ("reactive energy", _ONE),
    "kvarh": ("reactive energy", Decimal(1000)),
    "Mvarh": ("reactive energy", Decimal(1_000_000)),
    "VAh": ("apparent energy", _ONE),
    "kVAh": ("apparent energy", Decimal(1000)),
    "MVAh": ("apparent energy", Decimal(1_000_000)),
    "W": ("power", _ONE),
    "kW": ("power", Decimal(1000)),
    "MW": ("power", Decimal(1_000_000)),
    "GW": ("power", Decimal(1_000_000_000)),
    "mL": ("volume", Decimal("0.000001")),
    "L": ("volume", Decimal("0.001")),
    "m³": ("volume", _ONE),
    "ft³": ("volume", Decimal("0.028316846592")),
    "gal": ("volume", Decimal("0.003785411784")),
    "m³·°C": ("volume times temperature", _ONE),
    "kg": ("mass", Decimal("0.001")),
    "t": ("mass", _ONE),
    "L/h": ("flow", Decimal("0.001")),
    "L/min": ("flow", Decimal("0.06")),
    "L/s": ("flow", Decimal("3.6")),
    "m³/h": ("flow", _ONE),
    "m³/min": ("flow", Decimal(60)),
    "m³/s": ("flow", Decimal(3600)),
    "s": ("duration", _ONE),
    "min": ("duration", Decimal(60)),
    "h": ("duration", Decimal(3600)),
    "d": ("duration", Decimal(86400)),
}


@lru_cache(maxsize=512)
def ratio(unit: str, to: str) -> Decimal | None:
    """What a value in ``unit`` is multiplied by to be in ``to``; None when they measure different things."""
    if unit == to:
        return _ONE
    unit, to = canonical(unit), canonical(to)
    if unit == to:
        return _ONE
    dimension, size = _UNITS.get(unit, ("", _ONE))
    other, other_size = _UNITS.get(to, ("", _ONE))
    return size / other_size if dimension == other != "" else None


def has_dimension(unit: str) -> bool:
    """Whether it is a unit that we know to measure something."""
    return canonical(unit) in _UNITS
