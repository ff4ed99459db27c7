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
        ("18402e000000000000", FLOAT64, Decimal(15)),
        ("177f800000", NULL, None),
        ("187ff8000000000000", NULL, None),
        ("040aaa80", BIT_STRING, b"1010101010"),
        ("0d42", 0x0D, 42),
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
    "octets", ["07", "0dff", "13ff", "1300", "130200", "13010000", "0985", "01" * 40, "ff", "20"]
)
def test_what_is_no_value_is_told(octets: str) -> None:
    with pytest.raises(AxdrError, match="at octet"):
        decode_item(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("length", "octets"), [(0, "00"), (127, "7f"), (128, "8180"), (256, "820100"), (70000, "83011170")]
)
def test_lengths_as_ber_writes_them(length: int, octets: str) -> None:
    assert encode_length(length).hex() == octets
