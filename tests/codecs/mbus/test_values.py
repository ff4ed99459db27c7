"""The octets of an M-Bus value at the bounds of each type: the last that is read, the first that is none."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smart_meter_reader.codecs.mbus.header import Header
from smart_meter_reader.codecs.mbus.records import parse_records
from smart_meter_reader.codecs.mbus.values import bcd, integer, moment, real, scaled, text, unsigned
from smart_meter_reader.exceptions import MalformedError, ValueFormatError


@pytest.mark.parametrize(
    ("octets", "number"),
    [
        ("7f", 127),
        ("81", -127),
        ("ff", -1),
        ("0180", -32767),
        ("8000", 128),
        ("8080", -32640),
        ("00", 0),
        ("000000000000f0ff", -(1 << 52)),
        ("80", None),
        ("0080", None),
        ("0000000000000080", None),
    ],
)
def test_a_binary_number_has_a_sign_and_one_that_stands_for_none(octets: str, number: int | None) -> None:
    if number is None:
        with pytest.raises(ValueFormatError, match="not available"):
            integer(bytes.fromhex(octets))
    else:
        assert integer(bytes.fromhex(octets)) == number
    assert unsigned(bytes.fromhex(octets)) == int.from_bytes(bytes.fromhex(octets), "little")


@pytest.mark.parametrize(
    ("octets", "number"),
    [
        ("78563412", 12345678),
        ("000000f1", -1000000),
        ("090000f0", -9),
        ("99", 99),
        ("f9", -9),
        ("1f", None),
    ],
)
def test_decimal_digits_and_their_minus_sign(octets: str, number: int | None) -> None:
    if number is None:
        with pytest.raises(ValueFormatError, match="BCD 1F has F for a digit"):
            bcd(bytes.fromhex(octets))
    else:
        assert bcd(bytes.fromhex(octets)) == number


def test_a_floating_number() -> None:
    assert real(bytes.fromhex("0000c03f")) == Decimal("1.5")
    for octets in ("0000c07f", "0000807f", "000080ff"):
        with pytest.raises(ValueFormatError, match="no number"):
            real(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("number", "exponent", "written"),
    [
        (37351, 3, "37351000"),
        (37351, 0, "37351"),
        (37351, -3, "37.351"),
        (5, 1, "50"),
        (1, 20, "1" + "0" * 20),
        (1, -20, "1E-20"),
        (-7, 2, "-700"),
    ],
)
def test_powers_of_ten(number: int, exponent: int, written: str) -> None:
    assert str(scaled(number, exponent)) == written


@pytest.mark.parametrize("exponent", [21, -21])
def test_a_power_that_no_meter_has(exponent: int) -> None:
    with pytest.raises(ValueFormatError, match=f"to the power of {exponent}"):
        scaled(1, exponent)


def test_text_is_backwards_and_without_what_does_not_print() -> None:
    assert text(b" \xe4\x1b[CBA\0 ") == "ABC[ä"


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        ("2103", "2001-03-01"),  # type G: the year is in the highest three and four bits
        ("0101", "2000-01-01"),
        ("1fac", "2080-12-31"),
        ("21a1", "1981-01-01"),
        ("7fcc", "1999-12-31"),
        ("9fcc", None),
        ("0001", None),
        ("0100", None),
        ("1e02", None),
        ("0b3a0a", "10:58:11"),  # type J
        ("3b3b17", "23:59:59"),
        ("3c3b17", None),
        ("3b3c17", None),
        ("3b3b18", None),
        ("0b3aea", "10:58:11"),
        ("3b172103", "2001-03-01T23:59"),  # type F
        ("7b172103", "2001-03-01T23:59"),
        ("3c172103", None),
        ("3b182103", None),
        ("bb172103", None),
        ("00372103", "2001-03-01T23:00"),
        ("00572103", "2101-03-01T23:00"),
        ("00772103", "2201-03-01T23:00"),
        ("3b3b1721 0300", "2001-03-01T23:59:59"),  # type I
        ("3b3bf721 0300", "2001-03-01T23:59:59"),
        ("fb3b1721 0300", "2001-03-01T23:59:59"),
        ("3bbb1721 0300", None),
        ("3c3b1721 0300", None),
        ("0000", None),
        ("ffffffff", None),
        ("01", None),
        ("0102030405", None),
    ],
)
def test_dates_and_times(octets: str, written: str | None) -> None:
    if written is None:
        with pytest.raises(ValueFormatError):
            moment(bytes.fromhex(octets))
    else:
        assert moment(bytes.fromhex(octets)) == written


@pytest.mark.parametrize("octets", ["0000", "ffff", "00000000", "ffffffff", "0001", "0100", "00172003"])
def test_a_date_that_is_not_set_is_told_as_such(octets: str) -> None:
    with pytest.raises(ValueFormatError, match=r"^not set$"):
        moment(bytes.fromhex(octets))


def value(octets: str) -> Decimal | str | None:
    (record,) = parse_records(bytes.fromhex(octets)).records
    return record.value


@pytest.mark.parametrize(
    ("lvar", "length", "found"),
    [
        ("bf", 0xBF, "A" * 0xBF),
        ("c9", 9, Decimal("4141" * 4 + "41")),
        ("d9", 9, -Decimal("4141" * 4 + "41")),
        ("e8", 8, Decimal(0x4141414141414141)),
        ("e9", 9, "41" * 9),
        ("ef", 15, "41" * 15),
        ("f0", 16, "41" * 16),
        ("f4", 32, "41" * 32),
        ("f5", 48, "41" * 48),
        ("f6", 64, "41" * 64),
    ],
)
def test_values_of_any_length(lvar: str, length: int, found: Decimal | str) -> None:
    assert value("0d03" + lvar + "41" * length) == found
    with pytest.raises(MalformedError, match="ends inside the value"):
        value("0d03" + lvar + "41" * (length - 1))


@pytest.mark.parametrize("lvar", ["ca", "cf", "da", "df", "f7", "ff"])
def test_lengths_that_there_are_not(lvar: str) -> None:
    with pytest.raises(MalformedError, match=f"no LVAR {lvar.upper()}h"):
        value("0d03" + lvar + "41" * 255)


@pytest.mark.parametrize(
    ("octets", "found"),
    [
        ("0a6c3412", Decimal(1234)),  # a date in decimal digits is a number
        ("056c0000c03f", Decimal("1.5")),
        ("0703" + "0100000000000000", Decimal(1)),
        ("0e03" + "563412907856", Decimal(567890123456)),
        ("0603" + "010000000000", Decimal(1)),
        ("0303" + "ffffff", Decimal(-1)),
        ("01fd17ff", Decimal(255)),
    ],
)
def test_data_fields(octets: str, found: Decimal) -> None:
    assert value(octets) == found


def test_ten_extensions_are_the_most() -> None:
    (record,) = parse_records(bytes.fromhex("84" + "80" * 9 + "00" + "03" + "01000000")).records
    assert (record.value, len(record.dif)) == (Decimal(1), 11)
    with pytest.raises(MalformedError, match="more than 10 DIFE"):
        parse_records(bytes.fromhex("84" + "80" * 10 + "00" + "03" + "01000000"))


def test_where_a_value_stands_is_told() -> None:
    first, second = parse_records(bytes.fromhex("2f0403010000000203ffff")).records
    assert (first.raw.hex(), first.end, second.raw.hex(), second.end) == ("01000000", 7, "ffff", 11)


@pytest.mark.parametrize(
    ("configuration", "encrypted"),
    [
        (0x0510, True),
        (0x0710, True),
        (0x0500, False),
        (0x0610, False),
        (0x2510, True),
        (0x05F0, True),
        (0x0501, False),
        (0, False),
    ],
)
def test_what_is_encrypted(configuration: int, encrypted: bool) -> None:
    assert Header(configuration=configuration).is_encrypted is encrypted


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0x00, ()),
        (0x01, ("busy",)),
        (0x02, ("an application error",)),
        (0x03, ("an abnormal state",)),
        (0x1F, ("an abnormal state", "low power", "a permanent error", "a temporary error")),
        (0xE0, ()),
    ],
)
def test_the_status_byte_in_words(status: int, words: tuple[str, ...]) -> None:
    assert Header(status=status).states == words
