"""Data sets and their codes: what the standard writes, and what meters make of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.iec62056_21.codes import (
    measure,
    quantities_of,
    quantity_of,
    reduced_code,
)
from smart_meter_reader.codecs.iec62056_21.data_set import (
    DataSet,
    DataValue,
    encode_data_sets,
    parse_data_sets,
)
from smart_meter_reader.codecs.iec62056_21.serials import serial_number
from smart_meter_reader.exceptions import FrameError, ValueFormatError
from smart_meter_reader.quantities import QUANTITIES


def only(text: bytes) -> DataSet:
    (data_set,) = parse_data_sets(text).sets
    return data_set


@pytest.mark.parametrize(
    ("text", "code", "value", "unit"),
    [
        (b"6.8(0456.631*GJ)!", "6.8", Decimal("456.631"), "GJ"),
        (b"1.6(000001,5*kW)!", "1.6", Decimal("1.5"), "kW"),
        (b"1-0:1.8.0*255(0054321 kWh)!", "1-0:1.8.0*255", Decimal(54321), "kWh"),
        (b"1.8.0(001234.5kWh)!", "1.8.0", Decimal("1234.5"), "kWh"),
        (b"1.7.0(-00.250*kW)!", "1.7.0", Decimal("-0.250"), "kW"),
        (b"0.0(00002742640)!", "0.0", "00002742640", ""),
        (b"9.4(21.50)!", "9.4", Decimal("21.50"), ""),
        (b"9.4(21,50)!", "9.4", Decimal("21.50"), ""),
        (b"1.8.0(12345678901234567890*Wh)!", "1.8.0", Decimal(12345678901234567890), "Wh"),
        (b"1.8.0(123456789012345678901*Wh)!", "1.8.0", "123456789012345678901", "Wh"),
        (b"C.1(a!b)!", "C.1", "a!b", ""),
        (b"C.1.0(1EMH0004)!", "C.1.0", "1EMH0004", ""),
        (b"F.F(00000000)!", "F.F", "00000000", ""),
        (b"6.8()!", "6.8", "", ""),
    ],
)
def test_values(text: bytes, code: str, value: Decimal | str, unit: str) -> None:
    data_set = only(text)
    assert (data_set.code, data_set.values[0].value, data_set.values[0].unit) == (code, value, unit)


def test_several_values_in_parentheses_and_by_ampersand() -> None:
    assert len(only(b"9.4(098.5*C&096.1*C)!").values) == 2
    assert len(only(b"0-1:24.3.0(090212160000)(00)(m3)\r\n(00001.000)!").values) == 4


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (b"9.4(1)(2)\r\n(3)!", ["1", "2", "3"]),
        (b"9.4(1) (2)!", ["1", "2"]),
        (b"9.4(1)\r\n(2)!", ["1"]),
        (b"9.4(1)(2)\r\n()\r\n!", ["1", "2", ""]),
    ],
)
def test_parentheses_on_the_next_line_belong_to_a_code_that_has_several(
    text: bytes, values: list[str]
) -> None:
    assert [value.text for value in only(text).values] == values


def test_nothing_behind_the_end_is_read() -> None:
    assert only(b"6.8(1*GJ)!6.26(2*m3)").code == "6.8"
    assert [each.code for each in parse_data_sets(b"6.8(1*GJ)6.26(2*m3)!").sets] == ["6.8", "6.26"]


def test_a_line_of_lone_parentheses_costs_itself() -> None:
    parsed = parse_data_sets(b"6.8(1*GJ)\r\n\r\n)(\r\n6.26(2*m3)\r\n()\r\n!")
    assert [each.code for each in parsed.sets] == ["6.8", "6.26"]
    assert parsed.unread == (")(", "()")


def test_a_text_with_a_unit_is_no_quantity() -> None:
    assert quantity_of("1.8.0", DataValue("12a", "kWh")) is None
    assert measure(parse_data_sets(b"9.20(01)6.8(1*GJ)9.4(xx*C&096.1*C)!").sets) == {
        "heat_energy": {"value": Decimal(1), "unit": "GJ"},
        "return_temperature_maximum_year": {"value": Decimal("96.1"), "unit": "°C"},
    }
    assert reduced_code("hello") == "hello"


def test_what_landis_gyr_alone_means_needs_heat_beside_it() -> None:
    assert "flow_temperature_maximum_year" not in measure(parse_data_sets(b"9.20(01)9.4(98*C&96*C)!").sets)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"9.4(098.5*C&096.1*C)!", {"flow_temperature_maximum_year", "return_temperature_maximum_year"}),
        (b"F(0)!", {"error_code"}),
        (b"1.8.0(1*kWh&2*kWh)!", {"active_energy_import"}),
        (b"1.8.0(a)!", set()),
    ],
)
def test_everything_that_a_data_set_may_tell(text: bytes, told: set[str]) -> None:
    assert quantities_of(only(text)) == told


def test_text_is_no_number() -> None:
    with pytest.raises(ValueFormatError, match="'12a' is not a number"):
        DataValue("12a", "kWh").number()


def test_data_sets_end_with_an_exclamation_mark() -> None:
    assert (
        encode_data_sets([DataSet("6.8", (DataValue("1", "GJ"), DataValue("x", "")))]) == b"6.8(1*GJ)(x)!\r\n"
    )


def test_a_line_end_within_a_value_makes_no_stray_of_its_parenthesis() -> None:
    assert only(b"C.1(12\r\n)\r\n!").code == "C.1"


def test_what_is_no_data_set_is_told() -> None:
    parsed = parse_data_sets(b"6.8(1*GJ)\\\r\n6.26(2*m3)\r\nhello\r\n!\r\n")
    assert [data_set.code for data_set in parsed.sets] == ["6.8", "6.26"]
    assert parsed.unread == ("\\", "hello")


@pytest.mark.parametrize(
    "text",
    [
        *(b"6.8(1*GJ", b"6.8 1*GJ)!", b"6.8((1*GJ))!", b"6.8(1))!"),
        *(b"6.8(1(2)!", b"6.8(1)6.26)(2)!", b"6.8(1)6.26(2!"),
    ],
)
def test_unbalanced_parentheses_are_damage(text: bytes) -> None:
    with pytest.raises(FrameError, match="data_set"):
        parse_data_sets(text)


_PRINTABLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="()*&!/ ")
_TEXTS = st.text(_PRINTABLE, min_size=1, max_size=12)
_VALUES = st.builds(DataValue, _TEXTS.map("x".__add__), st.just("") | st.sampled_from(["kWh", "m3", "GJ"]))
_SETS = st.builds(DataSet, _TEXTS, st.lists(_VALUES, min_size=1, max_size=3).map(tuple))


@given(st.lists(_SETS, min_size=1, max_size=6), st.sampled_from([b"", b"\r\n"]))
def test_data_sets_both_ways(sets: list[DataSet], line_end: bytes) -> None:
    assert list(parse_data_sets(encode_data_sets(sets, line_end)).sets) == sets


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-99999, max_value=99999))
def test_numbers_keep_their_decimals(number: Decimal) -> None:
    value = only(f"6.8({number}*GJ)!".encode()).values[0]
    assert str(value.number()) == str(number)


@given(st.binary(max_size=80))
def test_any_text_parses_or_raises_frame_error(text: bytes) -> None:
    try:
        parsed = parse_data_sets(text)
    except FrameError:
        return
    for data_set in parsed.sets:
        assert data_set.values


@pytest.mark.parametrize(
    ("code", "unit", "quantity"),
    [
        ("6.8", "GJ", "heat_energy"),
        ("6.8", "kvarh", "reactive_energy_q2"),
        ("6.8.0", "kvarh", "reactive_energy_q2"),
        ("6.8.0", "GJ", None),
        ("6.8", "", None),
        ("6.8*01", "GJ", None),
        ("6.26", "m3", "volume"),
        ("6-0:1.8.0", "MWh", "heat_energy"),
        ("1.8.0", "kWh", "active_energy_import"),
        ("1-0:1.8.1*255", "kWh", "active_energy_import_tariff_1"),
        ("1.8.0*01", "kWh", None),
        ("2.8.0", "kWh", "active_energy_export"),
        ("1.20", "kWh", "active_energy_import"),
        ("52.7.0", "V", "voltage_l2"),
        ("71.7.0", "A", "current_l3"),
        # Landis+Gyr's E350 leaves E out, Easymeter's Q3D writes 255.
        ("32.7", "V", "voltage_l1"),
        ("1.7", "kW", "active_power_import"),
        ("1-0:21.7.255*255", "W", "active_power_import_l1"),
        ("1-0:1.7.255*255", "W", "active_power_import"),
        ("1.8.5", "kWh", None),
        ("7-0:3.0.0", "m3", "gas_volume"),
        ("nonsense", "kWh", None),
    ],
)
def test_quantities_by_code_and_unit(code: str, unit: str, quantity: str | None) -> None:
    assert quantity_of(code, DataValue("1", unit)) == quantity
    assert quantity is None or quantity in QUANTITIES


def test_codes_are_reduced() -> None:
    assert reduced_code("1-0:1.8.0*255") == "1.8.0"
    assert reduced_code("1-0:1.8.0*03") == "1.8.0*03"
    assert reduced_code("F.F") == "F.F"


def test_the_first_of_two_equal_quantities_counts() -> None:
    sets = parse_data_sets(b"1.8.0(1*kWh)1-0:1.8.0(2*kWh)!").sets
    assert measure(sets) == {"active_energy_import": {"value": Decimal(1), "unit": "kWh"}}


def test_the_device_number_goes_before_the_customer_number() -> None:
    assert serial_number(parse_data_sets(b"0.0.0(00012345)C.1.0(0815)!").sets) == "0815"
    assert serial_number(parse_data_sets(b"0.0(00000000040)!").sets, "KAM") == "40"
    assert serial_number(parse_data_sets(b"1.8.0(1*kWh)!").sets) == ""
