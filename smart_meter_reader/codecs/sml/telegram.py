"""The value list of a meter, SML_GetList.Res: who it is, and an entry for each OBIS code, as sent.

TR-03109-1 annex IV b, sections 7.10 and 7.11. What meters do otherwise: Holley sends a time as a bare number
instead of {1, number}; EMH has entries without a value, or with a list as one. Neither costs the others.
"""

from __future__ import annotations

from decimal import Context, Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from smart_meter_reader.codecs.obis import ObisCode
from smart_meter_reader.codecs.sml.presentation import (
    ABSENT,
    LIST,
    MOST_ELEMENTS,
    SIGNED,
    UNSIGNED,
    Element,
    malformed,
    read_element,
    read_tl,
)
from smart_meter_reader.text import LONGEST_NUMBER, LONGEST_TEXT, is_bounded

_ENTRY: Final = 0x77  # a list of seven
_CODE: Final = 0x07  # six octets
_U8, _I8 = 0x62, 0x52
_LIST_PARTS: Final = 7
_NO_CODE: Final = "an entry without code"
_SCALERS: Final = range(-LONGEST_NUMBER + 1, LONGEST_NUMBER)
# Whatever context the caller has set: a number of eight octets has twenty digits.
_EXACT: Final = Context(prec=40)


class ListEntry(NamedTuple):
    """One value. A number is scaled, with the digits that were sent: 16786 with scaler 3 is 1.6786E+7."""

    code: ObisCode
    value: Decimal | bytes | bool
    unit: int | None  # its number; None where there is none
    status: int | None
    octets: int  # how wide a number was sent
    signed: bool


class ValueList(NamedTuple):
    """What one meter told at once. ``unread``: codes whose value is missing or makes no sense."""

    server_id: bytes
    sensor_time: int | None  # seconds since some beginning, or Unix time: no clock to go by
    entries: tuple[ListEntry, ...]
    unread: tuple[str, ...]


@lru_cache(maxsize=1024)
def _code_of(octets: bytes) -> ObisCode:
    return ObisCode(*octets)


def read_value_list(payload: bytes, place: int) -> tuple[ValueList, int]:
    """The value list at ``place``, and where the next element begins. Raises MalformedError."""
    kind, length, inside = read_tl(payload, place)
    if (kind, length) != (LIST, _LIST_PARTS):
        raise malformed("a value list of other than seven parts", place)
    _, inside = read_element(payload, inside, 1)  # client id
    server_id, inside = read_element(payload, inside, 1)
    _, inside = read_element(payload, inside, 1)  # list name
    time, inside = read_element(payload, inside, 1)
    kind, length, inside = read_tl(payload, inside)
    if kind != LIST or length > MOST_ELEMENTS:
        raise malformed(f"{length} entries, or none", inside)
    entries: list[ListEntry] = []
    unread: list[str] = []
    try:
        for _ in range(length):
            inside = _read_entry(payload, inside, entries, unread)
    except IndexError:
        raise malformed("nothing follows where an entry should", inside) from None
    for _ in range(2):  # signature, gateway time
        _, inside = read_element(payload, inside, 1)
    if server_id is not None and not isinstance(server_id, bytes):
        raise malformed("a server id that is none", place)
    return ValueList(server_id or b"", _seconds(time), tuple(entries), tuple(unread)), inside


def _read_entry(octets: bytes, place: int, entries: list[ListEntry], unread: list[str]) -> int:
    """Read one entry into ``entries``, or its code into ``unread``; where the next one begins.

    One telegram has thirty of them, and several come in a second: what is usual is looked for first.
    """
    if octets[place] != _ENTRY or octets[place + 1] != _CODE:
        return _read_strange(octets, place, entries, unread)
    code = _code_of(octets[place + 2 : place + 8])
    place += 8
    status: Element = None
    unit: Element
    scaler: Element
    if octets[place] == ABSENT:
        place += 1
    else:
        status, place = read_element(octets, place, 1)
    if octets[place] == ABSENT:
        place += 1
    else:
        _, place = read_element(octets, place, 1)  # its time
    if octets[place] == _U8:
        unit, place = octets[place + 1], place + 2
    else:
        unit, place = read_element(octets, place, 1)
    if octets[place] == _I8:
        scaler, place = octets[place + 1], place + 2
        if scaler > 0x7F:
            scaler -= 0x100
    else:
        scaler, place = read_element(octets, place, 1)
    tl = octets[place]
    kind, width = tl & 0xF0, (tl & 0x0F) - 1
    value: Element
    if kind in (SIGNED, UNSIGNED) and 0 < width <= 8:
        end = place + 1 + width
        value = int.from_bytes(octets[place + 1 : end], "big", signed=kind == SIGNED)
        place = end
    else:
        value, place = read_element(octets, place, 1)
    if octets[place] == ABSENT:
        place += 1
    else:
        _, place = read_element(octets, place, 1)  # its signature
    sensible = _sensible(value, scaler)
    if sensible is None or not (unit is None or isinstance(unit, int)):
        unread.append(str(code))
    else:
        known = status if isinstance(status, int) else None
        entries.append(ListEntry(code, sensible, unit, known, width, kind == SIGNED))
    return place


def _read_strange(octets: bytes, place: int, entries: list[ListEntry], unread: list[str]) -> int:
    """An entry that is written in another way, or is none: it costs itself alone."""
    element, after = read_element(octets, place, 1)
    code = element[0] if isinstance(element, list) and element else None
    if not isinstance(element, list) or not isinstance(code, bytes):
        unread.append(_NO_CODE)
    elif len(element) == _LIST_PARTS and len(code) == _CODE - 1:
        # Its lengths have more octets than they need.
        _, status, _, unit, scaler, value, _ = element
        sensible = _sensible(value, scaler)
        if sensible is None or not (unit is None or isinstance(unit, int)):
            unread.append(str(_code_of(code)))
        else:
            known = status if isinstance(status, int) else None
            # How wide it was sent is not known here, and nothing is corrected by it.
            entries.append(ListEntry(_code_of(code), sensible, unit, known, 0, signed=False))
    else:
        unread.append(str(_code_of(code)) if len(code) == _CODE - 1 else f"0x{code[:_CODE].hex()}")
    return after


def _sensible(value: Element, scaler: Element) -> Decimal | bytes | bool | None:
    """The value, scaled where it is a number; None for what is none."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not scaler:
            return Decimal(value)
        if not isinstance(scaler, int) or scaler not in _SCALERS:
            return None
        number = _EXACT.scaleb(Decimal(value), scaler)
        return number if is_bounded(number) else None
    return value if isinstance(value, bytes) and len(value) <= LONGEST_TEXT else None


def _seconds(time: Element) -> int | None:
    """SML_Time: {1, seconds}, {2, Unix time}, {3, {Unix time, ...}}, or a bare number."""
    if isinstance(time, list) and len(time) == 2:
        time = time[1][0] if isinstance(time[1], list) and time[1] else time[1]
    return time if isinstance(time, int) and not isinstance(time, bool) else None
