"""Values as Home Assistant takes them for states."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from smart_meter_reader.quantities.measurement import Value
from smart_meter_reader.sinks.home_assistant.classes import SensorClass
from smart_meter_reader.sinks.wording import utc_text
from smart_meter_reader.text import LONGEST_NUMBER, bounded_number, plain

# Longest state that Home Assistant keeps (core, MAX_LENGTH_STATE_STATE).
LONGEST_STATE = 255


def state_of(sensor: SensorClass, value: Value) -> str | None:
    """A value as Home Assistant takes it, digits as they are; None for what the entity cannot show."""
    if sensor.numeric:
        return _number(value)
    text = plain(value)
    if sensor.device_class == "timestamp":
        time = parsed_time(text)
        return utc_text(time) if time else None
    if sensor.device_class == "date":
        return text if _is_date(text) else None
    return text[:LONGEST_STATE] or None


def _number(value: Value) -> str | None:
    number = bounded_number(value)
    return None if number is None else format(number, "f")


def decimals(value: Value) -> int:
    """How many decimals a value came with; 0 for what is no number."""
    number = value if isinstance(value, Decimal) else bounded_number(value)
    exponent = 0 if number is None else number.as_tuple().exponent
    # Of one with more than anybody reads, which is shown as unknown, nothing is to be learnt.
    return -exponent if isinstance(exponent, int) and -LONGEST_NUMBER <= exponent < 0 else 0


def parsed_time(text: str) -> datetime | None:
    """The time of an ISO 8601 text, in UTC; None without an offset, which Home Assistant insists on."""
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):  # the year 1 or 9999 in UTC may be none
        return None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
