"""The table of OBIS codes that codecs share, and that they do share it."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.iec62056_21.codes import quantity_of
from smart_meter_reader.codecs.iec62056_21.data_set import DataValue
from smart_meter_reader.codecs.obis import ABSTRACT, ELECTRICITY, HEAT
from smart_meter_reader.codecs.p1.obis import KNOWN
from smart_meter_reader.quantities import QUANTITIES


@pytest.mark.parametrize("table", [ELECTRICITY, HEAT, ABSTRACT])
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
        for unit in ("kWh", "kvarh", "kW", "V", "A", "Hz", "kvar", "kVA", "")
        if (quantity := quantity_of(f"1-0:{code}*255", DataValue("1", unit)))
    }
    assert measured == {code: ELECTRICITY[code] for code in measured}
    assert set(measured) == {code for code in ELECTRICITY if ".32." not in code and ".36." not in code}
