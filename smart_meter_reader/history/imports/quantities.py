"""Whether a quantity and its unit can be those of a counter that the history keeps."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from smart_meter_reader.history.imports.found import UnfitRowError
from smart_meter_reader.history.intake.kept import is_counter
from smart_meter_reader.quantities import QUANTITIES, Kind
from smart_meter_reader.quantities.units import canonical, measures, ratio

_WITHOUT_UNIT = frozenset({Kind.COUNT})


@lru_cache(maxsize=256)
def checked_unit(quantity: str, unit: str) -> str:
    """The unit in its SI spelling. Raises UnfitRowError where the two do not go together."""
    known = QUANTITIES.get(quantity)
    if known is None:
        raise UnfitRowError(
            f"there is no quantity {quantity[:40]!r}: it must be one of those that settings have, "
            "such as heat_energy or active_energy_import_tariff_1"
        )
    if not is_counter(quantity):
        raise UnfitRowError(f"{quantity} is no counter: only counters are imported")
    unit = canonical(unit)
    if not unit and known.kind not in _WITHOUT_UNIT:
        raise UnfitRowError(f"{quantity} needs a unit: a column, or --unit")
    if unit and not measures(unit, known.kind):
        measured = known.kind.replace("_", " ")
        raise UnfitRowError(f"{unit[:20]!r} is no unit of {quantity}, which measures {measured}")
    return unit


def exactly(value: Decimal, unit: str, to: str) -> Decimal | None:
    """The value in another unit, where that moves but the decimal point: Wh to kWh, not GJ to kWh."""
    if unit == to:
        return value
    factor = ratio(unit, to)
    if factor is None or factor.normalize().as_tuple().digits != (1,):
        return None
    return value.scaleb(factor.adjusted()) + 0
