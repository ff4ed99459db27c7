"""Every quantity we know, in every unit a meter may choose, against Home Assistant's own tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.codecs.kmp.units import UNITS as KMP_UNITS
from smart_meter_reader.quantities import QUANTITIES, Kind, Quantity
from smart_meter_reader.quantities.units import UNITS as KNOWN_UNITS
from smart_meter_reader.quantities.units import canonical
from smart_meter_reader.sinks.home_assistant.classes import UNITS, SensorClass, sensor_class
from tests.validators.home_assistant import TABLE

NEWER = Path(__file__).parents[4] / "shared/vectors/ha_discovery.json"

# Every unit that a codec may hand over, and spellings of P1 and IEC 62056-21 besides.
METER_UNITS = sorted(
    {unit.symbol for unit in KMP_UNITS.values()}
    | {*KNOWN_UNITS}
    | {"m3", "l/h", "kVArh", "kvarh", "dm3", "C", "kW", "KW", "V", "A", "Hz", "%", "", "unit_0x7a", "furlong"}
)
TEXTS = {Kind.DATE, Kind.TIME_OF_DAY, Kind.TIMESTAMP, Kind.CODE, Kind.TEXT}


def tables() -> list[Any]:
    found = [pytest.param(TABLE, id="2026.2.3")]
    if NEWER.exists():
        versions = json.loads(NEWER.read_text(encoding="utf-8"))["versions"]
        found.append(pytest.param(versions["2026.11.0"], id="2026.11.0"))
    return found


@pytest.mark.parametrize("table", tables())
@pytest.mark.parametrize("kind", Kind)
def test_no_combination_is_refused(kind: Kind, table: dict[str, Any]) -> None:
    quantities = [quantity for quantity in QUANTITIES.values() if quantity.kind is kind]
    # Also what the catalogue does not have today: both sorts of every kind.
    quantities += [Quantity("x", "X", kind, cumulative=cumulative) for cumulative in (False, True)]
    for quantity in quantities:
        for unit in METER_UNITS:
            problems = [*refusals(sensor_class(quantity, unit), table)]
            assert not problems, f"{quantity.key} in {unit}: {problems}"


def refusals(sensor: SensorClass, table: dict[str, Any]) -> list[str]:
    name, found = sensor.device_class, []
    if name is not None:
        if name not in table["device_classes"]:
            found.append(f"no device class {name}")
        units = {unit or "" for unit in table["units"].get(name) or []}
        if units and (sensor.unit or "") not in units:
            found.append(f"{name} in {sensor.unit}")
        allowed = table["state_classes"].get(name)
        if sensor.state_class and allowed is not None and sensor.state_class not in allowed:
            found.append(f"{name} with {sensor.state_class}")
        if name in table["non_numeric"] and sensor != SensorClass(device_class=name):
            found.append(f"{name} with unit, state class or precision")
    if sensor.numeric != bool(sensor.unit or sensor.state_class or sensor.precision is not None):
        found.append("precision is missing")
    return found


@pytest.mark.parametrize("quantity", QUANTITIES.values(), ids=lambda quantity: quantity.key)
def test_totals_are_totals_and_texts_are_texts(quantity: Quantity) -> None:
    sensor = sensor_class(quantity, "")
    assert sensor.numeric == (quantity.kind not in TEXTS)
    if quantity.cumulative and sensor.numeric:
        assert sensor.state_class == "total_increasing"
    else:
        assert sensor.state_class in ("measurement", None)


@pytest.mark.parametrize(
    ("key", "unit", "expected"),
    [
        ("heat_energy", "GJ", SensorClass("energy", "total_increasing", "GJ", 3)),
        ("heat_energy", "MWh", SensorClass("energy", "total_increasing", "MWh", 3)),
        ("cooling_energy", "kWh", SensorClass("energy", "total_increasing", "kWh", 3)),
        ("volume", "m³", SensorClass("volume", "total_increasing", "m³", 3)),
        ("mass", "t", SensorClass(None, "total_increasing", "t", 3)),
        ("volume_flow", "l/h", SensorClass("volume_flow_rate", "measurement", "L/h", 0)),
        ("volume_flow", "m³/h", SensorClass("volume_flow_rate", "measurement", "m³/h", 3)),
        ("power", "kW", SensorClass("power", "measurement", "kW", 3)),
        ("power", "W", SensorClass("power", "measurement", "W", 0)),
        ("flow_temperature", "°C", SensorClass("temperature", "measurement", "°C", 2)),
        ("temperature_difference", "K", SensorClass("temperature_delta", "measurement", "K", 2)),
        ("operating_hours", "h", SensorClass("duration", "total_increasing", "h", 0)),
        ("gas_volume", "m3", SensorClass("gas", "total_increasing", "m³", 3)),
        ("water_volume", "m³", SensorClass("water", "total_increasing", "m³", 3)),
        ("active_energy_import", "kWh", SensorClass("energy", "total_increasing", "kWh", 3)),
        ("reactive_energy_import", "kVArh", SensorClass("reactive_energy", "total_increasing", "kvarh", 3)),
        # Without device class, since Home Assistant knows no Mvarh; its statistics stay.
        ("reactive_energy_import", "Mvarh", SensorClass(None, "total_increasing", "Mvarh", 3)),
        ("voltage_l1", "V", SensorClass("voltage", "measurement", "V", 1)),
        ("info_code", "", SensorClass()),
        ("serial_number", "", SensorClass()),
    ],
)
def test_what_matters_most(key: str, unit: str, expected: SensorClass) -> None:
    assert sensor_class(QUANTITIES[key], unit, expected.precision or 0) == expected


def test_our_units_are_home_assistants() -> None:
    for name, units in UNITS.items():
        assert units <= set(TABLE["units"][name]), name
        assert {canonical(unit) for unit in units} == units
