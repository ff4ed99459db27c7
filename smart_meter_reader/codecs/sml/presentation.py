"""The presentation layer of SML: elements of a type and a length, of any width and nesting.

TR-03109-1 annex IV b, section 6.3: an octet TL has the type in bits 6 to 4 and a length in bits 3 to 0; bit 7
says that another one follows, which adds four bits of length. The length of a value counts its TL octets as
well, that of a list its elements.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from smart_meter_reader.exceptions import MalformedError

Element: TypeAlias = "bytes | int | bool | list[Element] | None"
"""None is an optional element that is absent (01)."""

OCTETS, BOOLEAN, SIGNED, UNSIGNED, LIST = 0x00, 0x40, 0x50, 0x60, 0x70
"""The types, as they stand in a TL octet."""

MORE: Final = 0x80
TYPE: Final = 0x70
LENGTH: Final = 0x0F
ABSENT: Final = 0x01
END: Final = 0x00  # of a message
DEEPEST: Final = 10
MOST_ELEMENTS: Final = 255
WIDEST_NUMBER: Final = 8
_MOST_TL: Final = 4  # octets: a length of 16 bits, far more than a frame has


def read_element(octets: bytes, place: int, depth: int = 0) -> tuple[Element, int]:
    """The element at ``place``, and where the next one begins. Raises MalformedError."""
    kind, length, place = read_tl(octets, place)
    if kind == LIST:
        if depth == DEEPEST or length > MOST_ELEMENTS:
            raise malformed(f"a list of {length} elements, {depth} lists deep", place)
        elements: list[Element] = []
        for _ in range(length):
            element, place = read_element(octets, place, depth + 1)
            elements.append(element)
        return elements, place
    end = place + length
    if end > len(octets):
        raise malformed(f"an element of {length} octets where {len(octets) - place} are left", place)
    if kind == OCTETS:
        return octets[place:end] if length else None, end
    if kind in (SIGNED, UNSIGNED):
        if not 0 < length <= WIDEST_NUMBER:
            raise malformed(f"a number of {length} octets", place)
        return int.from_bytes(octets[place:end], "big", signed=kind == SIGNED), end
    if kind == BOOLEAN and length == 1:
        return octets[place] != 0, end
    raise malformed(f"an element of type {kind >> 4}", place)


def read_tl(octets: bytes, place: int) -> tuple[int, int, int]:
    """Type, length without TL octets (of a list: elements), and where the value begins. MalformedError."""
    begin = place
    try:
        tl = octets[place]
        kind, length = tl & TYPE, tl & LENGTH
        place += 1
        while tl & MORE:
            tl = octets[place]
            length = length << 4 | tl & LENGTH
            place += 1
    except IndexError:
        raise malformed("nothing follows where an element should", begin) from None
    if place - begin > _MOST_TL:
        raise malformed(f"a length of {place - begin} octets", begin)
    if kind == LIST:
        return kind, length, place
    length -= place - begin
    if length < 0:
        # 00 ends a message and is no element; of more TL octets it is shorter than itself.
        raise malformed("an element shorter than its own length", begin)
    return kind, length, place


def malformed(what: str, place: int) -> MalformedError:
    """The error for ``what`` stands at ``place`` of the payload."""
    return MalformedError("malformed", f"{what}, at octet {place} of the payload: no SML of ours")


def write_tl(kind: int, length: int) -> bytes:
    """The TL octets, as few as do: ``length`` without them, of a list the number of its elements."""
    count = 1
    while True:
        whole = length if kind == LIST else length + count
        if whole >> 4 * count == 0:
            break
        count += 1
    digits = [whole >> 4 * (count - 1 - index) & LENGTH for index in range(count)]
    last = count - 1
    return bytes(
        (kind if index == 0 else 0) | (MORE if index < last else 0) | digit
        for index, digit in enumerate(digits)
    )
