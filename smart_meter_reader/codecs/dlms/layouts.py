"""What stands in a pushed list: five layouts, told apart by their structure and not by the brand.

a. a list of {OBIS, value, {scaler, unit}}: Aidon, Iskraemeco. b. OBIS, value and maybe {scaler, unit}, one
after another, behind a name or a time: Kamstrup, Kaifa, Landis+Gyr and Sagemcom in Austria. c. a push object
list (class, OBIS, attribute, index) and the values in its order: Switzerland. d. values without any code.
e. values behind descriptors without tags (``framing.unframed``).

Classes and attributes: DLMS UA 1000-1 (Blue Book) 4.3; push setup (class 40) 4.4.8.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

from smart_meter_reader.codecs.dlms.axdr import (
    ARRAY,
    ENUM,
    INT8,
    NULL,
    OCTETS,
    STRINGS,
    STRUCTURE,
    UINT16,
    Item,
)
from smart_meter_reader.codecs.dlms.codes import code_in
from smart_meter_reader.codecs.dlms.notification import Notification
from smart_meter_reader.codecs.obis import ObisCode

Layout = Literal["list", "flat", "push objects", "positional", "descriptors", "unknown"]

VALUE: Final = 2
"""The attribute that holds a value; 1 is the object's name, 3 of registers scaler and unit."""
_SCALER_UNIT: Final = 3
_PUSH_SETUP: Final = 40


class ScalerUnit(NamedTuple):
    """The value is the number times ten to the power of ``scaler``, in the unit with this number."""

    scaler: int
    unit: int


class CodedValue(NamedTuple):
    """A value with its code. ``scaler_unit`` is None where the meter sends none."""

    code: ObisCode
    value: Item
    scaler_unit: ScalerUnit | None = None
    attribute: int = VALUE


class PushedList(NamedTuple):
    """What a list says. ``nameless`` are the values without code, all of them where it is positional."""

    layout: Layout
    entries: tuple[CodedValue, ...]
    nameless: tuple[Item, ...]


def read_layout(notification: Notification) -> PushedList:
    """Which layout it has, and what it says."""
    if notification.body is None:
        entries = [
            CodedValue(ObisCode(*each.obis), each.value, None, each.attribute)
            for each in notification.described
        ]
        return PushedList("descriptors", tuple(entries), ())
    body = notification.body
    items = body.items if body.tag in (ARRAY, STRUCTURE) else (body,)
    for read in (_push_objects, _coded):
        found = read(items)
        if found is not None:
            return found
    return PushedList("positional", (), tuple(items))


def unknown_list(items: Sequence[Item]) -> PushedList:
    """A list without codes that is in no table: what its structures hold, one after the other."""
    nested = any(item.tag in (ARRAY, STRUCTURE) for item in items)
    return PushedList("unknown" if nested else "positional", (), tuple(_flattened(items)))


def _code(item: Item) -> ObisCode | None:
    """The code in an octet string of six, where it can be one."""
    return code_in(item.octets) if item.tag == OCTETS else None


def _scaler_unit(item: Item) -> ScalerUnit | None:
    if item.tag != STRUCTURE or [each.tag for each in item.items] != [INT8, ENUM]:
        return None
    scaler, unit = (each.content for each in item.items)
    return ScalerUnit(scaler, unit) if isinstance(scaler, int) and isinstance(unit, int) else None


class _PushObject(NamedTuple):
    interface_class: int
    code: ObisCode
    attribute: int


def _push_object(item: Item) -> _PushObject | None:
    parts = item.items
    if [part.tag for part in parts[:4]] != [UINT16, OCTETS, INT8, UINT16] or len(parts) > 6:
        return None
    code = _code(parts[1])
    interface_class, attribute = parts[0].content, parts[2].content
    if code is None or not isinstance(interface_class, int) or not isinstance(attribute, int):
        return None
    return _PushObject(interface_class, code, attribute)


def _is_push_object_list(item: Item) -> bool:
    return bool(item.items) and all(_push_object(each) is not None for each in item.items)


def _push_objects(items: Sequence[Item]) -> PushedList | None:
    """Layout c. The list may contain itself, and then there is one value fewer."""
    lists = [(place, item) for place, item in enumerate(items) if _is_push_object_list(item)]
    if not lists:
        return None
    place, item = lists[0]
    known = [each for each in map(_push_object, item.items) if each is not None]
    values = [*items[:place], *items[place + 1 :]]
    if len(values) == len(known) - 1:
        own = [each for each in known if each.interface_class == _PUSH_SETUP and each.attribute == VALUE]
        if len(own) == 1:
            known.remove(own[0])
    if len(values) != len(known):
        return PushedList("unknown", (), tuple(_flattened(items)))
    return PushedList("push objects", tuple(_with_scalers(known, values)), ())


def _with_scalers(objects: Sequence[_PushObject], values: Sequence[Item]) -> list[CodedValue]:
    """The entries; scaler and unit of a register, where they are pushed too, go to its value."""
    scalers = {
        each.code: _scaler_unit(value)
        for each, value in zip(objects, values, strict=True)
        if each.attribute == _SCALER_UNIT
    }
    entries = []
    for each, value in zip(objects, values, strict=True):
        if each.attribute == _SCALER_UNIT and scalers[each.code] is not None:
            continue
        scaler_unit = scalers.get(each.code) if each.attribute == VALUE else None
        entries.append(CodedValue(each.code, value, scaler_unit, each.attribute))
    return entries


def _coded(items: Sequence[Item]) -> PushedList | None:
    """Layouts a and b, and lists that begin as b and go on as a.

    A name or time may stand before the first code, the meter's number behind the last value.
    """
    entries: list[CodedValue] = []
    nameless: list[Item] = []
    structured = ended = False
    place = 0
    while place < len(items):
        entry, end = _entry(items, place)
        place = end
        if entry is None:
            nameless.append(items[place - 1])
            ended = bool(entries)
            continue
        if ended:
            return None  # codes do not begin again: what looked like one was a value
        structured |= entry.code == _structured_code(items[end - 1])
        entries.append(entry)
    # Of a list without codes, one value may look like one.
    too_few = not entries or (len(entries) == 1 and bool(nameless))
    if too_few or any(item.tag not in STRINGS | {NULL} for item in nameless):
        return None
    return PushedList("list" if structured else "flat", tuple(entries), tuple(nameless))


def _structured_code(item: Item) -> ObisCode | None:
    """The code at the beginning of {OBIS, value} or {OBIS, value, {scaler, unit}}."""
    parts = item.items
    return _code(parts[0]) if item.tag == STRUCTURE and len(parts) in (2, 3) else None


def _entry(items: Sequence[Item], place: int) -> tuple[CodedValue | None, int]:
    """The entry at ``place``, and where it ends; None and the next place where none begins."""
    code = _structured_code(items[place])
    if code is not None:
        parts = items[place].items
        return CodedValue(code, parts[1], _scaler_unit(parts[2]) if len(parts) == 3 else None), place + 1
    code = _code(items[place])
    if code is None or place + 1 == len(items) or _structured_code(items[place + 1]) is not None:
        return None, place + 1
    scaler_unit = _scaler_unit(items[place + 2]) if place + 2 < len(items) else None
    return CodedValue(code, items[place + 1], scaler_unit), place + (2 if scaler_unit is None else 3)


def _flattened(items: Sequence[Item]) -> Iterator[Item]:
    for item in items:
        if item.items:
            yield from _flattened(item.items)
        else:
            yield item
