"""The fixed data structure: its table of units, both counters, and what of the header it has."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smart_meter_reader.codecs.mbus.fixed import UNITS, parse_fixed
from smart_meter_reader.codecs.mbus.header import ELECTRICITY, Header, parse_long

HEAD = "78563412" + "0a"


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        (0x01, None),
        (0x02, ("energy", "Wh", 0)),
        (0x04, ("energy", "Wh", 2)),
        (0x05, ("energy", "kWh", 0)),
        (0x08, ("energy", "MWh", 0)),
        (0x0A, ("energy", "MWh", 2)),
        (0x0B, ("energy", "kJ", 0)),
        (0x0E, ("energy", "MJ", 0)),
        (0x11, ("energy", "GJ", 0)),
        (0x14, ("power", "W", 0)),
        (0x17, ("power", "kW", 0)),
        (0x1A, ("power", "MW", 0)),
        (0x1D, ("power", "kJ/h", 0)),
        (0x20, ("power", "MJ/h", 0)),
        (0x25, ("power", "GJ/h", 2)),
        (0x26, ("volume", "ml", 0)),
        (0x29, ("volume", "l", 0)),
        (0x2D, ("volume", "m3", 1)),
        (0x2F, ("volume flow", "ml/h", 0)),
        (0x32, ("volume flow", "l/h", 0)),
        (0x37, ("volume flow", "m3/h", 2)),
        (0x38, ("temperature", "degC", -3)),
        (0x39, ("heat cost allocation", "", 0)),
        (0x3A, None),
        (0x3E, None),
        (0x3F, ("dimensionless", "", 0)),
    ],
)
def test_units_by_their_codes(code: int, unit: tuple[str, str, int] | None) -> None:
    """The M-Bus: A Documentation, 8.4.2."""
    assert UNITS.get(code) == unit


def test_a_counter_is_of_now_unless_the_meter_says_otherwise() -> None:
    header, (first, second) = parse_fixed(bytes.fromhex(HEAD + "00" + "0529" + "12000000" + "34000000"))
    assert (header.id, header.access, header.status) == ("12345678", 0x0A, 0)
    assert [(each.value, each.unit, each.storage, each.dif) for each in (first, second)] == [
        (Decimal(12), "kWh", 0, b""),
        (Decimal(34), "l", 0, b""),
    ]
    _, (first, second) = parse_fixed(bytes.fromhex(HEAD + "02" + "0529" + "12000000" + "34000000"))
    assert (first.storage, second.storage) == (1, 1)
    header, (first, second) = parse_fixed(bytes.fromhex(HEAD + "ff" + "053e" + "feffffff" + "00000080"))
    assert header.states == ("low power", "a permanent error", "a temporary error"), (
        "two bits mean other things"
    )
    assert (first.value, first.unit, first.storage) == (Decimal(-2), "kWh", 1)
    assert (second.value, second.unit, second.missing) == (None, "kWh", "not available (80000000)")


def test_a_counter_without_a_known_unit_or_number_is_told_as_such() -> None:
    _, (first, second) = parse_fixed(bytes.fromhex(HEAD + "00" + "0129" + "12000000" + "1f000000"))
    assert (first.quantity, first.unit) == ("unknown unit 01", "")
    told = "no number: BCD 0000001F has F for a digit, as meters tell an error"
    assert (second.value, second.missing) == (None, told)


@pytest.mark.parametrize(
    ("first", "second", "medium"),
    [(0x05, 0x29, 0x0F), (0x45, 0x29, 1), (0xC5, 0x29, 3), (0x05, 0x69, 4), (0xC5, 0x69, 7), (0x05, 0xA9, 8)],
)
def test_the_medium_is_in_four_bits_of_the_units(first: int, second: int, medium: int) -> None:
    octets = bytes.fromhex(HEAD + "00") + bytes((first, second)) + bytes(8)
    assert parse_fixed(octets)[0].medium == medium


def test_a_long_header_comes_back() -> None:
    header = Header("12345678", "KAM", 0x34, 4, 7, 0x1F, 0x0510)
    assert parse_long(header.encode()) == header


@pytest.mark.parametrize(
    ("maker", "version", "medium", "model"),
    [
        ("KAM", 0x34, 4, "MULTICAL 403"),
        ("KAM", 0x01, 4, "MULTICAL 401"),
        ("KAM", 0x01, ELECTRICITY, "382"),
        ("KAM", 0x02, 4, ""),
        ("HYD", 0x34, 4, ""),
    ],
)
def test_the_model_of_a_kamstrup_meter(maker: str, version: int, medium: int, model: str) -> None:
    assert Header("12345678", maker, version, medium).model == model
