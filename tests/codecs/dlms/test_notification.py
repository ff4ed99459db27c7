"""Data-notifications octet by octet: times with and without a tag, lists without tags, what is none."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.dlms.axdr import OCTETS, UINT32, AxdrError, Item
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


@pytest.mark.parametrize("time", ["00", "0c" + TIME])
def test_a_list_without_tags(time: str) -> None:
    octets = HEAD + time + TAGLESS
    told = parsed(octets + "0102")
    assert (told.body, told.described, told.end) == (None, BOTH, len(octets) // 2)


def test_what_only_begins_like_a_list_without_tags_is_one_with_them() -> None:
    # A structure of a state and an array of one structure of two numbers: too short for a descriptor.
    octets = HEAD + "00" + "0202160501" + "01" + "020211051106"
    told = parsed(octets)
    assert told.body is not None
    assert (len(told.body.items), told.described, told.end) == (2, (), len(octets) // 2)
    # And an array of numbers, behind which no descriptor stands.
    octets = HEAD + "00" + "0202160501" + "01" + "1105"
    assert (parsed(octets).described, parsed(octets).end) == ((), len(octets) // 2)


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
