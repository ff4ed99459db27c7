"""Data-notifications octet by octet: times with and without a tag, lists without tags, what is none."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.dlms.axdr import (
    ARRAY,
    ENUM,
    INT8,
    INT32,
    NULL,
    OCTETS,
    STRUCTURE,
    TYPE_NAMES,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    AxdrError,
    Item,
    encode_item,
)
from smart_meter_reader.codecs.dlms.notification import (
    Notification,
    TaglessValue,
    is_believable,
    parse_notification,
)

HEAD = "0f40000001"
TIME = "07ea0b1e010c000000ffc400"  # 30 November 2026, 12:00, an hour from UTC
UNSET = "ff" * 12
ENERGY, TARIFF = bytes.fromhex("0100010800ff"), bytes.fromhex("0000600e00ff")
LIST = "010106000000" + "05"  # an array of the number 5
# Two values behind descriptors without tags (EG.D): class, code, attribute, value.
TAGLESS = (
    "0202160501"
    + "02"
    + "02020003"
    + ENERGY.hex()
    + "0206000000"
    + "05"
    + "02021f41"
    + TARIFF.hex()
    + "02"
    + "09025431"
)
BOTH = (
    TaglessValue(3, ENERGY, 2, Item(UINT32, 5)),
    TaglessValue(0x1F41, TARIFF, 2, Item(OCTETS, b"T1")),
)


def parsed(octets: str) -> Notification:
    return parse_notification(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("time", "given"), [("00", False), ("0c" + TIME, True), ("090c" + TIME, True), ("0c" + UNSET, True)]
)
@pytest.mark.parametrize("before", ["", "010203"])
def test_a_time_is_there_or_not_with_its_tag_or_without(time: str, given: bool, before: str) -> None:
    octets = bytes.fromhex(before + HEAD + time + LIST)
    told = parse_notification(octets + b"\1\2", len(before) // 2)
    assert (told.invoke_id, told.time_given, told.end) == (0x40000001, given, len(octets))
    assert (told.time is not None) == (given and UNSET not in time)
    assert told.body is not None
    assert (list(told.body.items), told.described) == ([Item(UINT32, 5)], ())


def test_a_text_without_a_time_is_no_time() -> None:
    told = parsed(HEAD + "00" + "0c024142")
    assert (told.time_given, told.end) == (False, 10)


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        ("", "no data-notification"),
        ("c4" + HEAD[2:] + "00" + LIST, "no data-notification"),
        (HEAD, "a notification ends too early"),
        (HEAD[:-2], "a notification ends too early"),
        (HEAD + "05" + "00" * 5 + LIST, "a date-time of 5 octets"),
        (HEAD + "09" + "05" + "00" * 9 + LIST, "a date-time of 9 octets"),
        (HEAD + "0d" + "00" * 13 + LIST, "a date-time of 13 octets"),
    ],
)
def test_what_is_no_notification(octets: str, said: str) -> None:
    with pytest.raises(AxdrError, match=said):
        parsed(octets)


@pytest.mark.parametrize("time", ["00", "0c" + TIME, "0c" + UNSET])
def test_a_list_without_tags(time: str) -> None:
    octets = HEAD + time + TAGLESS
    told = parsed(octets + "0102")
    assert (told.body, told.described, told.end) == (None, BOTH, len(octets) // 2)
    assert (told.invoke_id, told.time_given) == (0x40000001, time != "00")
    assert (told.time is not None) == (TIME in time)


@pytest.mark.parametrize("interface_class", [1, 3, 4, 7, 8, 40, 70])
def test_whatever_the_class_reads_as_with_tags(interface_class: int) -> None:
    """The second octet of a class is a tag then: of none, of what ends early, or of what does not end."""
    octets = HEAD + "00" + TAGLESS.replace("02020003", f"0202{interface_class:04x}")
    assert parsed(octets).described == (BOTH[0]._replace(interface_class=interface_class), BOTH[1])


def test_what_only_begins_like_a_list_without_tags_is_one_with_them() -> None:
    # A structure of a state and an array of one structure of two numbers: too short for a descriptor.
    octets = HEAD + "00" + "0202160501" + "01" + "020211051106"
    told = parsed(octets)
    assert told.body is not None
    assert (len(told.body.items), told.described, told.end) == (2, (), len(octets) // 2)
    # And an array of numbers, behind which no descriptor stands.
    octets = HEAD + "00" + "0202160501" + "01" + "1105"
    assert (parsed(octets).described, parsed(octets).end) == ((), len(octets) // 2)


def tagged(*pairs: tuple[Item, Item]) -> bytes:
    """A state and structures of two, as the head of a list without tags says it, too."""
    body = Item(STRUCTURE, [Item(ENUM, 5), Item(ARRAY, [Item(STRUCTURE, list(pair)) for pair in pairs])])
    return bytes.fromhex(HEAD + "00") + encode_item(body)


CODED = Item(OCTETS, ENERGY)


@pytest.mark.parametrize(
    "pairs",
    [
        # The tag of the code was a class, that of the value an attribute, and its octets a tag and a value:
        # 4402 became 50,
        [(CODED, Item(UINT16, 0x1132)), (CODED, Item(UINT16, 0x1133))],
        [(CODED, Item(UINT32, 0x11320000))],
        # nought became nothing,
        [(CODED, Item(UINT8, 0)), (CODED, Item(UINT8, 0))],
        # and of six small numbers came a total of 301,992,466 Wh.
        [(CODED, Item(STRUCTURE, [Item(UINT16, 10)] * 6))],
        # Of an element that says nothing, the octet behind it is what a class ends with.
        [(Item(NULL, None), Item(OCTETS, bytes.fromhex("00010000ff021105")))],
    ],
    ids=["uint16", "uint32", "noughts", "structure", "null"],
)
def test_a_list_with_tags_that_begins_like_one_without_is_read_with_them(
    pairs: list[tuple[Item, Item]],
) -> None:
    octets = tagged(*pairs)
    told = parse_notification(octets)
    assert (told.described, told.end) == ((), len(octets))
    assert told.body is not None
    (state, listed) = told.body.items
    assert (state, [tuple(each.items) for each in listed.items]) == (Item(ENUM, 5), pairs)


_NUMBERS = {UINT8: 1, INT8: 1, UINT16: 2, UINT32: 4, INT32: 4, UINT64: 8}
_VALUES = st.recursive(
    st.sampled_from(sorted(_NUMBERS)).flatmap(
        lambda tag: st.integers(0, 2 ** (8 * _NUMBERS[tag] - 1) - 1).map(lambda number: Item(tag, number))
    )
    | st.binary(max_size=16).map(lambda octets: Item(OCTETS, octets))
    | st.just(Item(NULL, None)),
    lambda inner: st.lists(inner, max_size=6).map(lambda items: Item(STRUCTURE, items)),
    max_leaves=8,
)
_PAIRS = st.tuples(st.sampled_from([CODED, Item(OCTETS, TARIFF)]) | _VALUES, _VALUES)


@given(st.lists(_PAIRS, min_size=1, max_size=5))
def test_no_list_with_tags_is_read_without_them(pairs: list[tuple[Item, Item]]) -> None:
    octets = tagged(*pairs)
    told = parse_notification(octets)
    assert (told.described, told.end) == ((), len(octets))


@pytest.mark.parametrize("first", sorted(TYPE_NAMES))
def test_a_class_that_begins_with_a_tag_is_none(first: int) -> None:
    octets = bytes.fromhex(HEAD + "00" + TAGLESS.replace("02020003", f"0202{first:02x}03"))
    if first == NULL:
        assert parse_notification(octets).described == BOTH
    else:
        with suppress(AxdrError):  # nor has each of them a value behind it
            assert parse_notification(octets).described == ()


@pytest.mark.parametrize(
    ("octets", "believed"),
    [
        (HEAD + "00" + LIST, True),
        (HEAD + "0c" + TIME + LIST, True),
        (HEAD + "0c" + UNSET + LIST, False),
        (HEAD + "00" + TAGLESS, True),
        (HEAD + "00" + TAGLESS + "00", False),
        (HEAD + "00" + LIST + "00", False),
        (HEAD + "00" + LIST[:-2], False),
        (HEAD + "00" + "0100", False),
        (HEAD + "00" + "0600000005", False),
        ("c4" + HEAD[2:] + "00" + LIST, False),
    ],
)
def test_what_speaks_for_a_key(octets: str, believed: bool) -> None:
    assert is_believable(bytes.fromhex(octets)) is believed
