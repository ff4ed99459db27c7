"""One data line of a telegram: ``A-B:C.D.E(value*unit)`` and its many variants.

IEC 62056-21 section 6.6. Seen in the wild: several values, none, units without '*' or with trailing
blanks, brackets inside a value, a suffix .255 or *255 on the code, ':' for '.' in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from smart_meter_reader.codecs.p1.fitting import are_sane, fits
from smart_meter_reader.codecs.p1.obis import Further, Meaning, Meanings
from smart_meter_reader.codecs.p1.timestamps import looks_like_timestamp, parse_timestamp
from smart_meter_reader.codecs.p1.values import (
    LineMemory,
    Object,
    decode_octets,
    is_empty_message,
    parse_item,
    parse_several,
)
from smart_meter_reader.quantities import QUANTITIES, Kind
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.quantities.units import shift_in_use, shifted
from smart_meter_reader.text import LONGEST_NAME, LONGEST_NUMBER, LONGEST_TEXT, is_digits

# Luxembourg leaves out these units (specification 1.1.3, example); newer firmware writes them.
_LUXEMBOURG_UNITS: Final = {
    "reactive_power_import": "kvar",
    "reactive_power_export": "kvar",
    "active_power_threshold": "kVA",
}
_UNSAID: Final = {Kind.ENERGY: "kWh", Kind.REACTIVE_ENERGY: "kvarh"}
_UNITLESS: Final = "power_factor"
_LONGEST_CODE: Final = 24  # 255-255:255.255.255*255 has 23 characters
_LONGEST_LINE: Final = 2 * LONGEST_TEXT
# 17.0.0 is a limit of power, in DSMR 3 also of current, in Luxembourg of apparent power.
_THRESHOLDS: Final = {
    "A": "current_threshold",
    "kVA": "apparent_power_threshold",
    "VA": "apparent_power_threshold",
}


class Line(NamedTuple):
    """A line that makes sense. ``text`` is what stood behind the first bracket."""

    text: str
    object: Object
    quantity: str  # "" when it measures none of ours
    measured: Measurement
    meaning: Meaning


class LineDecoder:
    """Decodes lines; remembers the meanings of codes, which are bounded. ``further``: see ``obis``."""

    def __init__(self, memory: LineMemory, further: Further) -> None:
        self._memory = memory
        self._meanings = Meanings(further)

    def decode(self, code: str, text: str, *, luxembourg: bool) -> Line | None:
        """The line ``code(text``; None when it makes no sense.

        ``luxembourg``: numbers may lack the units that its specification takes for granted.
        """
        if len(code) > _LONGEST_CODE or len(text) > _LONGEST_LINE:
            return None
        meaning = self._meanings[code]
        if not meaning.reduced:
            return None
        groups = _groups(text.rstrip())
        if not groups or len(max(groups, key=len)) > LONGEST_TEXT:
            return None
        numeric = meaning.value_type == "number"
        if len(groups) > 1:
            items = parse_several(groups, self._memory.items, numeric=numeric)
        else:
            items = [parse_item(groups[0], numeric=numeric)]
        if not are_sane(items):
            return None
        whole: Object = items if len(items) > 1 else items[0]
        if not meaning.quantity or items[-1]["value"] == "":
            return Line(text, whole, "", items[-1], meaning)
        if numeric:
            return self._number(text, whole, items[-1], meaning, luxembourg)
        if meaning.value_type == "octets" and is_empty_message(str(items[-1]["value"])):
            return Line(text, whole, "", items[-1], meaning)
        measured = _measure_text(items[-1], meaning)
        return measured and Line(text, whole, meaning.quantity, measured, meaning)

    def take_first(
        self, lines: Iterable[Line], objects: Mapping[str, Object], measurements: dict[str, Measurement]
    ) -> None:
        """Values marked *00 that nothing without a mark tells, unless another billing period has more.

        The highest is the current one, since totals never fall.
        """
        for line in lines:
            if line.meaning.role != "first":
                continue
            (a, b), reduced = line.meaning.group, line.meaning.reduced
            current = self.decode(f"{a}-{b}:{reduced}", line.text, luxembourg=False)
            if current is None or not current.quantity or current.meaning.role:
                continue
            periods = (item for key, item in objects.items() if key.startswith(f"{a}-{b}:{reduced}*"))
            if not any(_is_above(item, line.measured) for item in periods):
                measurements.setdefault(current.quantity, current.measured)

    def _number(
        self, text: str, whole: Object, item: Measurement, meaning: Meaning, luxembourg: bool
    ) -> Line | None:
        value, unit, quantity = item["value"], item["unit"], meaning.quantity
        if isinstance(value, str) and not is_digits(value):
            return None
        value = Decimal(value)
        spelling = self._memory.units[unit] if unit else ""
        if not spelling and not quantity.startswith(_UNITLESS):
            spelling = _LUXEMBOURG_UNITS.get(quantity, "") if luxembourg else _unsaid(quantity, item)
            if not spelling:
                # A number of unknown unit is no measurement; it stays among the objects.
                return Line(text, whole, "", item, meaning)
        if quantity == "active_power_threshold":
            quantity = _THRESHOLDS.get(spelling, quantity)
        if not fits(quantity, spelling):
            return Line(text, whole, "", item, meaning)
        if quantity.startswith(_UNITLESS) and not spelling:
            factor = _power_factor(value, str(item["value"]))
            if factor is None:
                return Line(text, whole, "", item, meaning)
            value = factor
        spelling, shift = shift_in_use(spelling)
        if shift:
            value = shifted(value, shift)
        measured: Measurement = (
            item if spelling == unit and item["value"] is value else {"value": value, "unit": spelling}
        )
        return Line(text, whole, quantity, measured, meaning)


def _unsaid(quantity: str, item: Measurement) -> str:
    """The unit of an energy that a meter sends without: Hager's 1.8.1*255(001720.4816) is in kWh.

    "" for all else, and for a number without decimals: a meter that counts Wh sends one.
    """
    if not isinstance(item["value"], Decimal):
        return ""
    return _UNSAID.get(QUANTITIES[quantity].kind, "")


def advance_clock(line: Line, text: str, memory: LineMemory) -> Line | None:
    """``line`` with another time, as ``(time)`` of the telegram itself; None for all else."""
    written, before = text[:-1], line.measured["value"]
    if line.measured is not line.object or text[-1:] != ")" or not looks_like_timestamp(written):
        return None
    # The line before was one as well, since that is the only text which is told in another form.
    if not isinstance(before, str) or line.text.startswith(before):
        return None
    moment = parse_timestamp(written)
    if moment is None:
        return None
    item: Measurement = {"value": moment.isoformat(), "unit": ""}
    memory.times.remember(str(item["value"]), moment)
    return Line(text, item, line.quantity, item, line.meaning)


def advance_gas(line: Line, text: str, memory: LineMemory) -> Line | None:
    """``line`` with another time and number, as ``(time)(number*unit)`` of gas; None for all else."""
    whole = line.object
    if not isinstance(whole, list) or len(whole) != 2 or line.measured is not whole[1]:
        return None
    before = whole[1]
    time, _, rest = text.partition(")(")
    number, _, unit = rest.partition("*")
    # What stands there now has to be as simple as it looks: no further bracket, star or point.
    simple = len(text) <= LONGEST_NAME and time.isalnum() and number.replace(".", "", 1).isdecimal()
    if not simple or len(number) > LONGEST_NUMBER or unit != f"{before['unit']})":
        return None
    item: Measurement = {"value": Decimal(number), "unit": before["unit"]}
    return Line(text, [memory.items[time], item], line.quantity, item, line.meaning)


def _is_above(item: Object, other: Measurement) -> bool:
    """Whether a value of another billing period is higher, or none that compares."""
    measured = item[-1] if isinstance(item, list) else item
    value, limit = measured["value"], other["value"]
    if isinstance(value, Decimal) and isinstance(limit, Decimal) and measured["unit"] == other["unit"]:
        return value > limit
    return True


def _power_factor(value: Decimal, written: str) -> Decimal | None:
    """A power factor without a unit, which is at most one; None for a number that cannot be one.

    ESO leaves out the point: 00998 is 0.998. One digit is all there is of it, and two could be hundredths.
    """
    if "." not in written and value > 1 and len(written) >= len("998"):
        value = value.scaleb(-3)
    return value if abs(value) <= 1 else None


def _groups(values: str) -> list[str]:
    """What stands between the brackets of ``1)(2*kWh)``; nothing when the brackets make no sense."""
    if not values.endswith(")"):
        return []
    groups = values[:-1].split(")(")
    if values.count("(") != len(groups) - 1 or values.count(")") != len(groups):
        return _bracketed(values[:-1])
    return groups


def _bracketed(value: str) -> list[str]:
    """One value with brackets inside as it stands, but for a bracket at its edge that has no partner.

    Nothing when a bracket closes that was not opened: behind it stands another line, whose line end got lost.
    """
    if value.count("(") != value.count(")"):
        value = value.strip("()")
    depth = 0
    for character in value:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return []
    return [value] if depth == 0 else []


def _measure_text(item: Measurement, meaning: Meaning) -> Measurement | None:
    """A count, code or text as a measurement; None for a count that is no number."""
    value = item["value"]
    if meaning.value_type == "text":
        return item
    if not isinstance(value, str):
        return None
    if meaning.value_type == "octets":
        return {"value": decode_octets(value), "unit": ""}
    if is_digits(value):
        return {"value": int(value), "unit": ""}
    return item if meaning.value_type == "code" and len(value) <= LONGEST_NAME else None
