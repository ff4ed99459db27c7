"""A-XDR: each type both ways, caps, and damage told with its place."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.dlms.axdr import (
    ARRAY,
    BIT_STRING,
    BOOLEAN,
    DATE,
    DATE_TIME,
    ENUM,
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    MAX_DEPTH,
    NULL,
    OCTETS,
    STRUCTURE,
    TIME,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    UTF8,
    VISIBLE,
    AxdrError,
    Item,
    decode_item,
    decode_length,
    encode_item,
    encode_length,
)

_LEAVES = st.one_of(
    st.just(Item(NULL, None)),
    st.builds(Item, st.sampled_from([OCTETS, VISIBLE, UTF8]), st.binary(max_size=200)),
    *(
        st.builds(Item, st.just(tag), st.integers(low, high))
        for tag, low, high in (
            *((INT8, -(2**7), 2**7 - 1), (INT16, -(2**15), 2**15 - 1), (INT32, -(2**31), 2**31 - 1)),
            *((INT64, -(2**63), 2**63 - 1), (UINT8, 0, 2**8 - 1), (UINT16, 0, 2**16 - 1)),
            *((UINT32, 0, 2**32 - 1), (UINT64, 0, 2**64 - 1), (ENUM, 0, 255), (BOOLEAN, 0, 1)),
        )
    ),
    *(
        st.builds(Item, st.just(tag), st.binary(min_size=size, max_size=size))
        for tag, size in ((DATE_TIME, 12), (DATE, 5), (TIME, 4))
    ),
)
_ITEMS = st.recursive(
    _LEAVES,
    lambda inner: st.builds(Item, st.sampled_from([ARRAY, STRUCTURE]), st.lists(inner, max_size=5)),
    max_leaves=20,
)


def depth(item: Item) -> int:
    return 1 + max(map(depth, item.items), default=0) if item.tag in (ARRAY, STRUCTURE) else 0


@given(_ITEMS)
def test_what_is_written_is_read(item: Item) -> None:
    encoded = encode_item(item)
    if depth(item) > MAX_DEPTH:
        with pytest.raises(AxdrError):
            decode_item(encoded)
        return
    assert decode_item(encoded) == (item, len(encoded))
    for end in range(len(encoded)):
        with pytest.raises(AxdrError) as error:
            decode_item(encoded[:end])
        assert error.value.incomplete


@given(st.binary(max_size=100))
def test_any_bytes_are_a_value_or_an_error(octets: bytes) -> None:
    with contextlib.suppress(AxdrError):
        item, end = decode_item(octets)
        assert end <= len(octets)
        assert item.type_name


@pytest.mark.parametrize(
    ("octets", "tag", "content"),
    [
        ("1741b80000", FLOAT32, Decimal(23)),
        ("173dcccccd", FLOAT32, Decimal("0.1")),
        # Six digits are enough for the first, eight and nine are needed for the others.
        ("17500001c6", FLOAT32, Decimal("8.5904E+9")),
        ("1747f12064", FLOAT32, Decimal("123456.78")),
        ("174ce85637", FLOAT32, Decimal("121811384")),
        ("18402e000000000000", FLOAT64, Decimal(15)),
        ("177f800000", NULL, None),
        ("187ff8000000000000", NULL, None),
        ("040aaa80", BIT_STRING, b"1010101010"),
        ("0408a5", BIT_STRING, b"10100101"),
        ("0400", BIT_STRING, b""),
        ("0d42", 0x0D, 42),
        ("0d90", 0x0D, 90),
        ("0d09", 0x0D, 9),
        ("09840000000161", OCTETS, b"a"),
        ("1306 04 00000001".replace(" ", ""), ARRAY, [Item(UINT32, 1)]),
        ("130202 12 0f 06 0001ff 0002fe".replace(" ", ""), ARRAY, None),
    ],
)
def test_rare_types(octets: str, tag: int, content: Any) -> None:
    item, end = decode_item(bytes.fromhex(octets))
    assert (item.tag, end) == (tag, len(octets) // 2)
    if content is not None or tag == NULL:
        assert item.content == content
    else:
        assert [[each.content for each in pair.items] for pair in item.items] == [[1, -1], [2, -2]]


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("07", "the tag 07 names no type at octet 0"),
        ("20", "the tag 20 names no type at octet 0"),
        ("ff", "the tag FF names no type at octet 0"),
        ("0d9a", "9A are no two digits at octet 1"),
        ("0da9", "A9 are no two digits at octet 1"),
        ("0980", "a length of 0 octets at octet 1"),
        ("0985000000000161", "a length of 5 octets at octet 1"),
        ("01" * 40, "more than 8 deep at octet 17"),
        # Compact arrays: of no type, of what takes no octet, of nothing, of more than there is.
        ("13070100", "the tag 07 names no type at octet 1"),
        ("13130100", "the tag 13 names no type at octet 1"),
        ("13000100", "the tag 00 names no type at octet 1"),
        ("13010000", "a value is missing|1 octets were announced"),
        ("130100001100", "no element"),
        ("130100071100", "more of them than octets"),
        ("13020000", "a structure without elements"),
    ],
)
def test_what_is_no_value_is_told(octets: str, words: str) -> None:
    with pytest.raises(AxdrError, match=words) as error:
        decode_item(bytes.fromhex(octets))
    assert str(error.value).endswith(f" at octet {error.value.place}")


def test_elements_of_a_compact_array_may_be_arrays() -> None:
    item, end = decode_item(bytes.fromhex("1301000211" + "04" + "01020304"))
    assert end == 10
    assert [[each.content for each in inner.items] for inner in item.items] == [[1, 2], [3, 4]]
    # As many as there are octets is the most that can be announced.
    assert decode_item(bytes.fromhex("130100061100")) == (Item(ARRAY, []), 6)


_ONE_IN_A_LIST, _ONE_IN_AN_ARRAY = "0201", "010001"  # as elements of compact arrays are described


@pytest.mark.parametrize("around", [0, 5])
@pytest.mark.parametrize("described", [_ONE_IN_A_LIST, _ONE_IN_AN_ARRAY])
def test_compact_arrays_count_among_the_eight_levels(around: int, described: str) -> None:
    def nested(levels: int) -> bytes:
        return bytes.fromhex("0101" * around + "13" + described * (levels - around - 1) + "11" + "0107")

    item, _ = decode_item(nested(MAX_DEPTH))
    for _ in range(MAX_DEPTH):
        item = item.items[0]
    assert item == Item(UINT8, 7)
    with pytest.raises(AxdrError, match="more than 8 deep"):
        decode_item(nested(MAX_DEPTH + 1))


def test_a_compact_array_below_eight_levels_is_one_too_many() -> None:
    with pytest.raises(AxdrError, match="more than 8 deep"):
        decode_item(bytes.fromhex("0101" * MAX_DEPTH + "13110107"))


def test_eight_levels_are_read_and_nine_are_not() -> None:
    assert decode_item(bytes.fromhex("0101" * MAX_DEPTH + "1107"))[1] == 2 * MAX_DEPTH + 2
    with pytest.raises(AxdrError, match="more than 8 deep"):
        decode_item(bytes.fromhex("0101" * (MAX_DEPTH + 1) + "1107"))


def test_an_item_says_what_it_is_and_holds() -> None:
    assert (Item(INT16, 1).type_name, Item(INT16, 1).items, Item(INT16, 1).octets) == ("long", (), b"")
    assert Item(OCTETS, b"a").octets == b"a"


@pytest.mark.parametrize("item", [Item(FLOAT32, 1), Item(INT8, b"1"), Item(BIT_STRING, b"1")])
def test_what_no_meter_sends_is_not_written(item: Item) -> None:
    with pytest.raises(ValueError, match=f"{item.type_name} is not written here"):
        encode_item(item)


@pytest.mark.parametrize(
    ("length", "octets"), [(0, "00"), (127, "7f"), (128, "8180"), (256, "820100"), (70000, "83011170")]
)
def test_lengths_as_ber_writes_them(length: int, octets: str) -> None:
    assert encode_length(length).hex() == octets
    assert decode_length(bytes.fromhex(octets), 0) == (length, len(octets) // 2)
