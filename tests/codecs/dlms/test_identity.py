"""Who a list says that its meter is: which text counts, which code goes before another, and whose letters."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.dlms.axdr import NULL, OCTETS, UINT32, Item
from smart_meter_reader.codecs.dlms.identity import (
    NAMING,
    DlmsIdentity,
    identity_of,
    naming_texts,
    telling_of,
)
from smart_meter_reader.codecs.dlms.layouts import CodedValue
from smart_meter_reader.codecs.obis import ObisCode

CODES = {
    "96.1.0": ObisCode(0, 0, 96, 1, 0, 255),
    "0.0.5": ObisCode(1, 0, 0, 0, 5, 255),
    "0.0.1": ObisCode(1, 0, 0, 0, 1, 255),
    "42.0.0": ObisCode(0, 0, 42, 0, 0, 255),
    "96.1.1": ObisCode(0, 0, 96, 1, 1, 255),
    "96.1.7": ObisCode(0, 0, 96, 1, 7, 255),
    "0.2.129": ObisCode(1, 1, 0, 2, 129, 255),
    "1.8.0": ObisCode(1, 0, 1, 8, 0, 255),
}


def entry(reduced: str, text: bytes | int | None, attribute: int = 2) -> CodedValue:
    tag = NULL if text is None else UINT32 if isinstance(text, int) else OCTETS
    return CodedValue(CODES[reduced], Item(tag, text), None, attribute)


def identity(
    texts: dict[str, str], *nameless: Item, title: bytes = b"", make: str = "", layout: str = "list"
) -> DlmsIdentity:
    telling = telling_of(texts, nameless, title, make, layout)  # type: ignore[arg-type]
    return identity_of(texts, nameless, telling)


def text(octets: bytes) -> Item:
    return Item(OCTETS, octets)


def test_the_texts_of_codes_that_name_a_meter() -> None:
    assert sorted(NAMING) == ["0.0.1", "0.0.5", "42.0.0", "96.1.0", "96.1.1"]
    for reduced in (*NAMING, "96.1.7", "0.2.129"):
        assert naming_texts((entry(reduced, b" 12 "),)) == {reduced: "12"}, reduced
    assert naming_texts((entry("96.1.0", 4711),)) == {"96.1.0": "4711"}


@pytest.mark.parametrize(
    "nothing",
    [
        entry("1.8.0", b"12"),
        entry("96.1.0", b"12", attribute=1),
        entry("96.1.0", b"12", attribute=3),
        entry("96.1.0", b""),
        entry("96.1.0", b"  "),
        entry("96.1.0", None),
        entry("96.1.0", b"\xff\xfe"),
    ],
)
def test_what_names_no_meter(nothing: CodedValue) -> None:
    assert naming_texts((nothing,)) == {}


def test_of_two_values_of_a_code_the_first_counts() -> None:
    assert naming_texts((entry("96.1.0", b"1"), entry("96.1.0", b"2"))) == {"96.1.0": "1"}


@pytest.mark.parametrize(
    ("codes", "counts"),
    [
        (("96.1.0", "0.0.5", "0.0.1", "42.0.0", "96.1.1"), "96.1.0"),
        (("0.0.5", "0.0.1", "42.0.0", "96.1.1"), "0.0.5"),
        (("0.0.1", "42.0.0", "96.1.1"), "0.0.1"),
        (("42.0.0", "96.1.1"), "42.0.0"),
        (("96.1.1",), "96.1.1"),
    ],
)
def test_the_likelier_code_is_the_number_on_the_meter(codes: tuple[str, ...], counts: str) -> None:
    found = identity({code: f"number of {code}" for code in codes})
    assert (found.serial_number, found.serial_code) == (f"number of {counts}", counts)


def test_a_kamstrup_tells_its_model_where_others_have_a_number() -> None:
    texts = {"0.2.129": "Kamstrup_V0001", "96.1.1": "6841121BN243101040", "96.1.7": "other"}
    assert identity(texts) == DlmsIdentity("Kamstrup", "6841121BN243101040", "", "", "Kamstrup_V0001")
    assert identity(texts | {"0.0.5": "5706567000000000"}).serial_number == "5706567000000000"
    other = identity(texts | {"0.2.129": "AIDON_V0001"})
    assert other == DlmsIdentity("Aidon", "other", "6841121BN243101040", "96.1.1", "AIDON_V0001")


@pytest.mark.parametrize(
    ("octets", "number"),
    [
        (b"12345678", "12345678"),
        (b"1234567", ""),
        (b"1234567A", ""),
        (b"\xff" * 8, ""),
    ],
)
def test_a_number_behind_the_last_value_has_eight_digits(octets: bytes, number: str) -> None:
    found = identity({}, text(b"x"), text(octets))
    assert (found.serial_number, found.serial_code) == (number, "")
    # One with a code goes before it, and one that is not the last is none.
    assert identity({"96.1.0": "5"}, text(b"x"), text(octets)).serial_number == "5"
    assert identity({}, text(octets), text(b"x")).serial_number == ""
    assert identity({}, text(b"x"), text(octets), text(b"x")).serial_number == ""
    assert identity({}, text(b"x"), Item(UINT32, 12345678)).serial_number == ""
    assert identity({}).serial_number == ""


@pytest.mark.parametrize(
    ("device", "title", "list_name", "letters"),
    [
        ("LGZ1030655933512", b"KFM\x67\0\0\0\x09", "AIDON_V0001", "LGZ"),
        ("", b"KFM\x67\0\0\0\x09", "AIDON_V0001", "KFM"),
        ("", b"", "AIDON_V0001", "AID"),
        ("", b"", "Aidon_V0001", "AID"),
        ("lgz1", b"", "", "LGZ"),
        ("", b"sag\x67\0\0\0\x09", "", "SAG"),
        ("", b"", "", ""),
    ],
)
def test_whose_letters_count(device: str, title: bytes, list_name: str, letters: str) -> None:
    texts = {"42.0.0": device, "0.2.129": list_name}
    telling = telling_of({code: each for code, each in texts.items() if each}, (), title, "iskra", "flat")
    assert telling == (list_name, device, "", letters, "iskra", "flat")


@pytest.mark.parametrize(
    ("items", "list_name"),
    [
        ((text(b"KFM_001"), text(b"x")), ""),
        ((text(b"Kamstrup_V0001"), text(b"x")), "Kamstrup_V0001"),
        ((text(b"x"), text(b"Kamstrup_V0001")), ""),
        ((Item(UINT32, 1),), ""),
        ((), ""),
    ],
)
def test_a_list_without_codes_may_begin_with_its_name(items: tuple[Item, ...], list_name: str) -> None:
    assert telling_of({}, items, b"", "", "flat").list_name == list_name
    assert telling_of({"0.2.129": "Other"}, items, b"", "", "flat").list_name == "Other"


@pytest.mark.parametrize(
    ("title", "make", "maker"),
    [
        (b"ELS\0\0\0\0\0", "", "Landis+Gyr"),
        (b"ISK\0\0\0\0\0", "kaifa", "Iskraemeco"),
        (b"XYZ\0\0\0\0\0", "kaifa", "Kaifa"),
        (b"", "iskra", "Iskraemeco"),
        (b"", "landis+gyr", "Landis+Gyr"),
        (b"", "other", ""),
    ],
)
def test_a_maker_is_known_by_letters_or_by_its_list(title: bytes, make: str, maker: str) -> None:
    assert identity({}, title=title, make=make).manufacturer == maker
