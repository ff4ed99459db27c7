"""A notification that its own count alone ends: its head octet by octet, its entries, and what is none."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.dlms.framing.unframed import (
    DESCRIPTOR_LENGTH,
    LONGEST,
    UnframedProgress,
    begin_unframed,
    go_on,
)

UNTIMED = bytes.fromhex("0f00000001" + "00")
TIMED = bytes.fromhex("0f00000001" + "0c" + "07e60b0c0610360000ffc400")
BODY = bytes.fromhex("0202162a01")
HEADS = [UNTIMED + BODY, TIMED + BODY]
# Class 3, 1-0:1.7.0, attribute 2, and a value of one octet.
ENTRY = bytes.fromhex("02020003010001070 0ff02".replace(" ", "")) + b"\x11\x07"


def begun(raw: bytes, begin: int = 0) -> UnframedProgress:
    progress = begin_unframed(raw, begin)
    assert isinstance(progress, UnframedProgress), progress
    return progress


@pytest.mark.parametrize("head", HEADS, ids=["untimed", "timed"])
@pytest.mark.parametrize("before", [b"", b"\x0f\x00"])
def test_a_head_is_known_with_its_count(head: bytes, before: bytes) -> None:
    begin = len(before)
    for end in range(1, len(head) + 1):
        assert begin_unframed(before + head[:end], begin) == "more", end
    place = begin + len(head) + 1
    assert begun(before + head + b"\x02" + ENTRY, begin) == UnframedProgress(begin, place, 2)


@pytest.mark.parametrize("head", HEADS, ids=["untimed", "timed"])
@pytest.mark.parametrize("mask", [0x40, 0x03])
def test_a_wrong_octet_of_a_head_is_seen_at_once(head: bytes, mask: int) -> None:
    free = {1, 2, 3, 4, len(head) - 2} | (set(range(6, 18)) if len(head) > 12 else set())
    for place in range(len(head)):
        damaged = head[:place] + bytes([head[place] ^ mask]) + head[place + 1 :] + b"\x01"
        if place in free:
            assert begun(damaged).remaining == 1
            continue
        for end in range(place + 1, len(damaged) + 1):
            assert begin_unframed(damaged[:end], 0) == "no", (place, end)


@pytest.mark.parametrize(
    ("count", "outcome"),
    [
        ("00", "no"),
        ("81", "more"),
        ("8100", "no"),
        ("8101", 1),
        ("82", "more"),
        ("8201", "more"),
        ("820174", 372),
        ("820175", "no"),
        ("84000000", "more"),
        ("8400000174", 372),
        ("80", "no"),
        ("85", "no"),
    ],
)
def test_how_many_entries_there_can_be(count: str, outcome: int | str) -> None:
    assert 372 * DESCRIPTOR_LENGTH <= LONGEST < 373 * DESCRIPTOR_LENGTH
    raw = HEADS[0] + bytes.fromhex(count)
    if isinstance(outcome, int):
        assert begun(raw) == UnframedProgress(0, len(raw), outcome)
    else:
        assert begin_unframed(raw, 0) == outcome


def test_each_entry_is_taken_as_it_arrives() -> None:
    raw = HEADS[0] + b"\x02" + ENTRY * 2 + b"\x0f"
    first = begun(raw)
    for end in range(first.place, first.place + len(ENTRY)):
        assert go_on(raw[:end], first) == "more", end
    second = go_on(raw[: first.place + len(ENTRY)], first)
    assert second == UnframedProgress(0, first.place + len(ENTRY), 1)
    assert isinstance(second, UnframedProgress)
    assert go_on(raw, second) == UnframedProgress(0, len(raw) - 1, 0)


@pytest.mark.parametrize(
    "entry",
    [
        "03",
        "0203",
        "0201",
        "020209",
        "02020100",
        "0202000301000107 00ff02 7f",
        "0202000301000107 00ff02 0985",
    ],
)
def test_what_is_no_entry_ends_the_attempt(entry: str) -> None:
    raw = HEADS[0] + b"\x02"
    assert go_on(raw + bytes.fromhex(entry), begun(raw)) == "no"


def test_a_value_may_be_a_structure_of_values_and_no_deeper() -> None:
    raw = HEADS[0] + b"\x01"
    head = ENTRY[:DESCRIPTOR_LENGTH]
    flat, deep = head + b"\x02\x01\x11\x07", head + b"\x02\x01\x02\x01\x02\x01\x11\x07"
    assert go_on(raw + flat, begun(raw)) == UnframedProgress(0, len(raw + flat), 0)
    assert go_on(raw + deep, begun(raw)) == "no"


def test_no_notification_grows_beyond_the_longest() -> None:
    """Neither by many entries nor by a value that ends behind it: that one is waited for no longer."""
    start = begun(HEADS[0] + b"\x02")
    room = LONGEST - start.place - DESCRIPTOR_LENGTH
    for surplus, verdict in ((0, UnframedProgress(0, LONGEST, 1)), (1, "no")):
        size = room - 4 + surplus  # tag, and a length of three octets
        value = b"\x09\x82" + size.to_bytes(2, "big") + bytes(size)
        raw = HEADS[0] + b"\x02" + ENTRY[:DESCRIPTOR_LENGTH] + value
        assert go_on(raw[: LONGEST - 1], start) == "more"
        assert go_on(raw[:LONGEST], start) == verdict
        assert go_on(raw + ENTRY, start) == verdict
    beyond = UnframedProgress(0, LONGEST + 1, 1)
    assert go_on(bytes(LONGEST + 1) + ENTRY, beyond) == "no"
