"""A-XDR: the values of DLMS, each behind a tag that names its type.

IEC 61334-6; DLMS UA 1000-2 (Green Book) 9.5, type Data. Lengths and counts are written as in BER: one octet
below 80, else 80 plus the number of octets that follow.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias, Union

from smart_meter_reader.exceptions import MeterReaderError

MAX_DEPTH: Final = 8

NULL, ARRAY, STRUCTURE, BOOLEAN, BIT_STRING = 0x00, 0x01, 0x02, 0x03, 0x04
INT32, UINT32, OCTETS, VISIBLE, UTF8, BCD = 0x05, 0x06, 0x09, 0x0A, 0x0C, 0x0D
INT8, INT16, UINT8, UINT16, COMPACT_ARRAY = 0x0F, 0x10, 0x11, 0x12, 0x13
INT64, UINT64, ENUM, FLOAT32, FLOAT64 = 0x14, 0x15, 0x16, 0x17, 0x18
DATE_TIME, DATE, TIME = 0x19, 0x1A, 0x1B

TYPE_NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        NULL: "null-data",
        ARRAY: "array",
        STRUCTURE: "structure",
        BOOLEAN: "boolean",
        BIT_STRING: "bit-string",
        INT32: "double-long",
        UINT32: "double-long-unsigned",
        OCTETS: "octet-string",
        VISIBLE: "visible-string",
        UTF8: "utf8-string",
        BCD: "bcd",
        INT8: "integer",
        INT16: "long",
        UINT8: "unsigned",
        UINT16: "long-unsigned",
        COMPACT_ARRAY: "compact-array",
        INT64: "long64",
        UINT64: "long64-unsigned",
        ENUM: "enum",
        FLOAT32: "float32",
        FLOAT64: "float64",
        DATE_TIME: "date-time",
        DATE: "date",
        TIME: "time",
    }
)
"""As DLMS UA 1000-2 calls them."""

NUMBERS: Final = frozenset({INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, FLOAT32, FLOAT64, BCD})
STRINGS: Final = frozenset({OCTETS, VISIBLE, UTF8})

# Octets, and whether there is a sign.
_INTEGERS: Final[Mapping[int, tuple[int, bool]]] = MappingProxyType(
    {
        INT8: (1, True),
        INT16: (2, True),
        INT32: (4, True),
        INT64: (8, True),
        UINT8: (1, False),
        UINT16: (2, False),
        UINT32: (4, False),
        UINT64: (8, False),
        ENUM: (1, False),
        BOOLEAN: (1, False),
    }
)
_FIXED: Final[Mapping[int, int]] = MappingProxyType({DATE_TIME: 12, DATE: 5, TIME: 4})

Content: TypeAlias = Union[int, Decimal, bytes, "Sequence[Item]", None]


class Item(NamedTuple):
    """A value and its type. Strings are bytes, a bit string its characters 0 and 1 as bytes."""

    tag: int
    content: Content

    @property
    def type_name(self) -> str:
        """As DLMS UA 1000-2 calls it."""
        return TYPE_NAMES[self.tag]

    @property
    def items(self) -> Sequence[Item]:
        """What an array or structure holds; empty for all others."""
        return self.content if isinstance(self.content, (list, tuple)) else ()

    @property
    def octets(self) -> bytes:
        """What a string or time holds; empty for all others."""
        return self.content if isinstance(self.content, bytes) else b""


class AxdrError(MeterReaderError):
    """Bytes that are no value. ``place`` is where they go wrong; ``incomplete``: they only end too early."""

    def __init__(self, message: str, place: int, *, incomplete: bool = False) -> None:
        super().__init__(f"{message} at octet {place}")
        self.place = place
        self.incomplete = incomplete


def decode_item(received: bytes, place: int = 0, depth: int = MAX_DEPTH) -> tuple[Item, int]:
    """The value at ``place``, and where it ends. Raises AxdrError."""
    if place >= len(received):
        raise AxdrError("a value is missing", place, incomplete=True)
    return _decode_untagged(received, received[place], place + 1, depth)


def decode_length(received: bytes, place: int) -> tuple[int, int]:
    """A length or count, and where it ends. Raises AxdrError."""
    if place >= len(received):
        raise AxdrError("a length is missing", place, incomplete=True)
    first = received[place]
    if first < 0x80:
        return first, place + 1
    count = first & 0x7F
    if not 1 <= count <= 4:
        raise AxdrError(f"a length of {count} octets", place)
    octets = _take(received, place + 1, count)
    return int.from_bytes(octets, "big"), place + 1 + count


def _take(received: bytes, place: int, count: int) -> bytes:
    octets = received[place : place + count]
    if len(octets) < count:
        raise AxdrError(f"{count} octets were announced and {len(octets)} are there", place, incomplete=True)
    return octets


def _decode_untagged(received: bytes, tag: int, place: int, depth: int) -> tuple[Item, int]:
    integer = _INTEGERS.get(tag)
    if integer is not None:
        size, signed = integer
        end = place + size
        if end > len(received):
            _take(received, place, size)
        return Item(tag, int.from_bytes(received[place:end], "big", signed=signed)), end
    if tag in STRINGS:
        length, place = decode_length(received, place)
        return Item(tag, _take(received, place, length)), place + length
    if tag in (ARRAY, STRUCTURE):
        return _decode_items(received, tag, place, depth)
    fixed = _FIXED.get(tag)
    if fixed is not None:
        return Item(tag, _take(received, place, fixed)), place + fixed
    if tag == NULL:
        return Item(tag, None), place
    other = _OTHERS.get(tag)
    if other is None:
        raise AxdrError(f"the tag {tag:02X} names no type", place - 1)
    return other(received, place, depth)


def _decode_items(received: bytes, tag: int, place: int, depth: int) -> tuple[Item, int]:
    if not depth:
        raise AxdrError(f"values more than {MAX_DEPTH} deep", place)
    count, place = decode_length(received, place)
    items = []
    for _ in range(count):
        item, place = decode_item(received, place, depth - 1)
        items.append(item)
    return Item(tag, items), place


def _decode_bits(received: bytes, place: int, depth: int) -> tuple[Item, int]:
    count, place = decode_length(received, place)
    size = (count + 7) // 8
    octets = _take(received, place, size)
    bits = "".join(f"{octet:08b}" for octet in octets)[:count]
    return Item(BIT_STRING, bits.encode()), place + size


def _decode_bcd(received: bytes, place: int, depth: int) -> tuple[Item, int]:
    octet = _take(received, place, 1)[0]
    if octet >> 4 > 9 or octet & 0x0F > 9:
        raise AxdrError(f"{octet:02X} are no two digits", place)
    return Item(BCD, (octet >> 4) * 10 + (octet & 0x0F)), place + 1


def _decode_float32(received: bytes, place: int, depth: int) -> tuple[Item, int]:
    octets = _take(received, place, 4)
    (number,) = struct.unpack(">f", octets)
    if not isfinite(number):
        return Item(NULL, None), place + 4
    # The fewest digits that give the same four octets again.
    texts = (f"{number:.{digits}g}" for digits in range(6, 9))
    text = next((text for text in texts if struct.pack(">f", float(text)) == octets), f"{number:.9g}")
    return Item(FLOAT32, Decimal(text)), place + 4


def _decode_float64(received: bytes, place: int, depth: int) -> tuple[Item, int]:
    (number,) = struct.unpack(">d", _take(received, place, 8))
    return Item(FLOAT64, Decimal(repr(number))) if isfinite(number) else Item(NULL, None), place + 8


def _decode_compact(received: bytes, place: int, depth: int) -> tuple[Item, int]:
    """An array whose elements are all of one type, which is described once (Green Book, 9.5)."""
    if not depth:
        raise AxdrError(f"values more than {MAX_DEPTH} deep", place)
    description, place = _describe(received, place, depth - 1)
    length, place = decode_length(received, place)
    contents = _take(received, place, length)
    items, inside = [], 0
    while inside < length:
        item, end = _decode_described(contents, description, inside)
        if end == inside:
            raise AxdrError("elements without content", place)
        items.append(item)
        inside = end
    return Item(ARRAY, items), place + length


class _ElementType(NamedTuple):
    tag: int
    parts: tuple[_ElementType, ...] = ()


def _describe(received: bytes, place: int, depth: int) -> tuple[_ElementType, int]:
    tag = _take(received, place, 1)[0]
    place += 1
    if tag not in (ARRAY, STRUCTURE):
        # What takes no octet could stand there any number of times.
        if tag not in TYPE_NAMES or tag in (COMPACT_ARRAY, NULL):
            raise AxdrError(f"the tag {tag:02X} names no type", place - 1)
        return _ElementType(tag), place
    if not depth:
        raise AxdrError(f"values more than {MAX_DEPTH} deep", place)
    if tag == ARRAY:
        count = int.from_bytes(_take(received, place, 2), "big")
        part, place = _describe(received, place + 2, depth - 1)
        if not 0 < count <= len(received):
            raise AxdrError("no element, or more of them than octets", place)
        return _ElementType(tag, (part,) * count), place
    count, place = decode_length(received, place)
    if not count:
        raise AxdrError("a structure without elements", place)
    parts = []
    for _ in range(count):
        part, place = _describe(received, place, depth - 1)
        parts.append(part)
    return _ElementType(tag, tuple(parts)), place


def _decode_described(received: bytes, description: _ElementType, place: int) -> tuple[Item, int]:
    if not description.parts:
        return _decode_untagged(received, description.tag, place, 1)
    items = []
    for part in description.parts:
        item, place = _decode_described(received, part, place)
        items.append(item)
    return Item(description.tag, items), place


_OTHERS: Final[Mapping[int, Callable[[bytes, int, int], tuple[Item, int]]]] = MappingProxyType(
    {
        BIT_STRING: _decode_bits,
        BCD: _decode_bcd,
        FLOAT32: _decode_float32,
        FLOAT64: _decode_float64,
        COMPACT_ARRAY: _decode_compact,
    }
)


def encode_length(length: int) -> bytes:
    """A length or count as BER writes it."""
    if length < 0x80:
        return bytes([length])
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def encode_item(item: Item) -> bytes:
    """The octets of a value with its tag. Raises ValueError for a type that no emulated meter sends."""
    tag, content = item
    if tag in (ARRAY, STRUCTURE):
        return bytes([tag]) + encode_length(len(item.items)) + b"".join(map(encode_item, item.items))
    if tag in STRINGS:
        return bytes([tag]) + encode_length(len(item.octets)) + item.octets
    if tag in _FIXED:
        return bytes([tag]) + item.octets
    if tag == NULL:
        return bytes([tag])
    if tag in _INTEGERS and isinstance(content, int):
        size, signed = _INTEGERS[tag]
        return bytes([tag]) + content.to_bytes(size, "big", signed=signed)
    raise ValueError(f"{item.type_name} is not written here")
