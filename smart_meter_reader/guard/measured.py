"""What the guard takes from a reading: the numbers in it; and the reading without some of them."""

from __future__ import annotations

from decimal import Decimal

from smart_meter_reader.messages import Reading
from smart_meter_reader.quantities.measurement import Measurement, Value


def number(value: Value) -> Decimal | None:
    """A value as a number; None for text, and for what is no finite number."""
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return None if isinstance(value, str) else Decimal(value)


def reading_with(reading: Reading, measurements: dict[str, Measurement]) -> Reading:
    """The reading with fewer measurements; without ``objects``, which have the held back values once more."""
    left = reading.copy()
    left["measurements"] = measurements
    left.pop("objects", None)
    return left
