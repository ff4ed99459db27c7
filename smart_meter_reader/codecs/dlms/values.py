"""One value of a list: as a number with its scaler, as text, as a moment, or as octets."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from smart_meter_reader.codecs.dlms.axdr import NUMBERS, Item
from smart_meter_reader.codecs.dlms.date_time import parse_date_time
from smart_meter_reader.codecs.dlms.layouts import CodedValue
from smart_meter_reader.quantities.measurement import Value
from smart_meter_reader.text import LONGEST_NAME, is_bounded, printable

# Ten to this power and its inverse: no meter's numbers are further from its units.
_MOST_SCALER: Final = 12


def value_of(entry: CodedValue) -> Value | None:
    """What was sent, scaled where the meter says how; None for nothing, and for no number at all."""
    item = entry.value
    if item.tag in NUMBERS:
        number = Decimal(item.content) if isinstance(item.content, (int, Decimal)) else None
        scaler = 0 if entry.scaler_unit is None else entry.scaler_unit.scaler
        if number is None or abs(scaler) > _MOST_SCALER:
            return None
        scaled = number * 10**scaler if scaler > 0 else number.scaleb(scaler)
        return scaled if is_bounded(scaled) else None
    return item_text(item)


def item_text(item: Item) -> Value | None:
    """A value as number, text or moment, else its octets as 0x...; None for nothing."""
    content = item.content
    if isinstance(content, Decimal) and not is_bounded(content):
        return str(content)  # as a text it harms nobody who computes with numbers
    if isinstance(content, (int, Decimal)):
        return content
    if not isinstance(content, bytes):
        return None
    filled = content.rstrip(b"\0")
    if filled.isascii() and (filled or not content):
        text = filled.decode("ascii")
        if text.isprintable():
            return printable(text, LONGEST_NAME)
    time = parse_date_time(content)
    return _octets(content) if time is None else time.moment.isoformat()


def _octets(content: bytes) -> str:
    return f"0x{content[: LONGEST_NAME // 2].hex()}"
