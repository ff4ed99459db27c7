"""What readouts of the field say: stored values, values without units, strays, and whose number it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from smart_meter_reader.codecs.iec62056_21.codes import USUAL_UNITS, AssumedUnits, measure, without_unit
from smart_meter_reader.codecs.iec62056_21.data_set import parse_data_sets
from smart_meter_reader.codecs.iec62056_21.describe import describe_capture
from smart_meter_reader.codecs.iec62056_21.serials import serial_number
from tests.codecs.iec62056_21.captures import capture


def measured(text: bytes, assumed: AssumedUnits = USUAL_UNITS) -> dict[str, str]:
    found = measure(parse_data_sets(text).sets, assumed)
    return {key: f"{each['value']} {each['unit']}".strip() for key, each in found.items()}


def only_answer(name: str) -> dict[str, Any]:
    (answer,) = describe_capture(capture(name))
    return answer


def told(name: str) -> dict[str, str]:
    return {
        key: f"{one['value']} {one['unit']}".strip() for key, one in only_answer(name)["measurements"].items()
    }


T550_YEAR = {
    "heat_energy": "326.062 MWh",
    "heat_energy_previous_year": "323.272 MWh",
    "volume": "7939.56 m³",
    "volume_previous_year": "7843.48 m³",
    "operating_hours": "88324 h",
    "error_hours": "1 h",
    "error_hours_previous_year": "1 h",
    "flow_hours": "59615 h",
    "error_code": "0",
    "averaging_time": "60 min",
    "nominal_volume_flow": "1.5 m³/h",
    "power_maximum_year": "28.0 kW",
    "power_maximum_previous_year": "28.0 kW",
    "volume_flow_maximum_year": "0.840 m³/h",
    "volume_flow_maximum_previous_year": "0.840 m³/h",
    "flow_temperature_maximum_year": "108.5 °C",
    "flow_temperature_maximum_previous_year": "108.5 °C",
    "return_temperature_maximum_year": "88.1 °C",
    "return_temperature_maximum_previous_year": "88.1 °C",
    "serial_number": "66900000",
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("iec-logarex-lk13be", {"active_energy_import": "15882.6927 kWh", "active_power_net": "28 W"}),
        (
            "iec-ebz-dd3",
            {
                "active_power_net": "1002.92 W",
                "active_power_net_l1": "510.99 W",
                "active_power_net_l2": "108.64 W",
                "active_power_net_l3": "383.29 W",
            },
        ),
        (
            "iec-pafal-20ec3gr",
            {
                "active_energy_import_tariff_1": "71354.27 kWh",
                "active_energy_import_tariff_2": "70726.91 kWh",
                "active_energy_export": "13640.33 kWh",
            },
        ),
        (
            "iec-aux-sx330",
            {
                "active_energy_import": "12345.678 kWh",
                "active_energy_sum": "12399.001 kWh",
                "active_energy_import_l1": "4000.000 kWh",
                "current_l2": "0.51 A",
            },
        ),
        ("iec-lg-t550-mwh", T550_YEAR),
        (
            "iec-lg-uh50-momentary",
            {
                **T550_YEAR,
                "power": "3.2 kW",
                "volume_flow": "0.084 m³/h",
                "flow_temperature": "72.4 °C",
                "return_temperature": "39.8 °C",
                "temperature_difference": "32.6 K",
            },
        ),
    ],
)
def test_readouts_of_the_field(name: str, expected: dict[str, str]) -> None:
    found = told(name)
    assert {key: found.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A historic value never stands in for the current one, wherever it stands.
        (b"1.8.0*96(3*kWh)1.8.0*255(9*kWh)1.8.0*100(4*kWh)!", {"active_energy_import": "9 kWh"}),
        (b"1.8.0*96(3*kWh)1-0:1.8.0*01(4*kWh)!", {}),
        (b"1-0:2.8.0&03(3*kWh)!", {}),
        # *00 is the current one where nothing else is, and no earlier period has more.
        (b"1.8.0*00(9*kWh)1.8.0*01(8*kWh)!", {"active_energy_import": "9 kWh"}),
        (b"1.8.0*00(7*kWh)1.8.0*99(8*kWh)!", {}),
        (b"1.8.0*00(7*kWh)1.8.0(8*kWh)!", {"active_energy_import": "8 kWh"}),
        # Without a unit the code tells what it is, but not whether power comes in W or kW.
        (b"1.8.1(00012.5)3.8.0(4)32.7.0(231)!", {
            "active_energy_import_tariff_1": "12.5 kWh", "reactive_energy_import": "4 kvarh",
            "voltage_l1": "231 V",
        }),
        (b"1.7.0(00.25)!", {}),
        (b"6.8(12)6.26(3)6.31(4)!", {}),
        # C.D of meters that leave E or C out.
        (b"16.7(-0.4*kW)5.8(1*kvarh)6.8(2*kvarh)7.8(3*kvarh)8.8(4*kvarh)15.8.0(5*kWh)!", {
            "active_power_net": "-0.4 kW", "reactive_energy_q1": "1 kvarh", "reactive_energy_q2": "2 kvarh",
            "reactive_energy_q3": "3 kvarh", "reactive_energy_q4": "4 kvarh", "active_energy_sum": "5 kWh",
        }),
        (b"8.0(12*kWh)8.1(5*kWh)8.2(7*kWh)!", {
            "active_energy_import": "12 kWh", "active_energy_import_tariff_1": "5 kWh",
            "active_energy_import_tariff_2": "7 kWh",
        }),
        (b"8.0(12)!", {}),
        # Only a readout that also has 9.20 is Landis+Gyr's.
        (b"6.8(1*MWh)6.4(2*kW)F(3)!", {"heat_energy": "1 MWh"}),
    ],
)  # fmt: skip
def test_what_a_readout_measures(text: bytes, expected: dict[str, str]) -> None:
    assert measured(text) == expected


def test_units_that_the_owner_tells() -> None:
    assumed = AssumedUnits(energy="Wh", power="kW")
    found = measured(b"1.8.0(12)1.7.0(0.25)3.7.0(0.1)9.7.0(0.3)!", assumed)
    assert found == {
        "active_energy_import": "12 Wh",
        "active_power_import": "0.25 kW",
        "reactive_power_import": "0.1 kvar",
        "apparent_power_import": "0.3 kVA",
    }
    sets = parse_data_sets(b"1.8.0(12)1.7.0(0.25)!").sets
    assert without_unit(sets) == ["active_power_import"]
    assert without_unit(sets, assumed) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (b"9.21(00070000)9.20(66900000)0.0(00070000)!", "66900000"),
        (b"0.0(00070000)9.21(12)!", "00070000"),
        (b"9.21(12)!", "12"),
        # 0-0:96.1.1 is in hexadecimal as in P1; that of channel 1 is another meter's.
        (b"0-0:96.1.1(4B41345536303031353530303132333435)!", "KA4U6001550012345"),
        (b"0-0:96.1.1(12345678)!", "12345678"),
        (b"0-1:96.1.0(1234)1-0:0.0.0*255(77)!", "77"),
        (b"1-0:1.8.0*255(1*kWh)1-0:C.1.0*255(9)!", "9"),
        # Hager's eHZ of a public test: zeros at 96.1.255 name no meter.
        (b"0-0:96.1.255*255(0000000000)1-0:0.0.0*255(1095100000012345)!", "1095100000012345"),
        # A Landis+Gyr E570 of a public test.
        (b"1-1:0.0.0(001LGZ0058012345)!", "001LGZ0058012345"),
        (b"0.0.0(00000000)!", ""),
    ],
)
def test_whose_number_it_is(text: bytes, number: str) -> None:
    assert serial_number(parse_data_sets(text).sets) == number


@pytest.mark.parametrize(("announced", "number"), [("KAMMCC", "60017"), ("LUGCUH50", "00000060017")])
def test_only_kamstrups_customer_number_loses_its_zeros(announced: str, number: str) -> None:
    assert serial_number(parse_data_sets(b"0.0(00000060017)!").sets, announced) == number


@pytest.mark.parametrize(
    ("text", "codes", "unread"),
    [
        (b"1.8.0(1*kWh)\r\n(/SX330)\r\n2.8.0(2*kWh)!", ["1.8.0", "2.8.0"], ("(/SX330)",)),
        (b"(/SX330)\r\n1.8.0(1*kWh)!", ["1.8.0"], ("(/SX330)",)),
        (b"9.4(1*C&2*C)\r\n(x)(y)1.8.0(1*kWh)!", ["9.4", "1.8.0"], ("(x)", "(y)")),
        (b"\x02\x021.8.0(1*kWh)!", ["1.8.0"], ()),
        (b"\x001.8.0(1*kWh)\r\n\x02 2.8.0(2*kWh)!", ["1.8.0", "2.8.0"], ()),
        (b"1.8.0(1*kWh)\r\n)(\r\n2.8.0(2*kWh)!", ["1.8.0", "2.8.0"], (")(",)),
        (b"(\r\n1.8.0(1*kWh)\r\n)\r\n2.8.0(2*kWh)!", ["1.8.0", "2.8.0"], ("(", ")")),
        # What goes on in the next line is a list already (DSMR 2's gas).
        (b"0-1:24.3.0(1)(2)(m3)\r\n(3)!", ["0-1:24.3.0"], ()),
    ],
)
def test_strays_cost_themselves(text: bytes, codes: list[str], unread: tuple[str, ...]) -> None:
    parsed = parse_data_sets(text)
    assert ([data_set.code for data_set in parsed.sets], parsed.unread) == (codes, unread)
    assert all(len(data_set.values) in (1, 2, 4) for data_set in parsed.sets)


def test_each_medium_has_its_codes() -> None:
    sets = parse_data_sets(
        b"7-0:3.0.0(00123.456*m3)8-0:1.0.0*255(00023.4*m3)8-0:1.0.0*01(00020.0*m3)5-0:1.0.0(12.3*GJ)"
        b"7-0:1.0.0(1*m3)4-0:1.0.0(5*GJ)!"
    ).sets
    assert measure(sets) == {
        "gas_volume": {"value": Decimal("123.456"), "unit": "m³"},
        "water_volume": {"value": Decimal("23.4"), "unit": "m³"},
        "cooling_energy": {"value": Decimal("12.3"), "unit": "GJ"},
    }
    assert not measure(parse_data_sets(b"7-0:3.0.0(12)8-0:1.0.0(5*kWh)!").sets)


def test_a_code_of_heat_without_unit_is_no_electricity() -> None:
    """9.7 of a UH50 (vpathuis/ultraheat#7) is no apparent power, and nobody is asked for its unit."""
    sets = parse_data_sets(b"6.8(0326.062*MWh)6.26(07939.56*m3)\r\n9.7(20000)9.4(108.5*C&088.1*C)\r\n!").sets
    assert without_unit(sets) == []
    assert set(measure(sets, AssumedUnits(power="kW"))) >= {"heat_energy", "volume"}
    assert not {"apparent_power_import"} & measure(sets, AssumedUnits(power="kW")).keys()


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"/ISK5\\2MT382-1008", "MT382-1008"),
        (b"/ABB4\\WA44", "A44"),
        (b"/EMH4\\@01LZQJL0014E", "01LZQJL0014E"),
    ],
)
def test_a_mode_sequence_is_no_part_of_the_name(line: bytes, name: str) -> None:
    (answer,) = describe_capture(line + b"\r\n\x02" + b"1.8.0(1*kWh)\r\n!\r\n")
    assert answer["ident"] == name


@pytest.mark.parametrize(
    ("text", "quantity", "value", "unit"),
    [
        ("32.7.0(0.231*kV)", "voltage_l1", "231", "V"),
        ("31.7.0(0.005*kA)", "current_l1", "5", "A"),
        ("14.7.0(0.04998*kHz)", "frequency", "49.98", "Hz"),
        ("1.7.0(0.25*kW)", "active_power_import", "0.25", "kW"),
    ],
)
def test_kilo_units_are_those_that_people_use(text: str, quantity: str, value: str, unit: str) -> None:
    """As P1 meters of Lithuania write them, and as they are told there."""
    (measured,) = measure(parse_data_sets(f"{text}!".encode()).sets).items()
    assert (measured[0], str(measured[1]["value"]), measured[1]["unit"]) == (quantity, value, unit)
