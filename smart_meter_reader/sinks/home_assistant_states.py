"""Values as Home Assistant takes them for states."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from smart_meter_reader.messages import Value
from smart_meter_reader.sinks.home_assistant_classes import SensorClass

# Longest state that Home Assistant keeps (core, MAX_LENGTH_STATE_STATE).
LONGEST_STATE = 255


def state_of(sensor: SensorClass, value: Value) -> str | None:
    """A value as Home Assistant takes it, digits as they are; None for what the entity cannot show."""
    if sensor.numeric:
        return _number(value)
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if sensor.device_class == "timestamp":
        time = parsed_time(text)
        return utc(time) if time else None
    if sensor.device_class == "date":
        return text if _is_date(text) else None
    return text[:LONGEST_STATE] or None


def _number(value: Value) -> str | None:
    try:
        number = Decimal(value)
    except ArithmeticError:
        return None
    return format(number, "f") if number.is_finite() else None


def decimals(value: Value) -> int:
    """How many decimals a value came with."""
    exponent = value.as_tuple().exponent if isinstance(value, Decimal) else 0
    return max(0, -exponent) if isinstance(exponent, int) else 0


def parsed_time(text: str) -> datetime | None:
    """The time of an ISO 8601 text; None without an offset, which Home Assistant insists on."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def utc(time: datetime) -> str:
    """A time in UTC, to the second, with ``Z``."""
    return time.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"
