"""Entries and elements of SML at their bounds: scalers, widths, lengths, depth, and times of every form."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smart_meter_reader.codecs.obis import ObisCode
from smart_meter_reader.codecs.sml.encode import Value, encode_telegram
from smart_meter_reader.codecs.sml.presentation import LIST, OCTETS, Element, read_element, read_tl, write_tl
from smart_meter_reader.codecs.sml.telegram import ListEntry
from smart_meter_reader.exceptions import MalformedError
from smart_meter_reader.text import LONGEST_TEXT
from tests.codecs.sml.test_frame import only, values_of

METER = bytes.fromhex("0a0149534b0000000009")
CODE = ObisCode(1, 0, 1, 8, 0, 255)


def entry(value: Value) -> ListEntry | None:
    """What is read of one that was sent; None where it is unread."""
    values = values_of(only(encode_telegram(METER, [value])))
    assert len(values.entries) + len(values.unread) == 1
    return values.entries[0] if values.entries else None


@pytest.mark.parametrize(
    ("number", "scaler", "text"),
    [
        (12345, None, "12345"),
        (12345, 0, "12345"),
        (12345, -1, "1234.5"),
        (12345, 3, "1.2345E+7"),
        (-12345, -4, "-1.2345"),
        (1, 19, "1E+19"),
        (10, 19, None),  # of twenty-one digits
        (1, 20, None),
        (1, -19, "1E-19"),
        (1, -20, None),
        (1, 2**40, None),
        (0, -2, "0.00"),
        (2**63 - 1, -4, "922337203685477.5807"),
        (-(2**63), 0, "-9223372036854775808"),
    ],
)
def test_a_number_has_its_scaler_and_the_digits_that_were_sent(
    number: int, scaler: int | None, text: str | None
) -> None:
    found = entry(Value(CODE, number, 30, scaler))
    assert (None if found is None else str(found.value)) == text


@pytest.mark.parametrize("octets", range(1, 9))
@pytest.mark.parametrize("signed", [True, False])
def test_numbers_of_every_width(octets: int, signed: bool) -> None:
    for number in (
        1,
        2 ** (8 * octets - 1) - 1,
        -(2 ** (8 * octets - 1)) if signed else 2 ** (8 * octets) - 1,
    ):
        found = entry(Value(CODE, number, 30, None, None, octets, signed))
        assert found is not None
        assert (found.value, found.octets, found.signed) == (Decimal(number), octets, signed)


@pytest.mark.parametrize(("status", "told"), [(None, None), (0, 0), (0x1B0, 0x1B0), (2**40, 2**40)])
def test_the_status_stands_before_the_value(status: int | None, told: int | None) -> None:
    found = entry(Value(CODE, 5, 30, -1, status))
    assert found is not None
    assert (found.status, found.unit, found.value) == (told, 30, Decimal("0.5"))


def test_units_of_more_than_an_octet_and_texts_of_any_length() -> None:
    found = entry(Value(CODE, 5, 300, -1))
    assert found is not None
    assert (found.unit, found.value) == (300, Decimal("0.5"))
    assert entry(Value(CODE, 5, None, -1)) == ListEntry(CODE, Decimal("0.5"), None, None, 1, True)
    for value in (True, False, b"A", bytes(LONGEST_TEXT)):
        found = entry(Value(CODE, value))
        assert found is not None
        assert found.value == value
        assert isinstance(found.value, type(value))
    assert entry(Value(CODE, bytes(LONGEST_TEXT + 1))) is None
    assert entry(Value(CODE, None)) is None


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        (None, None),
        (1234, 1234),
        ([1, 1234], 1234),
        ([2, 1700000000], 1700000000),
        ([3, [1700000000, 60, 60]], 1700000000),
        ([3, []], None),
        ([1], None),
        ([1, 2, 3], None),
        (True, None),
        ([1, True], None),
        (b"1234", None),
    ],
)
def test_times_of_every_form(time: Element, seconds: int | None) -> None:
    assert values_of(only(encode_telegram(METER, [], sensor_time=time))).sensor_time == seconds


@pytest.mark.parametrize(
    ("kind", "length", "octets"),
    [
        (OCTETS, 0, "01"),
        (OCTETS, 14, "0f"),
        (OCTETS, 15, "8101"),
        (OCTETS, 253, "8f0f"),
        (OCTETS, 254, "818001"),
        (OCTETS, 4092, "8f8f0f"),
        (OCTETS, 65_531, "8f8f8f0f"),
        (LIST, 0, "70"),
        (LIST, 15, "7f"),
        (LIST, 16, "f100"),
        (LIST, 255, "ff0f"),
    ],
)
def test_types_and_lengths_both_ways(kind: int, length: int, octets: str) -> None:
    assert write_tl(kind, length).hex() == octets
    assert read_tl(bytes.fromhex(octets), 0) == (kind, length, len(octets) // 2)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("", "nothing follows"),
        ("81", "nothing follows"),
        ("8080808001", "a length of 5 octets"),
        ("00", "shorter than its own length"),
        ("8001", "shorter than its own length"),
        ("0361", "an element of 2 octets where 1 are left"),
        ("51", "a number of 0 octets"),
        ("5a" + "00" * 9, "a number of 9 octets"),
        ("43" + "0000", "an element of type 4"),
        ("21", "an element of type 2"),
        ("2200", "an element of type 2"),
        ("f1800f" + "01" * 256, "a list of 2"),
    ],
)
def test_what_is_no_element_is_told_with_its_place(octets: str, words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        read_element(bytes.fromhex(octets), 0)


def test_ten_lists_within_one_another_are_the_most() -> None:
    element, place = read_element(bytes.fromhex("71" * 10 + "01"), 0)
    assert place == 11
    for _ in range(10):
        assert isinstance(element, list)
        (element,) = element
    assert element is None
    with pytest.raises(MalformedError, match="10 lists deep"):
        read_element(bytes.fromhex("71" * 11 + "01"), 0)
    assert read_element(bytes.fromhex("ff0f" + "01" * 255), 0) == ([None] * 255, 257)
    with pytest.raises(MalformedError, match="a list of 256 elements"):
        read_element(bytes.fromhex("f18000" + "01" * 256), 0)


@pytest.mark.parametrize(
    ("octets", "element"),
    [
        ("4200", False),
        ("4201", True),
        ("42ff", True),
        ("52ff", -1),
        ("62ff", 255),
        ("0341ff", b"A\xff"),
        ("59" + "7f" * 8, 0x7F7F7F7F7F7F7F7F),
    ],
)
def test_elements(octets: str, element: Element) -> None:
    assert read_element(bytes.fromhex(octets), 0) == (element, len(octets) // 2)
