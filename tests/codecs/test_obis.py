"""The table of OBIS codes that codecs share, and that they do share it."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.iec62056_21.codes import quantity_of
from smart_meter_reader.codecs.iec62056_21.data_set import DataValue
from smart_meter_reader.codecs.obis import (
    ABSTRACT,
    ELECTRICITY,
    TABLES,
    ObisCode,
    with_own,
)
from smart_meter_reader.codecs.obis import (
    quantity_of as quantity_of_code,
)
from smart_meter_reader.codecs.p1.obis import KNOWN
from smart_meter_reader.codecs.unit_numbers import UNIT_BY_NUMBER, unit_of
from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.quantities.units import UNITS


@pytest.mark.parametrize("table", TABLES.values())
def test_every_quantity_is_in_the_catalogue(table: dict[str, str]) -> None:
    assert set(table.values()) <= QUANTITIES.keys()


@pytest.mark.parametrize(
    ("code", "quantity"),
    [
        # IEC 62056-61: C is what is measured and on which phase, D how, E the tariff.
        ("1.8.0", "active_energy_import"),
        ("2.8.4", "active_energy_export_tariff_4"),
        ("4.8.1", "reactive_energy_export_tariff_1"),
        ("8.8.0", "reactive_energy_q4"),
        ("15.8.0", "active_energy_sum"),
        ("1.7.0", "active_power_import"),
        ("42.7.0", "active_power_export_l2"),
        ("63.7.0", "reactive_power_import_l3"),
        ("30.7.0", "apparent_power_export_l1"),
        ("5.7.0", "reactive_power_q1"),
        ("10.4.0", "apparent_demand_export"),
        ("31.7.0", "current_l1"),
        ("52.7.0", "voltage_l2"),
        ("73.7.0", "power_factor_l3"),
        ("72.36.0", "voltage_swells_l3"),
        ("14.7.0", "frequency"),
        ("81.7.2", "voltage_angle_l3"),
        ("81.7.15", "phase_angle_l2"),
    ],
)
def test_electricity(code: str, quantity: str) -> None:
    assert ELECTRICITY[code] == quantity


@pytest.mark.parametrize("code", ["1.8.5", "9.8.1", "5.8.1", "81.7.0", "25.7.0", "1.6.0", "17.0.0"])
def test_what_the_standard_does_not_say_is_not_in_the_table(code: str) -> None:
    assert code not in ELECTRICITY


def test_p1_and_iec_62056_21_share_it() -> None:
    assert {code: KNOWN[f"1-0:{code}"].quantity for code in ELECTRICITY} == ELECTRICITY
    assert {code: KNOWN[f"0-0:{code}"].quantity for code in ABSTRACT} == ABSTRACT
    measured = {
        code: quantity
        for code in ELECTRICITY
        for unit in ("kWh", "kvarh", "kW", "V", "A", "Hz", "kvar", "kVA", "°", "")
        if (quantity := quantity_of(f"1-0:{code}*255", DataValue("1", unit)))
    }
    assert measured == {code: ELECTRICITY[code] for code in measured}
    assert set(measured) == {code for code in ELECTRICITY if ".32." not in code and ".36." not in code}


def test_a_code_of_six_octets() -> None:
    code = ObisCode.from_octets(bytes.fromhex("0100010800ff"))
    assert (str(code), code.reduced, code.stored) == ("1-0:1.8.0", "1.8.0", False)
    assert quantity_of_code(code) == "active_energy_import"
    assert quantity_of_code(code._replace(b=1)) == "active_energy_import"
    historic = code._replace(f=96)
    assert (str(historic), quantity_of_code(historic)) == ("1-0:1.8.0*96", "")
    assert quantity_of_code(code._replace(a=6)) == "heat_energy"
    assert quantity_of_code(code._replace(a=3)) == ""
    assert quantity_of_code(ObisCode(129, 129, 199, 130, 5, 255)) == ""


@pytest.mark.parametrize("octets", [b"", b"\1\0\1\7\0", b"\1\0\1\7\0\xff\0"])
def test_a_code_has_six_octets(octets: bytes) -> None:
    with pytest.raises(ValueFormatError, match="six octets"):
        ObisCode.from_octets(octets)


def test_the_lines_of_a_codec_of_its_own_lie_over_those_of_all() -> None:
    own = with_own({1: {"1.6.0": "active_demand_import_maximum", "15.7.0": ""}, 3: {"1.7.0": "power"}})
    assert quantity_of_code(ObisCode(1, 0, 1, 6, 0, 255), own) == "active_demand_import_maximum"
    assert quantity_of_code(ObisCode(1, 0, 15, 7, 0, 255), own) == ""
    assert quantity_of_code(ObisCode(1, 0, 1, 8, 0, 255), own) == "active_energy_import"
    assert quantity_of_code(ObisCode(3, 1, 1, 7, 0, 255), own) == "power"
    assert quantity_of_code(ObisCode(0, 0, 96, 14, 0, 255), own) == "tariff"
    assert quantity_of_code(ObisCode(1, 0, 15, 7, 0, 255)) == "active_power_sum"


def test_units_by_number_are_spelled_as_ours() -> None:
    assert {unit for unit in UNIT_BY_NUMBER.values() if unit} <= UNITS.keys()
    # SML and DLMS: 1E Wh, 1B W, 1C VA, 1D var, 20 varh, 21 A, 23 V, 2C Hz, 08 degree.
    numbers = (0x1E, 0x1B, 0x1C, 0x1D, 0x20, 0x21, 0x23, 0x2C, 0x08, 0xFF, 0x2D)
    told = [unit_of(number) for number in numbers]
    assert told == ["Wh", "W", "VA", "var", "varh", "A", "V", "Hz", "°", "", "unit 45"]
