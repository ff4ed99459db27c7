"""The KMP tables: every register has one quantity, names resolve, wrong ones get a suggestion."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from smart_meter_reader.codecs.kmp.meters import model_of
from smart_meter_reader.codecs.kmp.registers import REGISTERS, register_of, resolve_register
from smart_meter_reader.codecs.kmp.units import UNIT_BY_CODE, UNITS
from smart_meter_reader.quantities import QUANTITIES, Kind
from tests.codecs.kmp.vectors import LOGGERS

SHARED = Path(__file__).parents[4] / "shared" / "protocols" / "kmp_registers.json"


@pytest.mark.parametrize(
    ("register", "quantity"),
    [
        (60, "heat_energy"),
        (63, "cooling_energy"),
        (68, "volume"),
        (72, "mass"),
        (74, "volume_flow"),
        (80, "power"),
        (86, "flow_temperature"),
        (87, "return_temperature"),
        (89, "temperature_difference"),
        (99, "info_code"),
        (266, "heat_energy_high_resolution"),
        (1001, "serial_number"),
        (1004, "operating_hours"),
    ],
)
def test_the_quantities_that_settings_rely_on(register: int, quantity: str) -> None:
    assert register_of(register).quantity == quantity


@pytest.mark.parametrize(
    ("peaks", "period"), [((123, 125, 127, 129), "year"), ((138, 140, 142, 144), "month")]
)
def test_the_times_of_peaks_come_in_the_order_of_their_dates(peaks: tuple[int, ...], period: str) -> None:
    first = 383 if period == "year" else 387
    for place, date in enumerate(peaks):
        peak = register_of(date).quantity.removesuffix("_date")
        assert peak.endswith(period)
        assert register_of(first + place).quantity == f"{peak}_time"


def test_of_the_registers_in_the_year_logger_of_a_603_one_has_no_name() -> None:
    kept = LOGGERS["kmp-log-year-config"]["decoded_by_collector"]["configuration"]["registers"]
    names = [register_of(register).quantity for register in kept]
    assert [name for name in names if name.startswith("register_")] == ["register_515"]


def test_every_named_register_has_a_quantity_of_its_own() -> None:
    quantities = Counter(entry.quantity for entry in REGISTERS.values())
    assert max(quantities.values()) == 1
    for entry in REGISTERS.values():
        assert entry.quantity in QUANTITIES or entry.quantity == f"register_{entry.id}"


def test_what_is_proven_is_among_the_models() -> None:
    for entry in REGISTERS.values():
        assert set(entry.proven) <= set(entry.models), entry


def test_the_tables_hold_whatever_was_collected() -> None:
    assert len(REGISTERS) >= 255
    assert len(UNITS) >= 82
    if not SHARED.exists():
        return
    collected = json.loads(SHARED.read_text(encoding="utf-8"))
    assert {row["register"] for row in collected["registers"]} <= set(REGISTERS)
    assert {row["code"] for row in collected["units"]} <= set(UNITS)
    for row in collected["registers"]:
        models = {name.replace("flowIQ 2200", "flowIQ-2200") for name in row["models_seen"]}
        assert models <= set(REGISTERS[row["register"]].models), row["register"]


@pytest.mark.parametrize(
    "text", ["heat_energy", "Heat Energy", "heat-energy", "60", 60, "0x3c", "0x003C", "register_60", " 60 "]
)
def test_ways_to_name_a_register(text: str | int) -> None:
    assert resolve_register(text).id == 60


def test_a_register_may_be_named_as_other_programs_do() -> None:
    assert resolve_register("Flow Rate").quantity == "volume_flow"


@pytest.mark.parametrize("text", ["65535", "0xFFFF"])
def test_the_largest_id_is_that_of_two_octets(text: str) -> None:
    assert resolve_register(text).id == 0xFFFF


def test_a_register_that_no_source_names_can_be_used() -> None:
    register = resolve_register("777")
    assert (register.id, register.quantity, register.kind) == (777, "register_777", None)
    assert resolve_register("register_777") == register


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("heat_enrgy", "did you mean 'heat_energy'"),
        ("returntemperature", "did you mean 'return_temperature'"),
        ("qqq", "smart-meter-reader registers"),
        ("", "smart-meter-reader registers"),
        ("-1", "smart-meter-reader registers"),
        ("65536", "up to 65535"),
        ("0x10000", "up to 65535"),
    ],
)
def test_a_wrong_name_gets_a_suggestion(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        resolve_register(text)


def test_registers_whose_meaning_is_unknown_keep_their_number() -> None:
    register = register_of(3)
    assert (register.quantity, register.kind, register.models) == (
        "register_3",
        Kind.REACTIVE_ENERGY,
        ("382",),
    )


def test_every_unit_has_a_symbol_or_a_layout() -> None:
    without = {code for code, unit in UNITS.items() if not unit.symbol and unit.layout.name == "NUMBER"}
    assert without == {0x00, 0x33}
    assert all(UNIT_BY_CODE[code].symbol == unit.symbol for code, unit in UNITS.items())


@pytest.mark.parametrize(
    ("meter_type", "model"),
    [
        ("0001", "MULTICAL 601 (Pt500)"),
        ("1101", "MULTICAL 402"),
        ("0912", "top module"),
        ("1600", "base module"),
        ("FFFF", None),
    ],
)
def test_meter_types(meter_type: str, model: str | None) -> None:
    assert model_of(meter_type) == model
