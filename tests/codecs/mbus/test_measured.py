"""From records to quantities: MULTICAL as over KMP, others by medium, and nothing under a wrong name."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.kmp.registers import REGISTERS
from smart_meter_reader.codecs.mbus.encode import (
    RecordPlace,
    answer,
    bcd_record,
    integer_record,
)
from smart_meter_reader.codecs.mbus.frame import LongFrame
from smart_meter_reader.codecs.mbus.header import Header
from smart_meter_reader.codecs.mbus.measured import measured_in
from smart_meter_reader.codecs.mbus.telegram import parse_telegram
from tests.codecs.mbus.captures import MULTICAL_302, MULTICAL_303, MULTICAL_403, MULTICAL_603
from tests.codecs.mbus.encoded import real_record, text_record
from tests.codecs.mbus.test_records import long_frame


def measured(raw: bytes) -> dict[str, str]:
    """Quantity by quantity: number and unit as text, with all decimals."""
    found = measured_in(parse_telegram(long_frame(raw)))
    return {key: f"{each['value']} {each['unit']}".strip() for key, each in found.items()}


def of(records: list[bytes], maker: str = "HYD", medium: int = 4, version: int = 0) -> dict[str, str]:
    header = Header("12345678", maker, version, medium)
    told = measured(answer(header, records, 1).encode())
    told.pop("reported_problems", None)  # of its status byte, which all have
    return told


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(
            MULTICAL_302,
            {
                "heat_energy": "3392 kWh",
                "volume": "348.12 m³",
                "operating_hours": "393 h",
                "error_hours": "2 h",
                "flow_temperature": "54.02 °C",
                "return_temperature": "46.72 °C",
                "temperature_difference": "7.30 K",
                "power": "18.0 kW",
                "volume_flow": "2151 l/h",
                "error_code": "0",
                "cooling_energy": "0 kWh",
                "volume_times_flow_temperature": "18842 m³·°C",
                "volume_times_return_temperature": "15888 m³·°C",
            },
            id="302: E3 has a VIFE of the maker",
        ),
        pytest.param(
            MULTICAL_403,
            {
                "heat_energy": "34510 kWh",
                "volume": "2232.49 m³",
                "volume_flow": "527 l/h",
                "flow_temperature": "64.60 °C",
                "return_temperature": "45.16 °C",
                "volume_times_flow_temperature": "148532 m³·°C",
                "volume_times_return_temperature": "118520 m³·°C",
                "info_bits": "0",
                "operating_hours": "2609351 min",
            },
            id="403: the short telegram",
        ),
        pytest.param(
            MULTICAL_603,
            {
                "heat_energy": "3363.2 MWh",
                "volume": "85656 m³",
                "pulse_input_a": "0.00 m³",
                "pulse_input_b": "0.00 m³",
                "operating_hours": "17232 h",
                "error_hours": "28 h",
                "flow_temperature": "81.37 °C",
                "return_temperature": "44.31 °C",
                "temperature_difference": "37.06 K",
                "power": "560 kW",
                "volume_flow": "13.16 m³/h",
                "volume_times_flow_temperature": "6713600 m³·°C",
                "volume_times_return_temperature": "3792900 m³·°C",
                "info_bits": "0",
            },
            id="603: MWh, whole cubic metres",
        ),
        pytest.param(
            MULTICAL_303,
            {
                "heat_energy": "13 kWh",
                "volume": "3.07 m³",
                "operating_hours": "4270 h",
                "error_hours": "150 h",
                "flow_temperature": "23.76 °C",
                "return_temperature": "23.27 °C",
                "temperature_difference": "0.49 K",
                "power": "0.0 kW",
                "volume_flow": "0 l/h",
                "volume_times_flow_temperature": "125 m³·°C",
                "volume_times_return_temperature": "114 m³·°C",
                "info_bits": "256",
            },
            id="303: an info code",
        ),
    ],
)
def test_a_multical_tells_the_quantities_that_it_tells_over_kmp(raw: bytes, expected: dict[str, str]) -> None:
    assert measured(raw) == expected


def test_nothing_stored_and_no_peak_is_taken_for_what_is_now() -> None:
    for place in (
        RecordPlace(storage=1),
        RecordPlace("maximum"),
        RecordPlace("minimum"),
        RecordPlace("error"),
    ):
        assert of([integer_record(5, vif, place=place) for vif in (b"\x06", b"\x13", b"\x2b")]) == {}


def test_what_a_vife_makes_of_a_quantity_is_never_under_the_plain_one() -> None:
    energy = integer_record(5, b"\x86\x3d")  # of no table
    assert of([energy]) == {}
    assert of([integer_record(5, b"\x86\xff\x02")]) == {}  # Kamstrup's, and this is none
    assert of([integer_record(5, b"\x90\x28")]) == {}
    assert of([integer_record(5, b"\x86\x3b"), integer_record(7, b"\x86\x3c")]) == {
        "heat_energy": "5 kWh",
        "cooling_energy": "7 kWh",
    }
    assert of([integer_record(7, b"\x86\x3c")], "KAM", version=0x40) == {"cooling_energy": "7 kWh"}


@pytest.mark.parametrize(
    ("medium", "expected"),
    [
        (0x02, {"active_energy_import": "5 kWh"}),
        (0x03, {"gas_volume": "0.006 m³"}),
        (0x04, {"heat_energy": "5 kWh", "volume": "0.006 m³"}),
        (0x07, {"water_volume": "0.006 m³"}),
        (0x0A, {"cooling_energy": "5 kWh", "volume": "0.006 m³"}),
        (0x0D, {"heat_energy": "5 kWh", "volume": "0.006 m³"}),
        (0x00, {"volume": "0.006 m³"}),
    ],
)
def test_the_medium_says_what_energy_and_volume_are(medium: int, expected: dict[str, str]) -> None:
    assert of([integer_record(5, b"\x06"), integer_record(6, b"\x13")], medium=medium) == expected


def test_a_meter_without_a_medium_counts_heat_when_what_flows_is_warm() -> None:
    records = [integer_record(5, b"\x06"), integer_record(60, b"\x5b", octets=2)]
    assert of(records, medium=0x0F) == {"heat_energy": "5 kWh", "flow_temperature": "60 °C"}


def test_electricity_by_phase_direction_and_tariff() -> None:
    phases = [bcd_record(2300 + phase, b"\xfd\xc8\xfc" + bytes([phase])) for phase in (1, 2, 3)]
    tariff = integer_record(4, b"\x06", place=RecordPlace(tariff=1))
    told = of([*phases, tariff, integer_record(-300, b"\x2b"), integer_record(9, b"\x86\x3c")], medium=2)
    assert told == {
        "voltage_l1": "230.1 V",
        "voltage_l2": "230.2 V",
        "voltage_l3": "230.3 V",
        "active_energy_import_tariff_1": "4 kWh",
        "active_power_net": "-300 W",
        "active_energy_export": "9 kWh",
    }


def test_a_voltage_of_nobody_knows_which_phase_is_left_out() -> None:
    voltage = bcd_record(2300, b"\xfd\x48")
    assert of([voltage], medium=2) == {"voltage": "230.0 V"}
    assert of([voltage, voltage, voltage], medium=2) == {}


@pytest.mark.parametrize(
    ("vif", "expected"),
    [
        (b"\x03", "5 Wh"),
        (b"\x05", "0.5 kWh"),
        (b"\x06", "5 kWh"),
        (b"\x07", "0.05 MWh"),
        (b"\x0e", "0.005 GJ"),
        (b"\x0f", "0.05 GJ"),
        (b"\xfb\x00", "0.5 MWh"),
        (b"\xfb\x08", "0.5 GJ"),
        (b"\xfb\x0d", "5 Mcal"),
    ],
)
def test_energy_has_the_unit_and_the_places_of_the_display(vif: bytes, expected: str) -> None:
    assert of([integer_record(5, vif)]) == {"heat_energy": expected}


def test_a_power_in_joules_an_hour_is_not_told() -> None:
    assert of([integer_record(5, b"\x36")]) == {}


def test_a_floating_number_keeps_what_it_has() -> None:
    assert of([real_record(1.5, b"\x2e"), real_record(0.75, b"\x3b")]) == {
        "power": "1.5 kW",
        "volume_flow": "0.75 l/h",
    }


def test_all_that_a_multical_tells_has_the_name_that_it_has_over_kmp() -> None:
    over_kmp = {register.quantity for register in REGISTERS.values()}
    told = {key for raw in (MULTICAL_302, MULTICAL_403, MULTICAL_603, MULTICAL_303) for key in measured(raw)}
    assert told - over_kmp == {"error_code"}  # a standard record of M-Bus, which KMP does not have


def test_the_status_byte_of_other_makes_is_told_in_words() -> None:
    for status, words in ((0x00, "none"), (0x04, "low_power"), (0x18, "permanent_error temporary_error")):
        header = Header("12345678", "HYD", 0, 4, status=status)
        raw = answer(header, [integer_record(5, b"\x06")], 1).encode()
        assert measured(raw)["reported_problems"] == words


def test_where_one_quantity_comes_twice_the_first_counts() -> None:
    assert of([integer_record(5, b"\x06"), integer_record(9, b"\x06")]) == {"heat_energy": "5 kWh"}
    voltage = bcd_record(2300, b"\xfd\x48")
    assert of([voltage, voltage], medium=2) == {}, "of which phase is either?"


def test_a_number_of_more_than_twenty_digits_is_none() -> None:
    assert of([integer_record(2**62, b"\x87\xfd\x7d", octets=8)]) == {}
    assert of([integer_record(2**62, b"\x06", octets=8)]) == {"heat_energy": f"{2**62} kWh"}


def test_tens_of_a_unit_are_written_out() -> None:
    assert of([integer_record(5, b"\x17")]) == {"volume": "50 m³"}


WARM = (integer_record(5, b"\x06"), integer_record(6, b"\x16"), integer_record(60, b"\x5b", octets=2))


@pytest.mark.parametrize(
    ("medium", "expected"),
    [
        (0x02, {"active_energy_import": "5 kWh"}),
        (0x03, {"gas_volume": "6 m³", "flow_temperature": "60 °C"}),
        (0x04, {"heat_energy": "5 kWh", "volume": "6 m³", "flow_temperature": "60 °C"}),
        (0x06, {"water_volume": "6 m³", "flow_temperature": "60 °C"}),
        (0x07, {"water_volume": "6 m³", "flow_temperature": "60 °C"}),
        (0x0A, {"cooling_energy": "5 kWh", "volume": "6 m³", "flow_temperature": "60 °C"}),
        (0x0B, {"cooling_energy": "5 kWh", "volume": "6 m³", "flow_temperature": "60 °C"}),
        (0x0C, {"heat_energy": "5 kWh", "volume": "6 m³", "flow_temperature": "60 °C"}),
        (0x00, {"heat_energy": "5 kWh", "volume": "6 m³", "flow_temperature": "60 °C"}),
    ],
)
def test_a_medium_that_is_told_is_not_guessed(medium: int, expected: dict[str, str]) -> None:
    assert of([*WARM], medium=medium) == expected


@pytest.mark.parametrize(
    ("place", "vif", "expected"),
    [
        (RecordPlace("error"), b"\x22", {"error_hours": "5 h"}),
        (RecordPlace("error"), b"\x26", {}),
        (RecordPlace("error", tariff=1), b"\x22", {}),
        (RecordPlace(), b"\x22", {"operating_hours": "5 h"}),
        (RecordPlace(), b"\x26", {"operating_hours": "5 h"}),
    ],
)
def test_hours_with_an_error(place: RecordPlace, vif: bytes, expected: dict[str, str]) -> None:
    assert of([integer_record(5, vif, place=place)]) == expected


@pytest.mark.parametrize(
    ("maker", "medium", "vif", "place", "expected"),
    [
        ("KAM", 4, b"\x16", RecordPlace(subunit=1), {"pulse_input_a": "5 m³"}),
        ("KAM", 0x0A, b"\x16", RecordPlace(subunit=2), {"pulse_input_b": "5 m³"}),
        ("KAM", 4, b"\x16", RecordPlace(subunit=3), {}),
        ("KAM", 4, b"\x16", RecordPlace(subunit=1, tariff=1), {}),
        ("KAM", 4, b"\x06", RecordPlace(subunit=1), {}),
        ("KAM", 7, b"\x16", RecordPlace(subunit=1), {}),
        ("HYD", 4, b"\x16", RecordPlace(subunit=1), {}),
    ],
)
def test_what_is_counted_at_the_inputs_of_a_multical(
    maker: str, medium: int, vif: bytes, place: RecordPlace, expected: dict[str, str]
) -> None:
    assert of([integer_record(5, vif, place=place)], maker, medium, version=0x35) == expected


@pytest.mark.parametrize(
    ("maker", "tariff", "vif", "medium", "expected"),
    [
        ("HYD", 1, b"\x06", 4, {}),
        ("HYD", 2, b"\x06", 4, {"energy_tariff_2": "5 kWh"}),
        ("HYD", 4, b"\x06", 0x0A, {"energy_tariff_4": "5 kWh"}),
        ("HYD", 5, b"\x06", 4, {}),
        ("KAM", 1, b"\x06", 4, {"energy_tariff_2": "5 kWh"}),
        ("KAM", 2, b"\x06", 4, {"energy_tariff_3": "5 kWh"}),
        ("KAM", 3, b"\x06", 4, {"energy_tariff_4": "5 kWh"}),
        ("KAM", 4, b"\x06", 4, {}),
        ("HYD", 2, b"\x16", 4, {}),
        ("HYD", 2, b"\x06", 7, {}),
    ],
)
def test_tariffs_of_heat_are_those_of_the_display(
    maker: str, tariff: int, vif: bytes, medium: int, expected: dict[str, str]
) -> None:
    assert of([integer_record(5, vif, place=RecordPlace(tariff=tariff))], maker, medium) == expected


@pytest.mark.parametrize(
    ("watts", "others", "quantity"),
    [
        (300, [b"\x06"], "active_power_import"),
        (0, [b"\x06"], "active_power_import"),
        (-1, [b"\x06"], "active_power_net"),
        (300, [b"\x06", b"\x86\x3c"], "active_power_net"),
    ],
)
def test_a_power_that_can_be_negative_is_the_net_power(
    watts: int, others: list[bytes], quantity: str
) -> None:
    told = of([integer_record(watts, b"\x2b"), *(integer_record(9, vif) for vif in others)], medium=2)
    assert {key: each for key, each in told.items() if "power" in key} == {quantity: f"{watts} W"}


def test_hours_of_an_electricity_meter_are_of_no_phase() -> None:
    assert of([integer_record(5, b"\x22")], medium=2) == {"operating_hours": "5 h"}
    assert of([integer_record(5, b"\xa2\xfc\x01")], medium=2) == {}


E3 = b"\x86\xff\x02"


@pytest.mark.parametrize(
    "place",
    [
        RecordPlace(storage=1),
        RecordPlace(tariff=1),
        RecordPlace(subunit=1),
        RecordPlace("maximum"),
        RecordPlace("minimum"),
        RecordPlace("error"),
    ],
)
def test_what_kamstrup_alone_knows_is_of_now_too(place: RecordPlace) -> None:
    assert of([integer_record(5, E3, place=place)], "KAM") == {}
    assert of([text_record("x", b"\xfd\x11"), integer_record(5, E3)], "KAM") == {"cooling_energy": "5 kWh"}


E8 = b"\xff\x07"


@pytest.mark.parametrize(
    ("volume", "told"),
    [
        (integer_record(6, b"\x13"), None),  # 0.001 m³: no capture shows how they count then
        (integer_record(6, b"\x14"), "7 m³·°C"),
        (integer_record(6, b"\x15"), "70 m³·°C"),
        (integer_record(6, b"\x16"), "700 m³·°C"),
        (integer_record(6, b"\x17"), None),
        (integer_record(6, b"\x14", place=RecordPlace(storage=1)), None),
        (integer_record(6, b"\x14", place=RecordPlace(subunit=1)), None),
        (b"", None),
    ],
)
def test_volume_times_temperature_counts_by_the_places_of_the_volume(volume: bytes, told: str | None) -> None:
    found = of([volume, integer_record(7, E8)], "KAM", version=0x34)
    assert found.get("volume_times_flow_temperature") == told


def test_problems_are_reported_only_where_a_status_byte_can_tell_them() -> None:
    record = integer_record(5, b"\x06")
    nothing = answer(Header("12345678", "HYD", 0, 4), [], 1).encode()
    assert measured(nothing) == {}, "where nothing is measured"
    assert "reported_problems" not in measured(answer(Header("12345678", "KAM", 0, 4), [record], 1).encode())
    short = LongFrame(0x08, 1, 0x7A, bytes((7, 0, 0, 0)) + integer_record(5, b"\x13"))
    assert measured(short.encode()) == {"volume": "0.005 m³"}, "nobody says whose"
    fixed = bytes.fromhex("78563412" + "0a00" + "e97e" + "01000000" + "35010000")
    assert measured(LongFrame(0x08, 5, 0x73, fixed).encode()) == {"water_volume": "1 l"}


_OF_THE_HOUR, _AT_THE_HOUR = bytes.fromhex("4c1392408310"), bytes.fromhex("466d000008162700")


@pytest.mark.parametrize(
    ("records", "medium", "told"),
    [
        ([_OF_THE_HOUR, _AT_THE_HOUR], 3, {"gas_volume": "10834.092 m³"}),
        ([_AT_THE_HOUR, _OF_THE_HOUR], 3, {"gas_volume": "10834.092 m³"}),
        ([bytes.fromhex("0c1393408310"), _OF_THE_HOUR, _AT_THE_HOUR], 3, {"gas_volume": "10834.093 m³"}),
        ([_OF_THE_HOUR, bytes.fromhex("426c1627")], 3, {}),  # of a due date
        ([_OF_THE_HOUR], 3, {}),
        ([_OF_THE_HOUR, bytes.fromhex("466d000000000000")], 3, {}),  # a time that was never set
        ([_OF_THE_HOUR, bytes.fromhex("066d000008162700")], 3, {}),  # a time of now
        ([_OF_THE_HOUR, bytes.fromhex("cc011391408310"), _AT_THE_HOUR], 3, {}),
        ([_OF_THE_HOUR, _AT_THE_HOUR], 7, {}),
    ],
)
def test_gas_of_the_last_hour_is_told_where_nothing_newer_is(
    records: list[bytes], medium: int, told: dict[str, str]
) -> None:
    assert of(records, "LGB", medium) == told
