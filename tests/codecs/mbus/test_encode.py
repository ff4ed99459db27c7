"""What emulated meters write, octet by octet as EN 13757-3 has it: places, numbers, times."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from smart_meter_reader.codecs.mbus.encode import (
    NOW,
    RecordPlace,
    answer,
    bcd_record,
    date_record,
    integer_record,
    moment_record,
)
from smart_meter_reader.codecs.mbus.header import Header
from smart_meter_reader.codecs.mbus.records import parse_records

VIF = b"\x06"


@pytest.mark.parametrize(
    ("place", "octets"),
    [
        (NOW, "04"),
        (RecordPlace("maximum"), "14"),
        (RecordPlace("minimum"), "24"),
        (RecordPlace("error"), "34"),
        # Storage: one bit in DIF, four in each DIFE.
        (RecordPlace(storage=1), "44"),
        (RecordPlace(storage=2), "8401"),
        (RecordPlace(storage=31), "c40f"),
        (RecordPlace(storage=32), "848001"),
        (RecordPlace("minimum", storage=0x155), "e48a0a"),
        # Tariff: two bits in each DIFE; subunit: one.
        (RecordPlace(tariff=1), "8410"),
        (RecordPlace(tariff=3), "8430"),
        (RecordPlace(tariff=4), "848010"),
        (RecordPlace(subunit=1), "8440"),
        (RecordPlace(subunit=2), "848040"),
        (RecordPlace(storage=3, tariff=6, subunit=3), "c4e150"),
        (RecordPlace(storage=32, tariff=0, subunit=0), "848001"),
        (RecordPlace(storage=0, tariff=16, subunit=0), "84808010"),
    ],
)
def test_where_a_value_belongs(place: RecordPlace, octets: str) -> None:
    assert place.dif(4).hex() == octets
    (record,) = parse_records(bytes.fromhex(octets) + VIF + bytes(4)).records
    assert RecordPlace(record.function, record.storage, record.tariff, record.subunit) == place


@pytest.mark.parametrize(
    ("octets", "number", "told"),
    [
        (1, 5, "010605"),
        (1, -1, "0106ff"),
        (2, 0x0102, "02060201"),
        (3, -2, "0306feffff"),
        (4, 0x01020304, "040604030201"),
        (6, 0x01, "0606010000000000"),
        (8, -0x0102, "0706fefeffffffffffff"),
    ],
)
def test_binary_numbers(octets: int, number: int, told: str) -> None:
    assert integer_record(number, VIF, octets=octets).hex() == told
    place = RecordPlace("maximum", storage=1)
    dif = int(told[:2], 16) | 0x50
    assert integer_record(number, VIF, octets=octets, place=place).hex() == f"{dif:02x}{told[2:]}"


def test_a_number_has_four_octets_or_as_many_as_are_asked_for() -> None:
    assert integer_record(5, VIF) == integer_record(5, VIF, octets=4)
    for octets, number in ((1, 128), (1, -129), (2, 32_768), (4, 1 << 31)):
        with pytest.raises(OverflowError):
            integer_record(number, VIF, octets=octets)


@pytest.mark.parametrize(
    ("digits", "number", "told"),
    [
        (2, 42, "090642"),
        (2, 7, "090607"),
        (2, -7, "0906f7"),
        (4, 123, "0a062301"),
        (6, 123_456, "0b06563412"),
        (8, 12_345_678, "0c0678563412"),
        (8, -1_234_567, "0c06674523f1"),
        (8, -5, "0c06050000f0"),
        (8, 0, "0c0600000000"),
        (12, 123_456_789_012, "0e06129078563412"),
    ],
)
def test_decimal_digits(digits: int, number: int, told: str) -> None:
    assert bcd_record(number, VIF, digits=digits).hex() == told
    assert bcd_record(number, VIF, digits=digits, place=RecordPlace(storage=1))[0] == int(told[:2], 16) | 0x40


def test_digits_are_eight_where_none_are_asked_for() -> None:
    assert bcd_record(5, VIF) == bcd_record(5, VIF, digits=8)


def test_dates_and_moments() -> None:
    place, when = RecordPlace(storage=1), datetime.fromisoformat("2026-11-30T23:59")
    assert date_record(date(2026, 11, 30)).hex() == "026c5e3b"
    assert date_record(date(2026, 11, 30), place=place).hex() == "426c5e3b"
    assert moment_record(when).hex() == "046d3b175e3b"
    assert moment_record(when, place=place).hex() == "446d3b175e3b"


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (date(2000, 1, 1), "0101"),
        (date(2007, 12, 31), "ff0c"),
        (date(2008, 1, 1), "0111"),
        (date(2099, 2, 28), "7cc2"),
        (date(1999, 2, 28), "7cc2"),  # a year has two digits
    ],
)
def test_the_seven_bits_of_a_year(day: date, told: str) -> None:
    assert date_record(day).hex() == f"026c{told}"


def test_an_answer_is_a_header_and_its_records() -> None:
    header = Header("12345678", "KAM", 0x35, 4)
    frame = answer(header, [b"\x01\x06\x05", b"\x02\x06\x05\x06"], 7)
    assert (frame.control, frame.address, frame.ci) == (0x08, 7, 0x72)
    assert frame.payload == header.encode() + bytes.fromhex("01060502060506")
    assert answer(header, [], 7, control=0x18).control == 0x18
    assert answer(header, [], 7).payload == header.encode()
