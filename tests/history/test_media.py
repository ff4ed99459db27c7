"""Which counter is a meter's main one, and what several that add up have counted together."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.history.media import MainCounter, Medium, main_counters, medium_of
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.questions.summed import summed_bars
from smart_meter_reader.messages import Message
from smart_meter_reader.quantities import QUANTITIES
from tests.history.homes import keep, reading

T0 = 1_767_222_000


@pytest.mark.parametrize(
    ("kept", "medium", "quantities"),
    [
        (["volume", "heat_energy", "cooling_energy"], Medium.HEAT, ("heat_energy",)),
        (["cooling_energy", "volume"], Medium.COOLING, ("cooling_energy",)),
        (
            [
                "active_energy_import_tariff_2",
                "active_energy_import_tariff_1",
                "active_energy_export_tariff_1",
            ],
            Medium.ELECTRICITY,
            ("active_energy_import_tariff_1", "active_energy_import_tariff_2"),
        ),
        (
            ["active_energy_import_tariff_1", "active_energy_import"],
            Medium.ELECTRICITY,
            ("active_energy_import",),
        ),
        (["gas_volume"], Medium.GAS, ("gas_volume",)),
        (["water_volume"], Medium.WATER, ("water_volume",)),
        (["operating_hours", "volume"], Medium.WATER, ("volume",)),
    ],
)
def test_the_main_counter_of_a_meter(kept: list[str], medium: Medium, quantities: tuple[str, ...]) -> None:
    assert main_counters(kept)[0] == MainCounter(medium, quantities)
    assert main_counters(kept)[0].key in QUANTITIES


def test_export_stands_behind_import_and_what_counts_nothing_has_none() -> None:
    found = main_counters(["active_energy_export", "active_energy_import"])
    assert [each.medium for each in found] == [Medium.ELECTRICITY, Medium.EXPORT]
    assert main_counters(["operating_hours", "power"]) == []


def test_tariffs_add_up_also_where_one_came_later(tmp_path: Path) -> None:
    keys = "active_energy_import_tariff_1", "active_energy_import_tariff_2"
    messages: list[Message] = [
        reading(T0, {keys[0]: ("10.0", "kWh")}),
        reading(T0 + 3600, {keys[0]: ("11.5", "kWh"), keys[1]: ("0.00", "kWh")}),
        reading(T0 + 7200, {keys[0]: ("12", "kWh"), keys[1]: ("0.25", "kWh")}),
    ]
    keep(tmp_path / "h", messages)
    with History(tmp_path / "h") as history:
        made = summed_bars([history.counter("heat", key) for key in keys], [T0, T0 + 3600, T0 + 7200])
    assert [bar.difference for bar in made] == [Decimal("1.5"), Decimal("0.75")]
    assert [bar.complete for bar in made] == [True, True]
    assert {bar.unit for bar in made} == {"kWh"}


@pytest.mark.parametrize(
    ("told", "medium"),
    [
        (["cooling_energy", "heat_energy", "volume"], "heat"),
        (["active_power_import", "voltage_l1"], "electricity"),
        (["active_energy_export"], "electricity"),
        (["gas_volume"], "gas"),
        (["volume", "info_code"], "water"),
        (["info_code"], ""),
        ([], ""),
    ],
)
def test_what_flows_is_told_by_what_the_meter_tells(told: list[str], medium: str) -> None:
    assert medium_of(told) == medium
