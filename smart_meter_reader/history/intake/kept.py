"""Which quantities are kept, in which way, and how often. Pure."""

from __future__ import annotations

from decimal import Decimal

from smart_meter_reader.quantities import QUANTITIES, Kind
from smart_meter_reader.quantities.quantity import TOTALS

QUARTER = 900
HOUR = 3600
DAY = 86400
# What counts events and hours, not what flows: once a day is often enough.
_BY_DAY = frozenset({Kind.COUNT, Kind.DURATION})
_GAUGES = frozenset(
    {Kind.POWER, Kind.VOLUME_FLOW, Kind.TEMPERATURE, Kind.TEMPERATURE_DIFFERENCE, Kind.PRESSURE}
)
_COUNTERS = TOTALS | _BY_DAY


def slot_seconds(key: str) -> int:
    """Of how many seconds the first reading of a counter is kept."""
    return DAY if QUANTITIES[key].kind in _BY_DAY else QUARTER


def one_turn(last: Decimal, new: Decimal) -> Decimal | None:
    """What one turn of the digits is, when a counter has rolled over: 9999.999 -> 0.012 gives 10000.

    The guard has let it pass as that; here the digits tell it from a counter that began anew. None then.
    """
    number = last.as_tuple()
    if number.digits[0] != 9 or new <= 0 or not isinstance(number.exponent, int):
        return None
    turn = Decimal(1).scaleb(len(number.digits) + number.exponent)
    return turn if len(number.digits) >= 4 and new < turn / 10 else None


def is_coarser(last: Decimal, new: Decimal) -> bool:
    """Whether a lower value is the same in coarser steps: 16824856.5 Wh, then 16824000 of whole kWh.

    Zero is the same as what is less than a step of it. The guard has let it pass as that, too.
    """
    finer, coarser = last.as_tuple().exponent, new.as_tuple().exponent
    if not isinstance(finer, int) or not isinstance(coarser, int) or coarser <= finer:
        return False
    step = Decimal(1).scaleb(coarser)
    return 0 < last - new <= step if new else 0 < last < step


def is_counter(key: str) -> bool:
    """Whether the values of this quantity are kept as a counter's."""
    quantity = QUANTITIES.get(key)
    return quantity is not None and quantity.cumulative and quantity.kind in _COUNTERS


def is_gauge(key: str) -> bool:
    """Whether of this quantity the hours are kept."""
    quantity = QUANTITIES.get(key)
    return (
        quantity is not None
        and not quantity.cumulative
        and not quantity.diagnostic
        and quantity.kind in _GAUGES
    )
